"""Alert routing, checked with `amtool config routes test`: which receiver gets each alert."""

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
    """Receivers of an alert with these labels."""
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
    """Alertmanager accepts the routes, receivers and inhibition rules."""
    checked = subprocess.run([find("amtool"), "check-config", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("key", ALERTS)
def test_an_alert_reaches_only_its_tenants_receiver(config: Path, key: str) -> None:
    """Each alert of each tenant goes to that tenant's receiver only."""
    rule = ALERTS[key]
    for tenant in TENANTS:
        labels = rule["labels"] | {"alertname": rule["alert"], "namespace": tenant, "tenant": tenant}
        assert receivers(config, labels) == [f"{tenant}/{tenant}-ml-inference/tenant"]


@pytest.mark.parametrize("key", ALERTS)
def test_alerts_of_a_tenant_without_receiver_reach_the_platform(only_b: Path, key: str) -> None:
    """An alert without a matching tenant receiver reaches the platform's receiver."""
    rule = ALERTS[key]
    labels = rule["labels"] | {"alertname": rule["alert"], "namespace": "tenant-a"}
    assert receivers(only_b, labels) == ["platform"]


def test_cluster_alerts_and_the_watchdog_reach_the_platforms_receivers(config: Path) -> None:
    """Alerts without a tenant go to `platform`, the watchdog to its own receiver."""
    assert receivers(config, {"alertname": "KubeNodeNotReady", "severity": "critical"}) == ["platform"]
    assert receivers(config, {"alertname": "Watchdog", "namespace": "monitoring"}) == ["watchdog"]


def test_the_label_tenant_does_not_route(config: Path) -> None:
    """Routing uses the label `namespace`, which Prometheus sets, and not the label `tenant`."""
    labels = {"alertname": "InferenceTargetDown", "namespace": "tenant-a", "tenant": "tenant-b"}
    assert receivers(config, labels) == ["tenant-a/tenant-a-ml-inference/tenant"]
