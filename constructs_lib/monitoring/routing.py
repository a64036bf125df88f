"""Who is told about an alert, and which alert silences which: plain dictionaries, no jsii.

Every alert carries its tenant in the label `namespace`. A tenant with a receiver gets an AlertmanagerConfig in its own
namespace, which the operator limits to alerts of that namespace (strategy OnNamespace); the platform's own receivers
get what is left. Inhibition stands once, in the platform's part, since `equal: [namespace]` serves every tenant.
"""

from typing import Any, Final, assert_never

from constructs_lib.platform.receivers import (
    EmailReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
)

FOLLOWS_TARGET_DOWN: Final = (
    "InferenceErrorBudgetBurn",
    "InferenceLatencyBudgetBurn",
    "InferenceMetricsAbsent",
    "InferenceModelDigestsDiffer",
    "InferenceModelDrift",
    "InferencePodsNotReady",
    "InferenceRequestsShed",
)
"""Alerts that say nothing new while no pod of the tenant can be scraped; causes (crash loop, quota) stay loud."""

GROUPING: Final = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
"""Wait for a problem's other alerts, tell what joins them, and remind people every four hours."""

_TITLE: Final = "[{{ .Status }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.namespace }}"
_TEXT: Final = "{{ range .Alerts }}{{ .Annotations.description }} {{ .Annotations.runbook_url }}\n{{ end }}"


def alertmanager_config_spec(receiver: Receiver) -> dict[str, Any]:
    """`spec` of the AlertmanagerConfig in the namespace of a tenant that has a receiver.

    Its Secrets are named, never written; the operator adds the matcher of the namespace.
    """
    return {
        "route": {
            "receiver": "tenant",
            "groupBy": ["alertname"],
            "groupWait": GROUPING["group_wait"],
            "groupInterval": GROUPING["group_interval"],
            "repeatInterval": GROUPING["repeat_interval"],
        },
        "receivers": [{"name": "tenant", **_integration(receiver)}],
    }


def inhibition_rules() -> list[dict[str, Any]]:
    """A page silences its ticket, and a tenant that cannot be scraped silences what follows from it."""
    return [
        {
            "source_matchers": ['severity = "critical"'],
            "target_matchers": ['severity =~ "warning|info"'],
            "equal": ["namespace", "alertname"],
        },
        {
            "source_matchers": ['alertname = "InferenceTargetDown"', 'severity = "critical"'],
            "target_matchers": [f'alertname =~ "{"|".join(FOLLOWS_TARGET_DOWN)}"'],
            "equal": ["namespace"],
        },
    ]


def _integration(receiver: Receiver) -> dict[str, Any]:
    secret = {"name": receiver.secret_name, "key": receiver.secret_key}
    resolved = {"sendResolved": receiver.send_resolved}
    match receiver:
        case WebhookReceiver():
            return {"webhookConfigs": [{"urlSecret": secret, **resolved}]}
        case SlackReceiver():
            return {
                "slackConfigs": [
                    {"apiURL": secret, "channel": receiver.channel, "title": _TITLE, "text": _TEXT, **resolved}
                ]
            }
        case PagerDutyReceiver():
            return {"pagerdutyConfigs": [{"routingKey": secret, "description": _TITLE, **resolved}]}
        case EmailReceiver():
            return {
                "emailConfigs": [
                    {
                        "to": receiver.to,
                        "from": receiver.sender,
                        "smarthost": receiver.smarthost,
                        "authUsername": receiver.sender,
                        "authPassword": secret,
                        **resolved,
                    }
                ]
            }
        case _:
            assert_never(receiver)
