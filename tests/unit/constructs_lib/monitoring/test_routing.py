"""Receivers follow the operator's CRD; inhibition rules name existing alerts."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from constructs_lib.monitoring.routing import FOLLOWS_TARGET_DOWN, alertmanager_config_spec, inhibition_rules
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.receivers import (
    EmailReceiver,
    OpsgenieReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    TeamsReceiver,
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
    TeamsReceiver(type="msteams", secret_name=NAMED),
    OpsgenieReceiver(type="opsgenie", secret_name=NAMED, api_url="https://api.eu.opsgenie.com"),
)
RELAY = EmailReceiver(
    type="email", to="a@example.org", sender="b@example.org", smarthost="relay.mail:25", require_tls=False
)
ALERTS = {rule["alert"] for group in rule_groups("t", "s", "d", "h", AlertSettings()) for rule in group["rules"]
          if "alert" in rule}  # fmt: skip


def schema() -> Any:
    (crd,) = yaml.safe_load_all(CRD.read_text())
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def known_fields(schema: Any, value: Any) -> bool:
    """Whether a schema defines every field of a value, at any depth."""
    if isinstance(value, list):
        return all(known_fields(schema["items"], each) for each in value)
    if isinstance(value, dict):
        properties = schema["properties"]
        return all(key in properties and known_fields(properties[key], each) for key, each in value.items())
    return True


@pytest.mark.parametrize("receiver", [*RECEIVERS, RELAY], ids=lambda receiver: receiver.type)
def test_config_follows_the_crd(receiver: Receiver) -> None:
    """Each type of receiver produces fields that the CRD defines, with the right types."""
    spec = alertmanager_config_spec(receiver)
    jsonschema.Draft202012Validator(schema()).validate(spec)  # the pattern of its months is not valid in Python
    assert known_fields(schema(), spec)
    assert not known_fields(schema(), spec | {"recievers": []})


@pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda receiver: receiver.type)
def test_secret_is_referenced_and_the_route_names_the_receiver(receiver: Receiver) -> None:
    """The integration refers to the tenant's Secret by name, and the route names the only receiver."""
    spec = alertmanager_config_spec(receiver)
    assert json.dumps({"name": NAMED, "key": receiver.secret_key}) in json.dumps(spec)
    assert [each["name"] for each in spec["receivers"]] == [spec["route"]["receiver"]]
    assert "matchers" not in spec["route"]  # the operator adds one for the namespace


def test_each_type_has_its_own_integration() -> None:
    """No two types of receiver use the same integration."""
    kinds = [set(alertmanager_config_spec(each)["receivers"][0]) - {"name"} for each in RECEIVERS]
    assert kinds == [
        {"webhookConfigs"},
        {"slackConfigs"},
        {"pagerdutyConfigs"},
        {"emailConfigs"},
        {"msteamsv2Configs"},
        {"opsgenieConfigs"},
    ]


def test_inhibition_requires_an_equal_namespace_and_names_existing_alerts() -> None:
    """An alert of one tenant never inhibits one of another."""
    for rule in inhibition_rules():
        assert "namespace" in rule["equal"]
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert set(re.findall(r"Inference\w+", matcher)) <= ALERTS


def test_target_down_never_inhibits_causes() -> None:
    """A crash loop or an exhausted quota explains why nothing can be scraped."""
    assert set(FOLLOWS_TARGET_DOWN) < ALERTS
    assert not {"InferenceTargetDown", "InferencePodCrashLooping", "InferenceQuotaNearlyUsed"} & set(
        FOLLOWS_TARGET_DOWN
    )


def test_a_mail_relay_needs_neither_password_nor_tls() -> None:
    (receiver,) = alertmanager_config_spec(RELAY)["receivers"]
    (config,) = receiver["emailConfigs"]
    assert config["requireTLS"] is False
    assert not {"authUsername", "authPassword"} & config.keys()


def test_a_password_is_never_sent_without_tls() -> None:
    with pytest.raises(ValueError, match="must be true with a password"):
        EmailReceiver.model_validate(RELAY.model_dump() | {"secret_name": NAMED})
