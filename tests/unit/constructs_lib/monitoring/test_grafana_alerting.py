"""The alerting that Grafana provisions follows the format of Grafana's provisioning files.

The schema lists the fields that Grafana 13 reads (`pkg/services/provisioning/alerting` in grafana/grafana). Grafana
does not start with a file that it cannot read.
"""

from typing import Any, Final

import jsonschema
import pytest
import yaml

from tests.paths import ROOT

GRAFANA: Final[dict[str, Any]] = yaml.safe_load(
    (ROOT / "terraform" / "platform" / "values" / "kube-prometheus-stack.yaml").read_text()
)["grafana"]
FILES: Final[dict[str, Any]] = GRAFANA["alerting"]
TEXT: Final = {"type": "string", "minLength": 1}
DURATION: Final = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w|y))+$"}
LABELS: Final = {"type": "object", "additionalProperties": {"type": "string"}}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Schema of an object with these fields and no others."""
    fields = required | (optional or {})
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def items(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 1}


QUERY = closed(
    {
        "refId": TEXT,
        "datasourceUid": TEXT,
        "model": {"type": "object", "required": ["refId"]},
    },
    {
        "queryType": TEXT,
        "relativeTimeRange": closed({"from": {"type": "integer", "minimum": 1}, "to": {"type": "integer"}}),
    },
)
RULE = closed(
    {
        "uid": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"},
        "title": TEXT,
        "condition": TEXT,
        "data": items(QUERY),
    },
    {
        "noDataState": {"enum": ["Alerting", "NoData", "OK", "KeepLast"]},
        "execErrState": {"enum": ["Alerting", "Error", "OK", "KeepLast"]},
        "for": DURATION,
        "keepFiringFor": DURATION,
        "annotations": LABELS,
        "labels": LABELS,
        "isPaused": {"type": "boolean"},
    },
)
VERSION = {"apiVersion": {"const": 1}}
ORGANIZATION = {"orgId": {"type": "integer", "minimum": 1}}
SCHEMAS: Final = {
    "contactpoints.yaml": closed(
        VERSION
        | {
            "contactPoints": items(
                closed(
                    ORGANIZATION
                    | {
                        "name": TEXT,
                        "receivers": items(
                            closed(
                                {"uid": TEXT, "type": TEXT, "settings": {"type": "object", "minProperties": 1}},
                                {"disableResolveMessage": {"type": "boolean"}},
                            )
                        ),
                    }
                )
            )
        }
    ),
    "policies.yaml": closed(
        VERSION
        | {
            "policies": items(
                closed(
                    ORGANIZATION | {"receiver": TEXT},
                    {
                        "group_by": items(TEXT),
                        "group_wait": DURATION,
                        "group_interval": DURATION,
                        "repeat_interval": DURATION,
                        "routes": {"type": "array"},
                    },
                )
            )
        }
    ),
    "rules.yaml": closed(
        VERSION
        | {
            "groups": items(
                closed(ORGANIZATION | {"name": TEXT, "folder": TEXT, "interval": DURATION, "rules": items(RULE)})
            )
        }
    ),
}
RULES: Final = {rule["title"]: rule for group in FILES["rules.yaml"]["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_file_follows_the_provisioning_format(name: str) -> None:
    """Every field is one that Grafana reads, with the right type."""
    assert set(FILES) == set(SCHEMAS)
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(FILES[name])


def test_schema_rejects_unknown_fields() -> None:
    """A misspelt field, which Grafana would ignore, fails the test above."""
    with pytest.raises(jsonschema.ValidationError, match="receivr"):
        jsonschema.Draft202012Validator(SCHEMAS["policies.yaml"]).validate(
            {"apiVersion": 1, "policies": [{"orgId": 1, "receiver": "platform", "receivr": "x"}]}
        )


def test_policy_uses_the_contact_point() -> None:
    """Notifications go to the contact point that is provisioned."""
    (policy,) = FILES["policies.yaml"]["policies"]
    assert policy["receiver"] in {each["name"] for each in FILES["contactpoints.yaml"]["contactPoints"]}


def test_address_is_read_from_a_secret() -> None:
    """The values name the Secret; the address itself is an environment variable that Grafana fills in."""
    (contact_point,) = FILES["contactpoints.yaml"]["contactPoints"]
    (receiver,) = contact_point["receivers"]
    name = receiver["settings"]["url"].removeprefix("$")
    assert receiver["settings"] == {"url": f"${name}"}
    assert GRAFANA["envValueFrom"][name] == {"secretKeyRef": {"name": "grafana-alerts", "key": "url"}}


@pytest.mark.parametrize("title", RULES)
def test_rule_evaluates_a_query_of_prometheus(title: str) -> None:
    """The condition is the threshold on the query, and both data sources exist."""
    query, threshold = RULES[title]["data"]
    assert (query["datasourceUid"], threshold["datasourceUid"]) == ("prometheus", "__expr__")
    assert RULES[title]["condition"] == threshold["refId"] == threshold["model"]["refId"]
    assert threshold["model"]["expression"] == query["refId"] == query["model"]["refId"]
    assert RULES[title]["labels"]["severity"] == "critical"
    assert len({rule["uid"] for rule in RULES.values()}) == len(RULES)


def test_rules_fire_without_data() -> None:
    """One rule fires when Prometheus does not answer; the others when their series is missing."""
    assert RULES["PrometheusDoesNotAnswer"]["execErrState"] == "Alerting"
    assert {rule["noDataState"] for rule in RULES.values()} == {"Alerting"}
    assert set(RULES) == {"PrometheusDoesNotAnswer", "PrometheusDoesNotEvaluateRules", "AlertmanagerDoesNotAnswer"}
