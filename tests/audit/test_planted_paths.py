"""One hidden path in each planted cluster is found with its steps and lines, and none in the repaired twin."""

import random
from pathlib import Path
from typing import Any

import pytest

from audit import Cluster, read
from audit.paths import Paths, Way
from tests.audit.planted import Planted, base, planted

PLANTED = planted()
CASES = pytest.mark.parametrize("case", PLANTED, ids=[each.name for each in PLANTED])


def cluster(text: str, folder: Path, more: list[Any] | None = None) -> Cluster:
    """A cluster of manifests, the base, and other objects."""
    file = folder / "planted.yaml"
    file.write_text(text)
    return read.objects([file, *base(text), *(more or [])], details=True)


def ways(given: Cluster) -> list[Way]:
    return Paths(given).find(["tenant-a"], ["tenant-b"])


def steps(way: Way) -> list[tuple[str, str]]:
    return [(each.rule, str(each.target)) for each in way.steps]


@CASES
def test_the_path_is_found_with_its_steps_and_lines(case: Planted, tmp_path: Path) -> None:
    found = ways(cluster(case.text, tmp_path))
    assert steps(found[0]) == case.steps
    assert found[0].certain == case.certain
    for number, step in enumerate(found[0].steps, 1):
        lines = {each.line for each in step.evidence() if each.file == str(tmp_path / "planted.yaml")}
        assert case.lines.get(number, set()) <= lines, (number, step.evidence())
    assert case.lines
    assert {each.steps[0].rule for each in found} <= {case.steps[0][0], "leaves-container", "host-network"}


@CASES
def test_there_is_no_path_in_the_repaired_twin(case: Planted, tmp_path: Path) -> None:
    assert [steps(each) for each in ways(cluster(case.repaired, tmp_path))] == []


@CASES
def test_decoys_change_nothing(case: Planted, tmp_path: Path) -> None:
    chance = random.Random(case.name)  # noqa: S311 - not for secrets
    others = [each for number in range(8) for each in decoy(number, chance)]
    assert steps(ways(cluster(case.text, tmp_path, others))[0]) == case.steps
    assert ways(cluster(case.repaired, tmp_path, others)) == []


def test_the_set_covers_every_plane_and_length() -> None:
    assert len(PLANTED) >= 25
    assert {len(each.steps) for each in PLANTED} == {1, 2, 3, 4, 5}
    assert sum(not each.certain for each in PLANTED) >= 3
    of_planes = {"reads-secrets", "leaves-container", "shares-volume", "monitor", "route", "network", "shares-node"}
    assert of_planes <= {rule for each in PLANTED for rule, _target in each.steps}


def decoy(number: int, chance: random.Random) -> list[dict[str, Any]]:
    """A tenant that leads nowhere: isolated, with permissions, volumes and monitors of its own."""
    space = f"decoy-{number}"
    meta = {"name": "web", "namespace": space}
    resources = chance.sample(
        ["pods", "pods/exec", "secrets", "configmaps", "services", "deployments", "rolebindings"], 3
    )
    subject = {"kind": "ServiceAccount", "name": "web", "namespace": space}
    rule = {"apiGroups": ["", "apps"], "resources": resources, "verbs": chance.sample(["get", "create", "patch"], 2)}
    template = {
        "metadata": {"labels": {"app": chance.choice(["web", "runner"])}},
        "spec": {
            "containers": [{"name": "main", "envFrom": [{"secretRef": {"name": "database"}}]}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        },
    }
    enforce = {"pod-security.kubernetes.io/enforce": chance.choice(["restricted", "baseline"])}
    volume = {"claimRef": {"namespace": space, "name": "data"}, "nfs": {"server": "files.example", "path": f"/{space}"}}
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": enforce}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "web"},
            "subjects": [subject],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": meta,
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"to": [{"podSelector": {}}]}],
            },
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": space}, "spec": volume},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "namespace": space}},
    ]
