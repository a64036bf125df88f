"""Alertmanager's configuration as the operator generates it from the Helm values and AlertmanagerConfigs."""

from typing import Any

from ruamel.yaml import YAML

from constructs_lib.monitoring.routing import alertmanager_config_spec
from constructs_lib.platform.receivers import WebhookReceiver
from tests.paths import ROOT

VALUES = ROOT / "terraform" / "platform" / "values" / "kube-prometheus-stack.yaml"
_SNAKE = {
    "groupBy": "group_by",
    "groupWait": "group_wait",
    "groupInterval": "group_interval",
    "repeatInterval": "repeat_interval",
}


def values() -> dict[str, Any]:
    """The Helm values that Terraform passes."""
    loaded: dict[str, Any] = YAML(typ="safe").load(VALUES)
    return loaded


def operator_config(
    tenants: dict[str, str], platform: str = "http://127.0.0.1:9/", *, immediate: bool = False
) -> dict[str, Any]:
    """The complete configuration: that of the Helm values, preceded by the routes and receivers of tenants.

    Like the Prometheus Operator (strategy OnNamespace), it adds to a tenant's route a matcher for its namespace and
    `continue: true`, and names its receiver `<namespace>/<object>/<name>`.

    Args:
        tenants: address of each tenant's webhook, by tenant.
        platform: address of the webhook of the platform's receiver.
        immediate: notify without waiting for further alerts of the group.
    """
    config: dict[str, Any] = values()["alertmanager"]["config"]
    routes, receivers = [], []
    for tenant, url in tenants.items():
        spec = alertmanager_config_spec(WebhookReceiver(type="webhook", secret_name="alerts"))  # noqa: S106 - a name
        route = {_SNAKE.get(key, key): value for key, value in spec["route"].items()}
        name = f"{tenant}/{tenant}-ml-inference/{route['receiver']}"
        routes.append(route | {"receiver": name, "matchers": [f'namespace="{tenant}"'], "continue": True})
        receivers.append({"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]})
    own = [each | ({"webhook_configs": [{"url": platform}]} if each["name"] == "platform" else {})
           for each in config["receivers"]]  # fmt: skip
    route = config["route"] | {"routes": [*routes, *config["route"]["routes"]]}
    if immediate:
        waits = {"group_wait": "0s", "group_interval": "1s"}
        route = route | waits | {"routes": [each | waits for each in route["routes"]]}
    return config | {"route": route, "receivers": [*own, *receivers]}
