"""References to pods, nodes, Services and addresses, resolved against what the input holds."""

import difflib
import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from audit.assumptions import Assumptions
from audit.engine.endpoints import Endpoint, Kind
from audit.errors import EndpointError
from audit.model.addresses import Address, Addresses, single
from audit.model.inventory import Inventory
from audit.model.labels import NOT_KNOWN, Labels
from audit.model.pods import Namespace, Pods, Workload
from audit.model.services import Service

_LABELS: Final = re.compile(r"\[(.*)\]\Z")
_SERVICE: Final = {"service", "svc"}
_UNKNOWN: Final = Namespace("", NOT_KNOWN)
_SHOWN: Final = 8
_FORMS: Final = (
    "write NAMESPACE/NAME or NAMESPACE/KIND/NAME, NAMESPACE/* or NAMESPACE/[key=value] for a pod that does not exist "
    "yet, NAMESPACE/service/NAME, node, or an address"
)


class References:
    """Finds what a text means in one cluster."""

    def __init__(self, inventory: Inventory, assumptions: Assumptions) -> None:
        self._inventory = inventory
        self._assumptions = assumptions
        self._by_name: dict[tuple[str, str], list[Workload]] = defaultdict(list)
        self._by_pod: dict[tuple[str, str], tuple[Workload, Pods]] = {}
        self._by_address: dict[Address, tuple[Workload, Pods]] = {}
        for workload in inventory.workloads:
            self._by_name[workload.namespace, workload.name].append(workload)
            for pods in workload.pods:
                self._by_pod |= {(workload.namespace, name): (workload, pods) for name in pods.names}
                if not pods.host_network:
                    self._by_address |= dict.fromkeys(pods.addresses, (workload, pods))

    def endpoints(self, text: str) -> list[Endpoint]:
        """The endpoints that a reference means: several where the pods of a workload differ.

        Raises:
            EndpointError: It means nothing in the input, or several things.
        """
        address = _address(text)
        if address is not None:
            return [self._at(address, text)]
        if text == "node" or text.startswith("node/"):
            return [self._node(text)]
        parts = text.split("/", 1)
        if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - a namespace and a name
            raise EndpointError(f"{text!r} is not a reference: {_FORMS}")
        namespace, name = parts
        if name == "*":
            return [self._new(namespace, text, NOT_KNOWN, open_ports=True)]
        labels = _LABELS.match(name)
        if labels:
            return [self._new(namespace, text, Labels(_pairs(labels[1], text)), open_ports=False)]
        return list(self._pods(namespace, name, text))

    def service(self, text: str) -> Service | None:
        """The Service that a reference means, or None where it means something else.

        Raises:
            EndpointError: It names a Service that the input does not hold.
        """
        parts = text.split("/")
        address = _address(text)
        for each in self._inventory.services:
            if address is not None and address in each.cluster_ips:
                return each
            if len(parts) == 3 and parts[1].lower() in _SERVICE and (each.namespace, each.name) == (parts[0], parts[2]):  # noqa: PLR2004
                return each
        if len(parts) == 3 and parts[1].lower() in _SERVICE:  # noqa: PLR2004 - namespace, kind, name
            names = [f"{each.namespace}/service/{each.name}" for each in self._inventory.services]
            raise EndpointError(f"Service {text!r} is not in the input{_similar(text, names)}")
        return None

    def check_namespace(self, name: str) -> None:
        """Whether the input has a namespace.

        Raises:
            EndpointError: It does not.
        """
        if name not in self._inventory.namespaces:
            names = sorted(self._inventory.namespaces)
            hint = _similar(name, names) or f"; it has {', '.join(names[:_SHOWN])}"
            raise EndpointError(f"namespace {name!r} is not in the input{hint}")

    def of_workload(self, workload: Workload) -> list[Endpoint]:
        """The endpoints of a workload."""
        return [_endpoint(workload, pods) for pods in workload.pods]

    def backend(self, address: Address) -> Endpoint:
        """The endpoint behind an address of a Service."""
        return self._at(address, str(address))

    def _pods(self, namespace: str, name: str, text: str) -> Iterator[Endpoint]:
        kind, slash, rest = name.partition("/")
        found = self._by_name.get((namespace, rest if slash else name), [])
        if slash:
            found = [each for each in found if each.kind.lower() == kind.lower()]
        if len(found) > 1:
            kinds = ", ".join(f"{namespace}/{each.kind}/{each.name}" for each in found)
            raise EndpointError(f"{text!r} is ambiguous: name one of {kinds}")
        if found:
            yield from self.of_workload(found[0])
            return
        pod = self._by_pod.get((namespace, rest if slash and kind.lower() == "pod" else name))
        if pod is None:
            raise EndpointError(self._unknown(namespace, text))
        yield _endpoint(pod[0], replace(pod[1], names=(name.rpartition("/")[2],)))

    def _unknown(self, namespace: str, text: str) -> str:
        if namespace not in self._inventory.namespaces:
            names = list(self._inventory.namespaces)
            return f"{text!r}: namespace {namespace!r} is not in the input{_similar(namespace, names)}"
        references = [each.reference for each in self._inventory.workloads if each.namespace == namespace]
        hint = _similar(text, references)
        if not hint and references:
            hint = f"; namespace {namespace} has {', '.join(sorted(references)[:_SHOWN])}"
        return f"workload or pod {text!r} is not in the input{hint}"

    def _new(self, namespace: str, text: str, labels: Labels, *, open_ports: bool) -> Endpoint:
        """A pod that does not exist yet; its namespace need not exist either."""
        found = self._inventory.namespaces.get(namespace) or Namespace.mentioned(namespace)
        found = _UNKNOWN if namespace == "*" else found
        return Endpoint(Kind.PODS, text, Pods(found, labels, open_ports=open_ports))

    def _node(self, text: str) -> Endpoint:
        name = text.removeprefix("node").removeprefix("/")
        if not name:
            return Endpoint(Kind.NODE, "node", labels=NOT_KNOWN)
        for node in self._inventory.nodes:
            if node.name == name:
                return Endpoint(Kind.NODE, text, None, _set(node.addresses), node.labels)
        names = [each.name for each in self._inventory.nodes]
        raise EndpointError(f"Node {name!r} is not in the input{_similar(name, names)}; 'node' means any")

    def _at(self, address: Address, text: str) -> Endpoint:
        """What has an address: a pod, a node, something outside."""
        known = self._by_address.get(address)
        if known is not None:
            return _endpoint(*known)
        for node in self._inventory.nodes:
            if address in node.addresses:
                return Endpoint(Kind.NODE, f"node/{node.name}", None, single(address), node.labels)
        if address in self._assumptions.node_cidrs:
            return Endpoint(Kind.NODE, f"node {text}", None, single(address))
        if address in self._assumptions.pod_cidrs:
            pods = Pods(_UNKNOWN, NOT_KNOWN, open_ports=True, addresses=(address,))
            return Endpoint(Kind.PODS, f"pod {text}", pods)
        if address in self._assumptions.service_cidrs:
            raise EndpointError(f"{text} is in --service-cidr, and no Service of the input has it: name the Service")
        return Endpoint(Kind.ADDRESS, text, None, single(address))


def _endpoint(workload: Workload, pods: Pods) -> Endpoint:
    one = f"{workload.namespace}/{pods.names[0]}" if len(pods.names) == 1 else ""
    own = one if len(workload.pods) > 1 and one else workload.reference
    return Endpoint(Kind.PODS, own, pods, single=one)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _set(addresses: Sequence[Address]) -> Addresses:
    result = Addresses()
    for address in addresses:
        result |= single(address)
    return result


def _pairs(text: str, reference: str) -> dict[str, str]:
    result: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise EndpointError(f"{reference!r}: {pair!r} is not key=value")
        result[key] = value
    return result


def _similar(text: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""
