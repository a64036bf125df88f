"""What each consequence of a permission gives: the nodes that its holder then has."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from audit.metrics.connections import OPERATED
from audit.model.permissions import proxied
from audit.paths.graph import ANY, Kind, Node
from audit.paths.landscape import Landscape

Effect = Callable[[Landscape, str, Sequence[str]], Iterator[tuple[Node, bool]]]
"""The nodes that follow in a namespace for objects of some names (all if empty), and whether that is certain."""


def _secrets(_land: Landscape, namespace: str, names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    for name in names or (ANY,):
        yield Node(Kind.SECRET, namespace, name), True


def _accounts(land: Landscape, namespace: str, names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    for name in names:
        yield Node(Kind.ACCOUNT, namespace, name), True
    for node in () if names else land.accounts_of(namespace):
        yield node, True


def _pods(land: Landscape, namespace: str, names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    for node, server in land.operated.items():
        if node.namespace == namespace and (not names or any(f"-{server.name}-" in each for each in names)):
            yield node, True
    for node in land.pods(namespace):
        own = {node.name, *(each for pods in land.workloads[node].pods for each in pods.names)}
        if not names or not own.isdisjoint(names):
            yield node, True
        elif any(each.startswith(f"{node.name}-") for each in names):
            yield node, False  # the name of one of its pods, perhaps


def _reached(land: Landscape, namespace: str, written: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    names = [proxied(each) for each in written]
    for node, certain in _pods(land, namespace, names):
        yield Node(Kind.REACHED, node.namespace, node.name), certain
    for service in (land.services.get((namespace, name)) for name in names):
        if service is not None:
            yield from land.behind(service)
    for node, server in land.operated.items():
        if node.namespace == namespace and str(server.at("spec", "serviceName") or OPERATED) in names:
            yield Node(Kind.REACHED, namespace, node.name), True


def _whole(kind: Kind) -> Effect:
    """An effect on something that exists once per namespace."""

    def found(_land: Landscape, namespace: str, _names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
        yield Node(kind, namespace), True

    return found


def _labels(_land: Landscape, namespace: str, names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    if not names or namespace in names:
        yield Node(Kind.LABELS, namespace), True


def _nodes(_land: Landscape, _namespace: str, names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    for name in names or (ANY,):
        yield Node(Kind.NODE, "", name), True


def _node(_land: Landscape, _namespace: str, _names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    yield Node(Kind.NODE, "", ANY), True


def _cluster(_land: Landscape, _namespace: str, _names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    yield Node(Kind.CLUSTER), True


def _stores(land: Landscape, _namespace: str, _names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    """The Secrets that stores of the whole cluster read or fill; conditions of a store may exclude the namespace."""
    for store in land.inventory.of_kind("ClusterSecretStore"):
        certain = not store.at("spec", "conditions")
        provider = store.at("spec", "provider", "kubernetes")
        if isinstance(provider, dict):
            yield Node(Kind.SECRET, str(provider.get("remoteNamespace") or "default"), ANY), certain
        for each in land.filled.get(store.name, ()):
            yield Node(Kind.SECRET, each.namespace, str(each.at("spec", "target", "name") or each.name)), certain


def _applied(_land: Landscape, _namespace: str, _names: Sequence[str]) -> Iterator[tuple[Node, bool]]:
    yield Node(Kind.CLUSTER), False  # how the controller is configured decides


IN_NAMESPACES: Final[dict[str, Effect]] = {
    "administers": _whole(Kind.NAMESPACE),
    "reads-secrets": _secrets,
    "writes-secrets": _secrets,
    "reads-stores": _stores,
    "creates-tokens": _accounts,
    "runs-commands-in-pods": _pods,
    "debugs-pods": _pods,
    "connects-to-pods": _reached,
    "runs-pods": _whole(Kind.NEW_PODS),
    "labels-namespaces": _labels,
    "changes-network-policies": _whole(Kind.POLICIES),
    "redirects-services": _whole(Kind.TRAFFIC),
    "takes-addresses": _whole(Kind.TRAFFIC),
    "routes-traffic": _whole(Kind.TRAFFIC),
    "applies-manifests": _applied,
    "writes-monitors": _whole(Kind.MONITORS),
    "writes-rules": _whole(Kind.RULES),
    "routes-alerts": _whole(Kind.METRICS),
    "changes-monitoring": _whole(Kind.NEW_PODS),
    "reads-logs": _whole(Kind.LOGS),
}
"""Effects of the consequences that a Role can have. Changing quotas affects capacity only, so it has none."""
IN_CLUSTER: Final[dict[str, Effect]] = {
    "administers": _cluster,
    "reaches-kubelets": _nodes,
    "makes-volumes": _node,
    "approves-certificates": _cluster,
    "changes-admission": _cluster,
    "redirects-the-api": _cluster,
    "reads-stores": _stores,
    "applies-manifests": _applied,
}
"""Effects of the consequences of a ClusterRoleBinding that do not depend on a namespace."""
