"""Connections to a Prometheus through the API server or the kubelets, past every network policy."""

import re
from collections.abc import Iterator
from typing import Final

from audit.cluster import Cluster
from audit.engine.answer import Verdict
from audit.metrics.servers import listens, pods_of
from audit.model.objects import Object
from audit.model.permissions import PolicyRule, proxied
from audit.model.truth import NO
from audit.permissions.consequences import ALL

OPERATED: Final = "prometheus-operated"
"""The Service that the operator makes for a Prometheus that does not name one."""
_CONSEQUENCES: Final = ("connects-to-pods", "runs-commands-in-pods", "debugs-pods", "reaches-kubelets")
_SHARD: Final = r"(-shard-\d+)?-\d+"
"""How the names of the pods of a Prometheus end."""


def connections(rule: PolicyRule, namespace: str, server: Object, cluster: Cluster) -> Iterator[tuple[str, Verdict]]:
    """The resources of a rule that connect to a Prometheus, each with whether they certainly do.

    Args:
        rule: The rule.
        namespace: Where it holds; empty for the whole cluster.
        server: The Prometheus.
        cluster: The input.
    """
    for name in _CONSEQUENCES:
        for verbs, group, resource, part in ALL[name].requests:
            # A proxy connects to the pod's address; the others connect inside the pod or on its node.
            closed = part == "proxy" and resource != "nodes" and not listens(server)
            allowed = any(rule.may_allow(verb, group, resource, part) for verb in verbs)
            if not allowed or closed or (resource == "nodes" and namespace):
                continue
            verdict = _named(rule, resource, server, cluster)
            if verdict is not Verdict.DENIED:
                yield f"{resource}/{part}", verdict


def _named(rule: PolicyRule, resource: str, server: Object, cluster: Cluster) -> Verdict:
    """Whether the names that a rule is limited to mean the Prometheus: its pods, its Services or its node."""
    if not rule.names:
        return Verdict.ALLOWED
    if resource == "nodes":
        return Verdict.UNKNOWN  # its pods may run on any node
    names = {proxied(each) for each in rule.names}
    if resource == "pods":
        ends = pods_of(server, cluster.inventory, cluster.references)
        there = {name for end in ends if end.pods is not None for name in end.pods.names}
        operated = re.compile(f"prometheus-{re.escape(server.name)}{_SHARD}")
        meant = any(each in there or operated.fullmatch(each) for each in names)
        return Verdict.ALLOWED if meant else Verdict.DENIED
    return _services(names, server, cluster)


def _services(names: set[str], server: Object, cluster: Cluster) -> Verdict:
    """Whether Services of some names lead to a Prometheus; what the input does not hold may do so."""
    if str(server.at("spec", "serviceName") or OPERATED) in names:
        return Verdict.ALLOWED
    there = {each.name: each for each in cluster.inventory.services if each.namespace == server.namespace}
    labels = [end.pods.labels for end in pods_of(server, cluster.inventory, cluster.references) if end.pods is not None]
    selectors = [there[each].selector for each in names if each in there]
    if any(selector is not None and any(selector.matches(each) is not NO for each in labels) for selector in selectors):
        return Verdict.ALLOWED
    return Verdict.UNKNOWN if names - set(there) else Verdict.DENIED
