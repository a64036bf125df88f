"""The admission guard, tried with a tenant administrator's permissions: everything in the namespace."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from constructs_lib.guard.objects import PREFIX
from tests.e2e import pods
from tests.e2e.access import write
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import BUILD, DIST, PlatformUnderTest, objects
from tests.e2e.evidence import Evidence
from tests.e2e.guard_cases import CASES, Case

pytestmark = pytest.mark.promise("guard")
ADMINISTRATOR = "e2e-tenant-administrator"
RBAC = "rbac.authorization.k8s.io"
DRY_RUN = "--dry-run=server"
POLICY, BINDING = "validatingadmissionpolicy", "validatingadmissionpolicybinding"
FOREIGN_IMAGE = "registry.invalid/foreign:1"


@pytest.fixture(scope="module")
def tenant(platform: PlatformUnderTest) -> str:
    """The tenant whose administrator tries."""
    return platform.tenants[0]


@pytest.fixture(scope="module", autouse=True)
def guard(cluster: LiveCluster, platform: PlatformUnderTest, tenant: str) -> Iterator[list[dict[str, Any]]]:
    """The guard of `platform.guard`, with an allow-list of images, for this run; then the platform's own, if any.

    Fails if the platform has a guard that the cluster does not have.
    """
    tried = _synth_with_guard(platform)
    own = [each for each in objects(DIST) if each["metadata"]["name"].startswith(PREFIX)]
    for each in own:
        assert cluster.exists(each["kind"], each["metadata"]["name"]), f"the cluster lacks {each['metadata']['name']}"
    try:
        cluster.apply(*_administrator(tenant), *tried)
        cluster.wait("the guard", lambda: "" if _refusal(cluster, tenant, CASES["labelmap"]) else "no", seconds=60)
        yield tried
    finally:
        names = {each["metadata"]["name"] for each in own}
        _delete(cluster, [each for each in tried if each["metadata"]["name"] not in names])
        cluster.apply(*own)
        cluster.delete("role,rolebinding", ADMINISTRATOR, "-n", tenant)


def _synth_with_guard(platform: PlatformUnderTest) -> list[dict[str, Any]]:
    document = yaml.safe_load(platform.file.read_text("utf-8"))
    document["platform"]["guard"] = {"images": ["registry.example/team"]}
    platform.synth(file=write(document, BUILD / "guard.yaml"))
    found = [each for each in objects(DIST) if each["metadata"]["name"].startswith(PREFIX)]
    platform.synth(model=f"s3://models/{{tenant}}/spam@sha256:{platform.digest}")
    return found


def _delete(cluster: LiveCluster, made: list[dict[str, Any]]) -> None:
    names = {each["metadata"]["name"] for each in made}
    if not names:
        return
    cluster.delete(BINDING, *names)
    cluster.delete(POLICY, *names)


def _administrator(tenant: str) -> list[dict[str, Any]]:
    metadata = {"name": ADMINISTRATOR, "namespace": tenant}
    rbac = {"apiVersion": f"{RBAC}/v1", "metadata": metadata}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    subject = {"apiGroup": RBAC, "kind": "User", "name": ADMINISTRATOR}
    role = {"apiGroup": RBAC, "kind": "Role", "name": ADMINISTRATOR}
    return [
        {**rbac, "kind": "Role", "rules": rules},
        {**rbac, "kind": "RoleBinding", "roleRef": role, "subjects": [subject]},
    ]


def _as_administrator(cluster: LiveCluster, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as the tenant's administrator; return the refusal, or an empty string."""
    done = cluster.kubectl.try_run(*arguments, DRY_RUN, "--as", ADMINISTRATOR, stdin=stdin)
    return done.stderr.strip() if done.returncode else ""


def _create(cluster: LiveCluster, item: dict[str, Any]) -> str:
    return _as_administrator(cluster, "create", "-f", "-", stdin=json.dumps(item))


def _refusal(cluster: LiveCluster, tenant: str, case: Case) -> str:
    return _create(cluster, case.objects(tenant)[1])


@pytest.mark.parametrize("case", CASES)
def test_what_widens_a_tenants_access_is_refused(
    case: str, cluster: LiveCluster, tenant: str, evidence: Evidence
) -> None:
    """Each object is refused by its policy with the field and the allowed form; its harmless twin is accepted."""
    chosen = CASES[case]
    harmless, spoilt = chosen.objects(tenant)
    said = _create(cluster, spoilt)
    evidence.count("guard", "objects offered", 1 + chosen.has_twin)
    assert f"{PREFIX}{chosen.policy}" in said
    assert chosen.said in said
    if chosen.has_twin:
        assert _create(cluster, harmless) == ""


@pytest.mark.parametrize("subresource", ["", "status"])
def test_labels_of_pod_security_cannot_be_changed(
    subresource: str, cluster: LiveCluster, tenant: str, evidence: Evidence
) -> None:
    """Neither through the namespace nor through its subresources; other labels can be changed."""
    part = (f"--subresource={subresource}",) if subresource else ()

    def patch(labels: dict[str, str | None]) -> str:
        change = json.dumps({"metadata": {"labels": labels}})
        return _as_administrator(cluster, "patch", "namespace", tenant, "-n", tenant, *part, "-p", change)

    evidence.count("guard", "changes of a namespace", 4)
    assert "metadata.labels must keep" in patch({"pod-security.kubernetes.io/enforce": "privileged"})
    assert "metadata.labels must keep" in patch({"pod-security.kubernetes.io/enforce": None})
    assert "metadata.labels must keep" in patch({"app.kubernetes.io/managed-by": "other"})
    assert patch({"team": "a"}) == ""


@pytest.mark.parametrize(
    "what",
    [
        "networkpolicy/default-deny",
        "resourcequota/{workload}",
        "limitrange/{workload}",
        "role/{workload}",
        "rolebinding/{workload}",
    ],
)
def test_the_platforms_objects_cannot_be_changed_or_deleted(
    what: str, cluster: LiveCluster, tenant: str, evidence: Evidence
) -> None:
    """An object of the same kind that the tenant created can be deleted."""
    named = what.format(workload=workload(tenant))
    label = json.dumps({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}})
    evidence.count("guard", "changes of the platform's objects", 2)
    for arguments in (("delete", named), ("patch", named, "-p", label)):
        said = _as_administrator(cluster, *arguments, "-n", tenant)
        assert "belongs to the platform" in said, arguments


def test_the_namespace_cannot_be_deleted(cluster: LiveCluster, tenant: str, evidence: Evidence) -> None:
    """The namespace belongs to the platform."""
    evidence.count("guard", "changes of the platform's objects")
    assert "remove the tenant from platform.yaml" in _as_administrator(
        cluster, "delete", "namespace", tenant, "-n", tenant
    )


def test_a_tenants_own_policy_can_be_deleted(cluster: LiveCluster, tenant: str) -> None:
    """Only the platform's objects are protected."""
    harmless, _ = CASES["egress to everywhere"].objects(tenant)
    try:
        cluster.apply(harmless)
        assert _as_administrator(cluster, "delete", "networkpolicy", "e2e-guard", "-n", tenant) == ""
    finally:
        cluster.delete("networkpolicy", "e2e-guard", "-n", tenant)


def test_images_outside_the_allow_list_are_refused(
    cluster: LiveCluster, platform: PlatformUnderTest, tenant: str, evidence: Evidence
) -> None:
    """In every kind of container; the platform's image and those of an allowed folder are accepted."""
    evidence.count("guard", "pods offered", 8)
    for image in (platform.image, "registry.example/team/tool:1", "registry.example/team@sha256:" + "0" * 64):
        assert _create(cluster, _pod(tenant, image)) == ""
    below = f"{platform.image.partition(':')[0]}/foreign:1"
    for image in (FOREIGN_IMAGE, "registry.example/team:5000/foreign:1", "registry.example/teams/foreign:1", below):
        assert f"image {image} is not from an allowed repository" in _create(cluster, _pod(tenant, image))
    hidden = _pod(tenant, platform.image)
    hidden["spec"]["initContainers"] = [{**hidden["spec"]["containers"][0], "name": "init", "image": FOREIGN_IMAGE}]
    assert "is not from an allowed repository" in _create(cluster, hidden)


def _pod(tenant: str, image: str) -> dict[str, Any]:
    return pods.restricted_pod("e2e-guard", namespace=tenant, image=image)


def test_a_deployment_with_a_foreign_image_gets_no_pod(cluster: LiveCluster, tenant: str) -> None:
    """The cluster's controllers are exempt from the other rules, but not from the allow-list of images."""
    template = _pod(tenant, FOREIGN_IMAGE)
    labels = {"app": "e2e-guard"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "e2e-guard", "namespace": tenant},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }
    try:
        cluster.apply(deployment)

        def reason() -> str:
            found = cluster.items("events", "-n", tenant, "--field-selector", "reason=FailedCreate")
            return "" if any("allowed repository" in each["message"] for each in found) else "no event"

        cluster.wait("the refusal of a ReplicaSet's pod", reason, seconds=30)
        assert cluster.items("pods", "-n", tenant, "-l", "app=e2e-guard") == []
    finally:
        cluster.delete("deployment", "e2e-guard", "-n", tenant)


def test_other_namespaces_are_not_restricted(cluster: LiveCluster, guard: list[dict[str, Any]]) -> None:
    """The bindings select the tenants' namespaces only: elsewhere the same administrator may create the object."""
    del guard
    _, spoilt = CASES["ingress from everywhere"].objects(pods.OTHER_NAMESPACE)
    cluster.apply(pods.namespace(pods.OTHER_NAMESPACE), *_administrator(pods.OTHER_NAMESPACE))
    try:
        assert _create(cluster, spoilt) == ""
    finally:
        cluster.delete("role,rolebinding", ADMINISTRATOR, "-n", pods.OTHER_NAMESPACE)


def test_the_platform_can_still_be_applied(cluster: LiveCluster, guard: list[dict[str, Any]]) -> None:
    """The guard exempts who may change the guard."""
    del guard
    cluster.kubectl.run("apply", "-f", str(DIST), DRY_RUN)


def test_controllers_serve_a_tenants_own_workload(
    cluster: LiveCluster, platform: PlatformUnderTest, tenant: str, evidence: Evidence
) -> None:
    """The tenant's administrator may create a Deployment and a Service; its endpoints appear and disappear."""
    labels = {"app": "e2e-guard"}
    metadata = {"name": "e2e-guard", "namespace": tenant}
    pod = pods.listener("e2e-guard", namespace=tenant, image=platform.image)
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod["spec"]},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"port": 8000}]},
    }

    def addresses() -> int:
        slices = cluster.items("endpointslices", "-n", tenant, "-l", "kubernetes.io/service-name=e2e-guard")
        return sum(len(endpoint["addresses"]) for each in slices for endpoint in each["endpoints"] or ())

    try:
        for each in (deployment, service):
            cluster.kubectl.run("create", "-f", "-", "--as", ADMINISTRATOR, stdin=json.dumps(each))
        took = cluster.wait("the Service's endpoints", lambda: "" if addresses() else "none yet", seconds=120)
        evidence.figure("guard", "seconds until a new Deployment's pod is an endpoint", round(took))
        cluster.kubectl.run("scale", "deployment/e2e-guard", "-n", tenant, "--replicas=0", "--as", ADMINISTRATOR)
        cluster.wait("the endpoints to be removed", lambda: "still there" if addresses() else "", seconds=120)
    finally:
        cluster.delete("deployment,service", "e2e-guard", "-n", tenant)


def test_every_expression_passes_the_type_check(cluster: LiveCluster, guard: list[dict[str, Any]]) -> None:
    """The API server checks the expressions against the types of the kinds, and has no warning."""
    for each in guard:
        if each["kind"] == "ValidatingAdmissionPolicy":
            status = cluster.kubectl.get(POLICY, each["metadata"]["name"]).get("status", {})
            assert status.get("typeChecking", {}).get("expressionWarnings", []) == []


def test_a_deleted_binding_is_noticed(
    cluster: LiveCluster, tenant: str, guard: list[dict[str, Any]], evidence: Evidence
) -> None:
    """Without the binding of a policy, what it refused is accepted: the tests of refusals would fail."""
    questions = {each.policy: each for each in CASES.values() if each.said != "ClusterRole"}
    for binding in guard:
        name = binding["metadata"]["name"]
        policy = name.removeprefix(PREFIX)
        if binding["kind"] != "ValidatingAdmissionPolicyBinding" or policy == "other-network-policies":
            continue  # the latter restricts kinds that only certain network plugins have

        def refused(policy: str = policy) -> bool:
            return PREFIX in _answer(cluster, tenant, policy, questions)

        evidence.count("guard", "deleted bindings")
        assert refused(), name
        try:
            cluster.delete(BINDING, name)
            cluster.wait(f"{name} to be gone", lambda: "still refused" if refused() else "", seconds=60)
        finally:
            cluster.apply(binding)
        cluster.wait(name, lambda: "" if refused() else "not in effect yet", seconds=60)


def _answer(cluster: LiveCluster, tenant: str, policy: str, questions: dict[str, Case]) -> str:
    """What the API server says to something that the policy refuses."""
    if policy == "images":
        return _create(cluster, _pod(tenant, FOREIGN_IMAGE))
    if policy == "namespaces":
        change = json.dumps({"metadata": {"labels": {"pod-security.kubernetes.io/audit": "privileged"}}})
        return _as_administrator(cluster, "patch", "namespace", tenant, "-n", tenant, "-p", change)
    if policy == "namespace-deletion":
        return _as_administrator(cluster, "delete", "namespace", tenant, "-n", tenant)
    if policy == "platform-objects":
        return _as_administrator(cluster, "delete", "networkpolicy", "default-deny", "-n", tenant)
    return _refusal(cluster, tenant, questions[policy])
