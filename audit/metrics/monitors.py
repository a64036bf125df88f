"""What a monitor may do beyond its own namespace: scrape others, and set labels by which others are known."""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.metrics.rules import found
from audit.metrics.servers import Servers
from audit.model.finding import Finding
from audit.model.inventory import Inventory
from audit.model.objects import Object, listed, mapping, mappings
from audit.model.place import Place

ENDPOINTS: Final = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}
"""Kinds that scrape Services and pods, with the field of what they scrape."""
PROTECTED: Final = ("namespace", "tenant", "job")
"""Labels that say whose series they are."""
_OF_TARGETS: Final = ("namespace", "job")
"""Those that Prometheus itself gives to what it scrapes."""
_INTERNAL: Final = ("__address__", "__scheme__", "__metrics_path__")
_FILES: Final = (("bearerTokenFile",), ("tlsConfig", "caFile"), ("tlsConfig", "certFile"), ("tlsConfig", "keyFile"))
_REDIRECTS: Final = ("proxyUrl", "oauth2")
_OF_KUBERNETES: Final = "__meta_kubernetes_"
_COPIES: Final = re.compile(rf"{_OF_KUBERNETES}\w*\(\.[*+]\)")
"""Patterns of `labelmap` that copy what Kubernetes says of a target: its names end with a letter or digit, unlike the
internal labels."""
_SETS_NOTHING: Final = {"keep", "drop", "keepequal", "dropequal"}
_REFERENCE: Final = re.compile(r"\$(?:\w+|\{\w+\})")
"""A group of the rule's pattern, in the name of the label that it sets."""


def monitor_findings(inventory: Inventory, servers: Servers) -> Iterator[Finding]:
    """What the monitors of the input may do that only the platform should.

    Without a Prometheus in the input, every monitor counts as selected, and no setting of a Prometheus protects. Those
    in the namespace of a Prometheus are the platform's own.
    """
    for kind, field in ENDPOINTS.items():
        for each in inventory.of_kind(kind):
            if servers.concern(each):
                yield from _monitor(each, field, servers)
    for each in inventory.of_kind("Probe", "ScrapeConfig"):
        if servers.concern(each):
            yield from _free_targets(each, servers)


def _found(monitor: Object, rule: str, place: Place, message: str) -> Finding:
    return found(rule, place, namespace=monitor.namespace, subject=monitor.reference, message=message)


def _monitor(monitor: Object, field: str, servers: Servers) -> Iterator[Finding]:
    yield from _other_namespaces(monitor, ("spec", "namespaceSelector"), servers)
    for field_of_labels in ("targetLabels", "podTargetLabels"):
        for index, label in enumerate(listed(monitor.at("spec", field_of_labels))):
            if label in PROTECTED and not servers.enforce(monitor, str(label)):
                place = monitor.place.at("spec", field_of_labels, index)
                message = f"it copies the label {label} of its targets, so anyone who labels them chooses it"
                yield _found(monitor, "metrics-sets-label", place, message)
    for index, endpoint in enumerate(mappings(monitor.at("spec", field))):
        yield from _endpoint(monitor, endpoint, monitor.place.at("spec", field, index), servers)


def _other_namespaces(monitor: Object, path: tuple[str, ...], servers: Servers) -> Iterator[Finding]:
    selector = mapping(monitor.at(*path))
    others = [str(each) for each in listed(selector.get("matchNames")) if each != monitor.namespace]
    if not (selector.get("any") is True or others) or servers.all_have(monitor, "ignoreNamespaceSelectors"):
        return
    where = "every namespace" if selector.get("any") is True else f"namespaces {', '.join(others)}"
    yield _found(monitor, "metrics-other-namespace", monitor.place.at(*path), f"it makes Prometheus scrape {where}")


def _endpoint(monitor: Object, endpoint: Mapping[str, Any], at: Place, servers: Servers) -> Iterator[Finding]:
    honours = endpoint.get("honorLabels") is True
    if honours and not (servers.all_have(monitor, "overrideHonorLabels") or servers.enforce(monitor, "namespace")):
        text = "what it scrapes may set labels such as namespace, and so forge the metrics of others (honorLabels)"
        yield _found(monitor, "metrics-honor-labels", at.at("honorLabels"), text)
    for name in ("relabelings", "metricRelabelings"):
        for step, rule in enumerate(mappings(endpoint.get(name))):
            yield from _relabelling(monitor, rule, name, at.at(name, step), servers)
    for path in _FILES:
        value = endpoint.get(path[0]) if len(path) == 1 else mapping(endpoint.get(path[0])).get(path[1])
        if value and not servers.all_have(monitor, "arbitraryFSAccessThroughSMs", "deny"):
            text = f"Prometheus reads the file {value} of its own pod for it, and may send it to what it scrapes"
            yield _found(monitor, "metrics-reads-files", at.at(*path), text)
    for key in _REDIRECTS:
        if endpoint.get(key):
            text = f"Prometheus connects to an address of its choice ({key})"
            yield _found(monitor, "metrics-redirects-scrape", at.at(key), text)


def _relabelling(
    monitor: Object, rule: Mapping[str, Any], name: str, place: Place, servers: Servers
) -> Iterator[Finding]:
    action = str(rule.get("action") or "replace").lower()
    target = _target(action, rule)
    # Under the prefix of Kubernetes, a rule can make a label that a later labelmap copies as an internal one.
    internal = [label for label in _INTERNAL if target.startswith(_OF_KUBERNETES) or _may_be(target, label)]
    if name == "relabelings" and internal:
        what = f"sets {target}" if target in internal else f"may set {internal[0]}"
        text = f"it {what}, so Prometheus connects to an address of its choice"
        yield _found(monitor, "metrics-redirects-scrape", place, text)
        return
    labels = [label for label in PROTECTED if _sets(action, rule, target, label, name)]
    open_labels = [label for label in labels if not servers.enforce(monitor, label)]
    # A pattern may set any label; enforcing the one of the namespace is what counts then.
    if open_labels and not ("$" in target and servers.enforce(monitor, "namespace")):
        what = f"it sets the label {target}" if target in PROTECTED else f"it may set the label {open_labels[0]}"
        yield _found(monitor, "metrics-sets-label", place, f"{what} of what it scrapes ({name}, {action})")


def _target(action: str, rule: Mapping[str, Any]) -> str:
    """The label that a rule sets, which may contain groups of its pattern, or empty."""
    if action != "labelmap":
        return "" if action in _SETS_NOTHING else str(rule.get("targetLabel") or "")
    target = str(rule.get("replacement") or "$1")
    # Without a pattern, each label is set to itself.
    harmless = not rule.get("regex") or _COPIES.fullmatch(str(rule["regex"]))
    return "" if harmless and target in {"$1", "${1}"} else target


def _sets(action: str, rule: Mapping[str, Any], target: str, label: str, name: str) -> bool:
    """Whether a relabelling rule may give a label a value of the tenant's choice, or remove it."""
    if action == "labelmap":
        return label == PROTECTED[0] and _may_be(str(rule.get("replacement") or "$1"), label)
    if action in {"labeldrop", "labelkeep"}:
        # Without the target's own label, metrics keep the one that they bring; afterwards it can only be lost.
        return name == "relabelings" and label in _OF_TARGETS and _removes(action, rule, label)
    if "$" in target:
        return label == PROTECTED[0] and _may_be(target, label)
    return target == label


def _may_be(target: str, label: str) -> bool:
    """Whether the name of a label that a rule sets, which may contain groups of its pattern, may be this one."""
    return re.fullmatch(".*".join(map(re.escape, _REFERENCE.split(target))), label) is not None


def _removes(action: str, rule: Mapping[str, Any], label: str) -> bool:
    """Whether `labeldrop` or `labelkeep` removes a label, or may do so where Python cannot read the pattern."""
    with warnings.catch_warnings():
        # Of classes such as [[:alpha:]], which mean something else in Python.
        warnings.simplefilter("error", FutureWarning)
        try:
            matched = re.fullmatch(str(rule.get("regex") or "(.*)"), label) is not None
        except (re.error, FutureWarning):
            return True
    return matched is (action == "labeldrop")


def _free_targets(given: Object, servers: Servers) -> Iterator[Finding]:
    """Probes and ScrapeConfigs, which name their targets themselves."""
    if given.kind == "Probe":
        yield from _other_namespaces(given, ("spec", "targets", "ingress", "namespaceSelector"), servers)
        static = given.at("spec", "targets", "staticConfig", "static")
        prober = given.at("spec", "prober", "url")
        if static or prober:
            place = given.place.at("spec", "targets", "staticConfig") if static else given.place.at("spec", "prober")
            text = "it makes Prometheus connect to addresses that it names itself"
            yield _found(given, "metrics-any-target", place, text)
        return
    text = "it makes Prometheus connect to targets that it names itself, with labels that it chooses"
    yield _found(given, "metrics-any-target", given.place.at("spec"), text)
