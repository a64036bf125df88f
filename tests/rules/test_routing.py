"""Who is told: every alert through the real Alertmanager's own routing (amtool)."""

import json
import subprocess
from pathlib import Path

import pytest

from tenantry.programs import find
from tests.rules import promtool
from tests.rules.routing import operator_config

ALERTS = promtool.alerts()
TENANTS = {"tenant-a": "http://127.0.0.1:9/a", "tenant-b": "http://127.0.0.1:9/b"}


def receivers(config: Path, labels: dict[str, str]) -> list[str]:
    """The receivers that an alert with these labels reaches."""
    arguments = [f"--config.file={config}", *(f"{name}={value}" for name, value in labels.items())]
    result = subprocess.run(
        [find("amtool"), "config", "routes", "test", *arguments], capture_output=True, text=True, check=True
    )
    return result.stdout.strip().split(",")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both tenants have receivers."""
    return _write(tmp_path_factory.mktemp("routing"), TENANTS)


@pytest.fixture(scope="module")
def only_b(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only tenant-b has a receiver."""
    return _write(tmp_path_factory.mktemp("routing"), {"tenant-b": TENANTS["tenant-b"]})


def _write(folder: Path, tenants: dict[str, str]) -> Path:
    path = folder / "alertmanager.json"
    path.write_text(json.dumps(operator_config(tenants)))
    return path


def test_amtool_accepts_the_configuration(config: Path) -> None:
    """Routes, receivers and inhibition are what Alertmanager understands."""
    checked = subprocess.run([find("amtool"), "check-config", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("key", ALERTS)
def test_an_alert_reaches_its_tenants_receiver_and_no_other(config: Path, key: str) -> None:
    """Each alert of each tenant goes to that tenant's receiver alone."""
    rule = ALERTS[key]
    for tenant in TENANTS:
        labels = rule["labels"] | {"alertname": rule["alert"], "namespace": tenant, "tenant": tenant}
        assert receivers(config, labels) == [f"{tenant}/{tenant}-ml-inference/tenant"]


@pytest.mark.parametrize("key", ALERTS)
def test_a_tenant_without_receiver_is_the_platforms(only_b: Path, key: str) -> None:
    """What no tenant's receiver takes reaches the platform's own."""
    rule = ALERTS[key]
    labels = rule["labels"] | {"alertname": rule["alert"], "namespace": "tenant-a"}
    assert receivers(only_b, labels) == ["platform"]


def test_the_rest_and_the_watchdog_are_the_platforms(config: Path) -> None:
    """Alerts of no tenant, and the one that always fires, have receivers of their own."""
    assert receivers(config, {"alertname": "KubeNodeNotReady", "severity": "critical"}) == ["platform"]
    assert receivers(config, {"alertname": "Watchdog", "namespace": "monitoring"}) == ["watchdog"]


def test_a_tenant_cannot_take_alerts_by_its_own_label(config: Path) -> None:
    """The label `tenant` routes nothing: only `namespace`, which Prometheus sets, does."""
    labels = {"alertname": "InferenceTargetDown", "namespace": "tenant-a", "tenant": "tenant-b"}
    assert receivers(config, labels) == ["tenant-a/tenant-a-ml-inference/tenant"]
