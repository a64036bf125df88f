"""What `tenantry preflight` says about clusters of three kinds, and what is left after --write."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.cluster.kubectl import Kubectl
from tests.example_platform import EXAMPLE
from tests.recorded_cluster import RecordedCluster, recorded

STATUSES: dict[str, dict[str, list[str]]] = {
    "gke": {
        "profile": ["warning"],
        "prometheus": ["failed"],
        "dns": ["blocking"],
        "network": ["skipped"],
        "image": ["skipped"],
    },
    "eks": {
        "rights": ["blocking"],
        "crds": ["blocking"],
        "prometheus": ["warning"],
        "metrics": ["failed"],
        "network": ["blocking"],
        "storage": ["warning"],
        "capacity": ["unknown"],
        "image": ["skipped"],
    },
    "openshift": {
        "profile": ["warning"],
        "prometheus": ["failed"],
        "dns": ["blocking"],
        "network": ["skipped"],
        "user": ["blocking"],
        "image": ["skipped"],
    },
}
"""The checks that are not `ok`."""
SETTINGS: dict[str, dict[str, Any]] = {
    "gke": {
        "platform.cluster.profile": "gke",
        "platform.monitoring.namespace": "observability",
        "platform.monitoring.objectLabels": {"release": "prom"},
        "platform.dns.addresses": ["169.254.20.10/32", "34.118.224.10/32"],
        "platform.cluster.workers": 2,
        "platform.cluster.cpu": "3920m",
        "platform.cluster.memory": "13270Mi",
        "platform.cluster.pods": 110,
    },
    "eks": {"platform.cluster.profile": "eks"},
    "openshift": {
        "platform.cluster.profile": "openshift",
        "platform.cluster.workers": 1,
        "platform.cluster.cpu": "7500m",
        "platform.cluster.memory": "30826Mi",
        "platform.cluster.pods": 250,
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "platform.yaml"
    path.write_bytes(EXAMPLE.read_bytes())
    return path


def _inspect(monkeypatch: pytest.MonkeyPatch, name: str, file: Path, *options: str) -> tuple[int, dict[str, Any]]:
    cluster = RecordedCluster(recorded(name))
    monkeypatch.setattr(Kubectl, "find", lambda *_: cluster)
    done = CliRunner().invoke(app, ["preflight", "--file", str(file), "--format", "json", *options])
    verbs = {each[0] for each in cluster.asked} - {"create", "label"}
    assert verbs <= {"get", "auth", "config"}, "something else than reading"
    return done.exit_code, json.loads(done.stdout)


def _statuses(document: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in document["checks"]:
        found.setdefault(each["check"], []).append(each["status"])
    return {name: some for name, some in found.items() if set(some) != {"ok"}}


@pytest.mark.parametrize("name", STATUSES)
def test_a_cluster_is_reported_with_the_keys_to_set(monkeypatch: pytest.MonkeyPatch, name: str, file: Path) -> None:
    code, document = _inspect(monkeypatch, name, file)
    assert _statuses(document) == STATUSES[name]
    assert {each["key"]: each["value"] for each in document["settings"]} == SETTINGS[name]
    assert document["profile"]["guess"] == name
    assert code == 1
    assert file.read_bytes() == EXAMPLE.read_bytes()


@pytest.mark.parametrize(("name", "left"), [("gke", {}), ("openshift", {})])
def test_the_written_file_describes_the_cluster(
    monkeypatch: pytest.MonkeyPatch, name: str, left: dict[str, Any], file: Path
) -> None:
    """Every line that was there is still there, nothing is left to set, and a second run writes nothing."""
    code, document = _inspect(monkeypatch, name, file, "--write")
    assert {each["key"]: each["value"] for each in document["written"]} == SETTINGS[name]
    assert document["settings"] == []
    assert {key: some for key, some in _statuses(document).items() if some != ["skipped"]} == left
    assert code == 0
    lines = file.read_text().splitlines()
    assert [line for line in lines if line in EXAMPLE.read_text().splitlines()] == EXAMPLE.read_text().splitlines()
    profile = Platform.load(file).platform.cluster
    assert profile is not None
    assert profile.profile == name
    written = file.read_bytes()
    assert _inspect(monkeypatch, name, file, "--write")[1]["written"] == []
    assert file.read_bytes() == written


def test_keys_that_the_profile_sets_are_not_written(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    _inspect(monkeypatch, "openshift", file, "--write")
    text = file.read_text()
    assert "openshift-dns" not in text
    assert Platform.load(file).platform.dns.port == 5353
