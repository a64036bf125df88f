"""Receivers and inhibition: what the operator's CRD takes, and alerts that exist."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from constructs_lib.monitoring.alerts import rule_groups
from constructs_lib.monitoring.routing import FOLLOWS_TARGET_DOWN, alertmanager_config_spec, inhibition_rules
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.receivers import (
    EmailReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
)
from tests.paths import ROOT

CRD = ROOT / "imports" / "crds" / "alertmanagerconfig.yaml"
NAMED = "the-secret"
RECEIVERS: tuple[Receiver, ...] = (
    WebhookReceiver(type="webhook", secret_name=NAMED),
    SlackReceiver(type="slack", secret_name=NAMED, channel="#alerts"),
    PagerDutyReceiver(type="pagerduty", secret_name=NAMED),
    EmailReceiver(
        type="email", secret_name=NAMED, to="a@example.org", sender="b@example.org", smarthost="mx.example:587"
    ),
)
ALERTS = {rule["alert"] for group in rule_groups("t", "s", "d", "h", AlertSettings()) for rule in group["rules"]
          if "alert" in rule}  # fmt: skip


def schema() -> Any:
    (crd,) = yaml.safe_load_all(CRD.read_text())
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def known_fields(schema: Any, value: Any) -> bool:
    """Whether a schema knows every field of a value, at any depth."""
    if isinstance(value, list):
        return all(known_fields(schema["items"], each) for each in value)
    if isinstance(value, dict):
        properties = schema["properties"]
        return all(key in properties and known_fields(properties[key], each) for key, each in value.items())
    return True


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda receiver: receiver.type)
def test_config_follows_the_crd(receiver: Receiver) -> None:
    """Each kind of receiver becomes fields that the operator knows, of the right types."""
    spec = alertmanager_config_spec(receiver)
    jsonschema.Draft202012Validator(schema()).validate(spec)  # its months hold an expression that Python lacks
    assert known_fields(schema(), spec)
    assert not known_fields(schema(), spec | {"recievers": []})


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda receiver: receiver.type)
def test_secret_is_named_and_the_route_leads_to_the_receiver(receiver: Receiver) -> None:
    """The integration reads its secret from the tenant's Secret, and the route names the one receiver."""
    spec = alertmanager_config_spec(receiver)
    assert json.dumps({"name": NAMED, "key": receiver.secret_key}) in json.dumps(spec)
    assert [each["name"] for each in spec["receivers"]] == [spec["route"]["receiver"]]
    assert "matchers" not in spec["route"]  # the operator adds the namespace's; one of ours could only hide alerts


def test_kinds_differ() -> None:
    """No kind is sent by another's integration."""
    kinds = [set(alertmanager_config_spec(each)["receivers"][0]) - {"name"} for each in RECEIVERS]
    assert kinds == [{"webhookConfigs"}, {"slackConfigs"}, {"pagerdutyConfigs"}, {"emailConfigs"}]


def test_inhibition_stays_within_a_tenant_and_names_alerts_that_exist() -> None:
    """Every rule demands an equal namespace, and spells alerts as they are."""
    for rule in inhibition_rules():
        assert "namespace" in rule["equal"]
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert set(re.findall(r"Inference\w+", matcher)) <= ALERTS


def test_causes_are_never_silenced_by_a_target_down() -> None:
    """A crash loop or a full quota explains why nothing can be scraped."""
    assert set(FOLLOWS_TARGET_DOWN) < ALERTS
    assert not {"InferenceTargetDown", "InferencePodCrashLooping", "InferenceQuotaNearlyUsed"} & set(
        FOLLOWS_TARGET_DOWN
    )
