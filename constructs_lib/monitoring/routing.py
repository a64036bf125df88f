"""Alert routing: which receiver gets an alert, and which alert inhibits which. Plain dictionaries, no jsii.

Every alert carries its tenant in the label `namespace`. A tenant with a receiver gets an AlertmanagerConfig in its own
namespace; the Prometheus Operator limits it to alerts of that namespace (strategy OnNamespace). The platform's
receivers get all other alerts. The inhibition rules are part of the platform's configuration and apply to every tenant,
because they require an equal `namespace`.
"""

from typing import Any, Final, assert_never

from constructs_lib.platform.receivers import (
    EmailReceiver,
    OpsgenieReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    TeamsReceiver,
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
"""Consequences of a tenant whose pods cannot be scraped. Causes (crash loop, quota) are never inhibited."""

SAME_CAUSE: Final = {
    "InferenceAutoscalerAtMaximum": ("KubeHpaMaxedOut",),
    "InferenceCPUThrottling": ("CPUThrottlingHigh",),
    "InferencePodCrashLooping": ("KubePodCrashLooping",),
    "InferencePodsNotReady": (
        "KubeContainerWaiting",
        "KubeDeploymentReplicasMismatch",
        "KubeDeploymentRolloutStuck",
        "KubeHpaReplicasMismatch",
        "KubePdbNotEnoughHealthyPods",
        "KubePodCrashLooping",
        "KubePodNotReady",
    ),
    "InferenceQuotaNearlyUsed": ("KubeQuotaAlmostFull", "KubeQuotaExceeded", "KubeQuotaFullyUsed"),
    "InferenceTargetDown": ("TargetDown",),
}
"""Alerts of kube-prometheus-stack that report the same cause as an alert of a tenant, in the tenant's namespace."""

GROUPING: Final = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
"""How long Alertmanager waits for further alerts of a group, and how often it repeats a notification."""

_TITLE: Final = "[{{ .Status }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.namespace }}"
_TEXT: Final = "{{ range .Alerts }}{{ .Annotations.description }} {{ .Annotations.runbook_url }}\n{{ end }}"


def alertmanager_config_spec(receiver: Receiver) -> dict[str, Any]:
    """`spec` of the AlertmanagerConfig in the namespace of a tenant that has a receiver.

    It refers to Secrets by name. The operator adds a matcher for the namespace.
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
    """Inhibition rules: a page inhibits its ticket, and a cause its consequences.

    An alert of a tenant also inhibits the chart's alerts about the same cause.
    """
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
        *(
            {
                "source_matchers": [f'alertname = "{ours}"'],
                "target_matchers": [f'alertname =~ "{"|".join(others)}"'],
                "equal": ["namespace"],
            }
            for ours, others in SAME_CAUSE.items()
        ),
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
        case TeamsReceiver():
            return {"msteamsv2Configs": [{"webhookURL": secret, "title": _TITLE, "text": _TEXT, **resolved}]}
        case OpsgenieReceiver():
            address = {"apiURL": receiver.api_url} if receiver.api_url else {}
            return {
                "opsgenieConfigs": [
                    {"apiKey": secret, "message": _TITLE, "description": _TEXT, **address, **resolved},
                ]
            }
        case EmailReceiver():
            login = {"authUsername": receiver.sender, "authPassword": secret} if receiver.secret_name else {}
            return {
                "emailConfigs": [
                    {
                        "to": receiver.to,
                        "from": receiver.sender,
                        "smarthost": receiver.smarthost,
                        **login,
                        **({} if receiver.require_tls else {"requireTLS": False}),
                        **resolved,
                    }
                ]
            }
        case _:
            assert_never(receiver)
