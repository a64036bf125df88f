"""`tenantry monitor`: the state of each alert, and a page with the panels."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from constructs_lib.monitoring.panels import PANELS
from tenantry.cli import app
from tenantry.local.alerts import alerts
from tenantry.local.monitor_page import panels, serving_page
from tests.example_platform import EXAMPLE
from tests.models import write_tiny_model
from tests.rules import promtool
from tests.rules.conftest import RUNTIMES, TENANTS, Live, wait_for


def test_every_alert_of_every_tenant_has_a_state(live: Live) -> None:
    """Every alerting rule is listed once, with the labels that distinguish rules of one name."""
    wanted = {
        (tenant, *key.split("/")) for tenant, runtime in RUNTIMES.items() for key in promtool.alerts(runtimes=[runtime])
    }

    def unlisted() -> str:
        found = [
            tuple(filter(None, (each.tenant, each.name, each.severity, each.detail))) for each in alerts(live.stack)
        ]
        assert sorted(found) == sorted(wanted)
        unknown = [each for each in alerts(live.stack) if each.state == "unknown"]
        return f"not evaluated yet: {unknown}" if unknown else ""

    wait_for(unlisted)


def test_page_and_its_data_are_served(live: Live) -> None:
    """The page and the data of the eight panels are served; other paths return 404."""
    with serving_page(live.stack, TENANTS) as address:
        page = httpx.get(address, trust_env=False)
        assert page.headers["content-type"].startswith("text/html")
        assert "panels.json" in page.text
        shown = httpx.get(f"{address}panels.json", trust_env=False, timeout=30).json()
        assert [each["title"] for each in shown["panels"]] == [panel.title for panel in PANELS]
        assert httpx.get(f"{address}elsewhere", trust_env=False).status_code == 404


def test_panels_have_data(live: Live) -> None:
    """Seven of the eight panels have data; the eighth needs metrics of a cluster."""

    def empty() -> str:
        without = [each["title"] for each in panels(live.stack, TENANTS, began=0)["panels"] if not each["lines"]]
        return "" if without == ["Replicas and CPU"] else f"no data: {without}"

    wait_for(empty)


def test_command_ends_after_the_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves the tenants, lists every alert with its state, and leaves nothing running."""
    monkeypatch.chdir(tmp_path)
    model = write_tiny_model(tmp_path / "model")
    arguments = ["--file", str(EXAMPLE), "--model", str(model), "--seconds", "6", "--format", "json"]
    result = CliRunner().invoke(app, ["monitor", *arguments])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout[result.stdout.index("[") :])
    assert {each["tenant"] for each in found} == set(TENANTS)
    assert len(found) == len(TENANTS) * len(promtool.alerts(runtimes=["text"]))
    (prometheus,) = [line.split()[-1] for line in result.stdout.splitlines() if "Prometheus" in line]
    with pytest.raises(httpx.ConnectError):
        httpx.get(prometheus, trust_env=False)
