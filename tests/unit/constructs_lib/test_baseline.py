"""The ClusterNetworkPolicy of a tenant: its shape, and what it denies when the NetworkPolicies are gone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from audit import read
from audit.contract import contract_findings, loaded
from constructs_lib import charts
from constructs_lib.baseline import KIND
from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.isolation import contract_of
from tests.kube import Object, by_kind
from tests.snapshot.test_schemas import _validate

NAME = "kubernetes.io/metadata.name"
STRANGERS = """
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: default, labels: {app: stranger}}
spec: {containers: [{name: a, image: "b:1", ports: [{containerPort: 8000}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {containers: [{name: a, image: "b:1", ports: [{containerPort: 53, protocol: UDP}]}]}
"""


def platform(*, baseline: bool = True, **settings: Any) -> Platform:
    document = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1", "baseline": baseline, **settings},
        "tenants": [{"name": name, "model": f"s3://models/{name}/spam"} for name in ("tenant-a", "tenant-b")],
    }
    return Platform.model_validate(document)


def synth(folder: Path, given: Platform) -> list[Object]:
    charts.synth(given, folder)
    return list(yaml.safe_load_all((folder / "tenant-a.k8s.yaml").read_text("utf-8")))


def test_without_the_switch_nothing_is_added(tmp_path: Path) -> None:
    without, with_it = synth(tmp_path / "a", platform(baseline=False)), synth(tmp_path / "b", platform())
    assert [each for each in with_it if each not in without] == [by_kind(with_it, KIND)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cluster": {"profile": "gke"}},
        {"cluster": {"profile": "openshift"}},
        {"network": {"exceptCidrs": [f"203.0.113.{number}/32" for number in range(60)]}},
    ],
)
def test_it_follows_the_schema_of_its_crd(tmp_path: Path, settings: dict[str, Any]) -> None:
    """More than 25 networks are divided among several peers."""
    policy = by_kind(synth(tmp_path, platform(**settings)), KIND)
    _validate(policy)
    assert "namespace" not in policy["metadata"]
    excluded = [each for peer in policy["spec"]["egress"][2]["to"] for each in peer["networks"]]
    assert set(settings.get("network", {}).get("exceptCidrs", [])) <= set(excluded)


def test_it_is_the_last_policy_of_its_tier_and_for_one_namespace(tmp_path: Path) -> None:
    spec = by_kind(synth(tmp_path, platform()), KIND, "tenantry-baseline-tenant-a")["spec"]
    assert (spec["tier"], spec["priority"]) == ("Baseline", 1000)
    assert spec["subject"] == {"namespaces": {"matchLabels": {NAME: "tenant-a"}}}


def test_dns_is_accepted_before_anything_is_denied(tmp_path: Path) -> None:
    """A resolver may have the address of a metadata service, as on GKE with Cloud DNS."""
    dns = {"addresses": ["169.254.169.254/32"], "port": 5353}
    first, *others = by_kind(synth(tmp_path, platform(dns=dns)), KIND)["spec"]["egress"]
    assert first["action"] == "Accept"
    assert {"networks": ["169.254.169.254/32"]} in first["to"]
    assert [each["destinationPort"]["number"] for protocol in first["protocols"] for each in protocol.values()] == [
        5353
    ] * 2
    assert {each["action"] for each in others} == {"Deny"}


POD, OTHER = "tenant-a/tenant-a-ml-inference", "tenant-b/tenant-b-ml-inference"


@pytest.mark.parametrize(
    ("source", "destination", "port", "with_it"),
    [
        ("default/stranger", POD, "8000", "denied"),
        (OTHER, POD, "8000", "denied"),
        (POD, OTHER, "8000", "denied"),
        (POD, POD, "8000", "allowed"),
        (POD, "default/stranger", "8000", "denied"),
        (POD, "169.254.169.254", "80", "denied"),
        (POD, "kube-system/coredns", "UDP/53", "allowed"),
        (POD, "kube-system/coredns", "8080", "denied"),
    ],
)
def test_the_audit_knows_that_tenants_stay_apart_without_their_policies(
    without_policies: dict[bool, Path], source: str, destination: str, port: str, with_it: str
) -> None:
    """Somebody deleted every NetworkPolicy: then everything is allowed without a baseline."""
    for baseline, verdict in ((True, with_it), (False, "allowed")):
        arguments = ["audit", "explain", source, destination, port, str(without_policies[baseline])]
        done = CliRunner().invoke(app, [*arguments, "--pod-cidr", "10.0.0.0/8"])
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(f"{verdict}: {source}"), done.stdout


@pytest.fixture(scope="module")
def without_policies(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Folders of manifests without NetworkPolicies, with a baseline and without one."""
    folders = {baseline: tmp_path_factory.mktemp(str(baseline)) for baseline in (True, False)}
    for baseline, folder in folders.items():
        synth(folder, platform(baseline=baseline))
        for path in folder.iterdir():
            objects = list(yaml.safe_load_all(path.read_text("utf-8")))
            path.write_text(yaml.safe_dump_all([each for each in objects if each["kind"] != "NetworkPolicy"]), "utf-8")
        (folder / "others.yaml").write_text(STRANGERS, "utf-8")
    return folders


def test_the_contract_of_the_platform_holds_with_it(tmp_path: Path) -> None:
    given = platform()
    synth(tmp_path, given)
    found = contract_findings(loaded(contract_of(given), "contract"), read.objects([tmp_path], details=True))
    assert [each for each in found if each.state != "warning"] == []
