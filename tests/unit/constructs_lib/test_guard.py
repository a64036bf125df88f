"""The admission guard in dist/: which policies there are, where they apply, and whom they exempt."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib import charts
from constructs_lib.guard.images import image_policy
from constructs_lib.platform import Platform, PlatformError
from tests.kube import Object

TENANTS = ("tenant-a", "tenant-b")
POLICIES = {
    "alert-routes",
    "endpoints",
    "monitoring-servers",
    "monitors",
    "namespace-deletion",
    "namespaces",
    "network-policies",
    "other-network-policies",
    "platform-objects",
    "prometheus-rules",
    "role-bindings",
    "roles",
    "services",
}
FILE = "0-platform.k8s.yaml"


def platform(guard: Any) -> Platform:
    settings = {"image": "registry.example/service:1", **({} if guard is None else {"guard": guard})}
    tenants = [{"name": name, "model": f"s3://models/{name}/spam"} for name in TENANTS]
    document = {"apiVersion": "tenantry.dev/v1alpha1", "platform": settings, "tenants": tenants}
    return Platform.model_validate(document)


def synth(folder: Path, guard: Any) -> list[Object]:
    charts.synth(platform(guard), folder)
    return list(yaml.safe_load_all((folder / FILE).read_text("utf-8")))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return synth(tmp_path_factory.mktemp("guard"), guard=True)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    found = [each for each in objects if each["kind"] == kind]
    return {each["metadata"]["name"].removeprefix("tenantry-guard-"): each for each in found}


@pytest.mark.parametrize("guard", [None, False])
def test_without_a_guard_there_is_none(tmp_path: Path, guard: Any) -> None:
    assert [each["kind"] for each in synth(tmp_path, guard)] == ["Namespace", "ConfigMap"]


def test_each_policy_is_bound_and_denies(guarded: list[Object]) -> None:
    policies = of_kind(guarded, "ValidatingAdmissionPolicy")
    bindings = of_kind(guarded, "ValidatingAdmissionPolicyBinding")
    assert set(policies) == set(bindings) == POLICIES
    for name, binding in bindings.items():
        assert binding["spec"]["policyName"] == f"tenantry-guard-{name}"
        assert binding["spec"]["validationActions"] == ["Deny"]
        assert policies[name]["spec"]["failurePolicy"] == "Fail"


def test_bindings_select_the_tenants_by_a_label_that_nobody_can_change(guarded: list[Object]) -> None:
    for binding in of_kind(guarded, "ValidatingAdmissionPolicyBinding").values():
        selector = binding["spec"]["matchResources"]["namespaceSelector"]
        assert selector == {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(TENANTS)}]
        }


def test_administrators_and_named_accounts_are_exempt(tmp_path: Path) -> None:
    objects = synth(tmp_path, {"exemptUsers": ["system:serviceaccount:flux-system:applier"], "images": ["r.example"]})
    for name, policy in of_kind(objects, "ValidatingAdmissionPolicy").items():
        conditions = {each["name"]: each["expression"] for each in policy["spec"]["matchConditions"]}
        assert "validatingadmissionpolicies" in conditions["not-an-administrator"]
        if name == "images":  # the cluster's controllers create the pods of a Deployment
            assert "not-exempt" not in conditions
        else:
            assert '"system:serviceaccount:flux-system:applier"' in conditions["not-exempt"]
            assert '"system:serviceaccounts:kube-system"' in conditions["not-exempt"]


def test_an_allow_list_holds_the_tenants_own_images(tmp_path: Path) -> None:
    policy = of_kind(synth(tmp_path, {"images": ["r.example/tools"]}), "ValidatingAdmissionPolicy")["images"]
    refused = next(each["expression"] for each in policy["spec"]["variables"] if each["name"] == "refused")
    assert """["r.example/tools"].exists(a, i.startsWith(a + '/') ||""" in refused  # a folder, too
    assert """["registry.example/service"].exists(a, (i == a ||""" in refused  # this repository only


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("service", "service"),
        ("service:1", "service"),
        ("r.example:5000/team/service:1@sha256:0", "r.example:5000/team/service"),
        ("r.example:5000/service@sha256:0", "r.example:5000/service"),
    ],
)
def test_an_image_allows_its_repository_and_no_more(image: str, repository: str) -> None:
    assert f'["{repository}"]' in image_policy([], [image]).variables["refused"]


def test_every_place_of_an_image_is_checked() -> None:
    images = image_policy(["r.example"], []).variables["images"]
    for field in ("containers", "initContainers", "ephemeralContainers", "volumes"):
        assert f"object.spec.?{field}" in images


@pytest.mark.parametrize("images", [["r.example/service:1"], ["r.example/*"], [""], ["r.example:5000"]])
def test_an_allow_list_of_anything_but_repositories_is_refused(images: list[str]) -> None:
    with pytest.raises(ValueError, match="must be a repository or a folder of repositories"):
        platform({"images": images})


def test_a_wrong_guard_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    head = "apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: a/b:1\n"
    tail = "tenants: [{name: a, model: s3://models/a/m}]\n"
    for guard, said in (("{image: [a]}", "did you mean 'images'"), ("maybe", "must be a mapping")):
        file.write_text(f"{head}  guard: {guard}\n{tail}", "utf-8")
        with pytest.raises(PlatformError, match=said) as caught:
            Platform.load(file)
        assert "platform.yaml:4" in str(caught.value)


@pytest.mark.parametrize(
    "guard",
    [
        {"exemptGroups": ["system:authenticated"]},
        {"exemptGroups": ["system:serviceaccounts"]},
        {"exemptGroups": ["system:serviceaccounts:tenant-b"]},
        {"exemptUsers": ["system:serviceaccount:tenant-a:default"]},
    ],
)
def test_accounts_of_tenants_cannot_be_exempt(guard: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must not be a"):
        platform(guard)


def test_accounts_of_other_namespaces_can_be_exempt() -> None:
    platform({"exemptUsers": ["system:serviceaccount:argocd:controller"], "exemptGroups": ["platform-team"]})
