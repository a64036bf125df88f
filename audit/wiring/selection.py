"""Which monitors, rules and alert routes a Prometheus or an Alertmanager selects."""

from collections.abc import Mapping
from typing import Any, Final

from audit.model.inventory import Inventory
from audit.model.labels import Labels, Selector
from audit.model.objects import Object, listed, mapping
from audit.model.pods import Namespace
from audit.model.truth import NO, YES, Truth
from audit.reading import checks, policy_schema
from audit.reading.checks import InvalidError

SELECTED_BY_PROMETHEUS: Final[Mapping[str, str]] = {
    "ServiceMonitor": "serviceMonitor",
    "PodMonitor": "podMonitor",
    "Probe": "probe",
    "ScrapeConfig": "scrapeConfig",
    "PrometheusRule": "rule",
}
"""Kinds that a Prometheus selects, with the beginning of the two fields that select them."""
SELECTED_BY_ALERTMANAGER: Final[Mapping[str, str]] = {"AlertmanagerConfig": "alertmanagerConfig"}
SELECTED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "Prometheus": SELECTED_BY_PROMETHEUS,
    "Alertmanager": SELECTED_BY_ALERTMANAGER,
}


def takes(inventory: Inventory, server: Object, given: Object) -> Truth:
    """Whether a Prometheus or an Alertmanager selects an object."""
    field = SELECTED_BY[server.kind][given.kind]
    selector = selector_of(server.at("spec", f"{field}Selector"))
    # A selector that is absent selects nothing; an empty one selects everything.
    by_labels = NO if selector is None else selector.matches(object_labels(given))
    return min(by_labels, _in_namespace(inventory, server, server.at("spec", f"{field}NamespaceSelector"), given))


def _in_namespace(inventory: Inventory, server: Object, given_selector: Any, given: Object) -> Truth:
    if given_selector is None:
        return YES if given.namespace == server.namespace else NO
    selector = selector_of(given_selector)
    namespace = inventory.namespaces.get(given.namespace) or Namespace.mentioned(given.namespace)
    return NO if selector is None else selector.matches(namespace.labels)


def namespaces_of(inventory: Inventory, monitor: Object) -> list[str]:
    """The namespaces in which a monitor selects."""
    given = monitor.at("spec", "namespaceSelector")
    if not isinstance(given, dict):
        return [monitor.namespace]
    if given.get("any") is True:
        return list(inventory.namespaces)
    return [str(each) for each in listed(given.get("matchNames")) or [monitor.namespace]]


def selector_of(given: Any) -> Selector | None:
    """A label selector of an object, or None where it is absent or not valid."""
    if not isinstance(given, dict):
        return None
    try:
        return checks.selector(checks.convert(given, policy_schema.LabelSelector, ()), ())
    except InvalidError:
        return None


def object_labels(given: Object) -> Labels:
    """The labels of an object."""
    return Labels({str(key): str(value) for key, value in mapping(given.at("metadata", "labels")).items()})
