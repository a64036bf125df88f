"""The typed model of `platform.yaml`: tenants, defaults and rules. Imports no jsii."""

from constructs_lib.errors import Mistake, PlatformError
from constructs_lib.platform.access import CallerLimits, Client
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.document import Platform
from constructs_lib.platform.gateway import Gateway
from constructs_lib.platform.members import Members
from constructs_lib.platform.model_store import ModelStore
from constructs_lib.platform.receivers import (
    EmailReceiver,
    OpsgenieReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    TeamsReceiver,
    WebhookReceiver,
)
from constructs_lib.platform.settings import Dns, Monitoring, Network, PlatformSettings, Pods, Prometheus
from constructs_lib.platform.tenant import Defaults, Tenant
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout

__all__ = [
    "AlertSettings",
    "Autoscaling",
    "CallerLimits",
    "Client",
    "Defaults",
    "Dns",
    "Egress",
    "EmailReceiver",
    "Gateway",
    "Members",
    "Mistake",
    "ModelStore",
    "Monitoring",
    "Network",
    "OpsgenieReceiver",
    "PagerDutyReceiver",
    "Platform",
    "PlatformError",
    "PlatformSettings",
    "Pods",
    "Prometheus",
    "Quota",
    "Receiver",
    "Resources",
    "Rollout",
    "SlackReceiver",
    "TeamsReceiver",
    "Tenant",
    "WebhookReceiver",
]
