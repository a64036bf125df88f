"""Alerts and settings that a project adds to MonitoredInference."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib import (
    Alert,
    IsolatedTenant,
    MonitoredInference,
    MonitoredInferenceProps,
    PropsError,
)
from constructs_lib.platform.pods import OWN_SETTINGS
from tests.kube import Object, by_kind, make_chart, objects_of
from tests.unit.constructs_lib.inferences import IMAGE, MODEL, TENANT, container_of, environment_of, synth


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth()


ALERT = Alert(name="QueueIsLong", expression="queue_length > 10", summary="The queue is long.", description="It is.")


def _inference() -> tuple[Any, MonitoredInference]:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", TENANT)
    props = MonitoredInferenceProps(tenant=tenant, image=IMAGE, model=MODEL)
    return chart, MonitoredInference(chart, "inference", props)


def test_added_alerts_follow_the_platforms_rules_in_a_group_of_their_own(minimal: list[Object]) -> None:
    chart, inference = _inference()
    inference.add_alert(ALERT)
    inference.add_alert(
        replace(
            ALERT,
            name="QueueIsFull",
            severity="critical",
            for_minutes=1,
            labels={"team": "a"},
            runbook_url="https://runbook.example/",
        )
    )
    *platform, added = by_kind(objects_of(chart), "PrometheusRule")["spec"]["groups"]
    assert platform == by_kind(minimal, "PrometheusRule")["spec"]["groups"]
    assert added == {
        "name": "inference-added",
        "rules": [
            {
                "alert": "QueueIsLong",
                "expr": "queue_length > 10",
                "for": "5m",
                "labels": {"namespace": "tenant-a", "severity": "warning", "tenant": "tenant-a"},
                "annotations": {"summary": "The queue is long.", "description": "It is."},
            },
            {
                "alert": "QueueIsFull",
                "expr": "queue_length > 10",
                "for": "1m",
                "labels": {"team": "a", "namespace": "tenant-a", "severity": "critical", "tenant": "tenant-a"},
                "annotations": {
                    "summary": "The queue is long.",
                    "description": "It is.",
                    "runbook_url": "https://runbook.example/",
                },
            },
        ],
    }


def test_added_alerts_are_readable() -> None:
    _, inference = _inference()
    assert not inference.alerts
    inference.add_alert(ALERT)
    assert inference.alerts == (ALERT,)


@pytest.mark.parametrize("name", ["QueueIsLong", "InferenceTargetDown"])
def test_rejects_a_second_alert_of_a_name(name: str) -> None:
    _, inference = _inference()
    inference.add_alert(ALERT)
    with pytest.raises(PropsError, match=rf"'name' \('{name}'\) must be unique"):
        inference.add_alert(replace(ALERT, name=name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Queue is long"}, "'name' .* letters, digits and underscores"),
        ({"expression": " "}, "'expression' .* must not be empty"),
        ({"summary": ""}, "'summary' .* must not be empty"),
        ({"description": ""}, "'description' .* must not be empty"),
        ({"for_minutes": -1}, "'for_minutes' .* must be at least 0"),
        ({"labels": {"tenant": "b", "severity": "info"}}, r"'labels' \(severity, tenant\) must not set"),
    ],
)
def test_rejects_an_invalid_alert(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PropsError, match=message):
        replace(ALERT, **change)


def test_an_added_setting_reaches_every_pod() -> None:
    chart, inference = _inference()
    inference.add_setting("max_in_flight", "16")
    assert environment_of(container_of(objects_of(chart)))["INFERENCE_MAX_IN_FLIGHT"] == "16"
    assert inference.settings == {"max_in_flight": "16"}
    inference.settings.clear()
    assert inference.settings == {"max_in_flight": "16"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_in_flights", "16", r"'name' \('max_in_flights'\) must be a field of"),
        ("max_in_flight", "many", r"'max_in_flight' \('many'\) Input should be a valid integer"),
        ("log_level", "loud", r"'log_level' \('loud'\) String should match pattern"),
    ],
)
def test_rejects_a_setting_that_the_service_would_refuse(name: str, value: str, message: str) -> None:
    _, inference = _inference()
    with pytest.raises(PropsError, match=message):
        inference.add_setting(name, value)


def test_rejects_a_setting_that_is_already_set() -> None:
    _, inference = _inference()
    inference.add_setting("max_in_flight", "16")
    with pytest.raises(PropsError, match=r"'name' \('max_in_flight'\) must be a setting that is not set yet"):
        inference.add_setting("max_in_flight", "8000")


@pytest.mark.parametrize("name", OWN_SETTINGS)
def test_rejects_a_setting_that_the_manifests_set_or_rely_on(name: str) -> None:
    """Those that `settings` of a tenant in platform.yaml must not contain either."""
    _, inference = _inference()
    with pytest.raises(PropsError, match=rf"'name' \('{name}'\) must be a setting that the manifests do not set"):
        inference.add_setting(name, "1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"max_buffered_bytes": "201326592"},
            r"'max_buffered_bytes' \(201326592\) .* limit \(512Mi\).* take 552Mi; lower",
        ),
        ({"max_connections": "10000"}, r"'max_connections' \(10000\) must leave the pod below its memory limit"),
        (
            {"max_buffered_bytes": "134217728", "max_body_bytes": "6000000"},
            r"'max_body_bytes' .* must leave the pod below",
        ),
    ],
)
def test_rejects_settings_that_could_exceed_the_memory_limit(settings: dict[str, str], message: str) -> None:
    _, inference = _inference()
    *allowed, last = settings.items()
    for name, value in allowed:
        inference.add_setting(name, value)
    with pytest.raises(PropsError, match=message):
        inference.add_setting(*last)
