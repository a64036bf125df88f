"""Inhibition of the chart's default alerts, in a real Alertmanager."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from constructs_lib.monitoring.routing import SAME_CAUSE
from tests.rules.conftest import Live, wait_for

PAIRS = [(ours, other) for ours, others in SAME_CAUSE.items() for other in others]
NOW = datetime.now(UTC).isoformat()


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_one_cause_sends_one_notification(live: Live, ours: str, other: str) -> None:
    """With both alerts the chart's is suppressed, in the namespace of ours and in no other."""
    namespace, elsewhere = f"{ours}-{other}".lower(), f"{other}-alone".lower()
    _post(live, {"alertname": ours, "namespace": namespace, "severity": "warning", "tenant": namespace})
    _post(live, {"alertname": other, "namespace": namespace, "severity": "warning"})
    _post(live, {"alertname": other, "namespace": elsewhere, "severity": "warning"})

    def wrong() -> str:
        states = {(each["labels"]["alertname"], each["labels"]["namespace"]): each["status"]["state"]
                  for each in _alerts(live)}  # fmt: skip
        found = (states.get((ours, namespace)), states.get((other, namespace)), states.get((other, elsewhere)))
        return "" if found == ("active", "suppressed", "active") else f"{ours}, {other}, {other} elsewhere: {found}"

    wait_for(wrong)


def _post(live: Live, labels: dict[str, str]) -> None:
    alert = {"labels": labels, "startsAt": NOW, "generatorURL": "http://127.0.0.1/"}
    url = f"{live.stack.alertmanager}/api/v2/alerts"
    httpx.post(url, json=[alert], timeout=10, trust_env=False).raise_for_status()


def _alerts(live: Live) -> list[dict[str, Any]]:
    url = f"{live.stack.alertmanager}/api/v2/alerts"
    found: list[dict[str, Any]] = httpx.get(url, timeout=10, trust_env=False).json()
    return found
