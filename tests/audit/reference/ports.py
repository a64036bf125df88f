"""Which ports a rule's entry matches: those of the destination, by number, range or name."""

from tests.audit.reference.objects import Connection, Object
from tests.audit.reference.trilean import Trilean


def in_network_policy(entry: Object, connection: Connection) -> Trilean:
    """A NetworkPolicyPort: protocol ("defaults to TCP") AND port, where absent "all port names and numbers"."""
    if entry.get("protocol", "TCP") != connection.protocol:
        return False
    if "port" not in entry:
        return True
    port: int | str = entry["port"]
    if isinstance(port, str):
        return _is_named(port, connection)
    return port <= connection.port <= int(entry.get("endPort", port))


def in_admin_policy(entry: Object, connection: Connection) -> Trilean:
    """An AdminNetworkPolicyPort (v1alpha1) or a ClusterNetworkPolicyProtocol (v1alpha2): one field of several."""
    ((kind, match),) = entry.items()
    match kind:
        case "namedPort" | "destinationNamedPort":
            return _is_named(match, connection)
        case "portNumber":
            return _protocol(match) == connection.protocol and match["port"] == connection.port
        case "portRange":
            return _protocol(match) == connection.protocol and match["start"] <= connection.port <= match["end"]
        case "tcp" | "udp" | "sctp":
            port = match["destinationPort"]
            low, high = (port["range"]["start"], port["range"]["end"]) if "range" in port else (port["number"],) * 2
            return kind.upper() == connection.protocol and low <= connection.port <= high
    raise AssertionError(entry)


def _protocol(entry: Object) -> str:
    """The protocol of v1alpha1: "if not specified, this field defaults to TCP"."""
    return str(entry.get("protocol", "TCP"))


def _is_named(name: str, connection: Connection) -> Trilean:
    """Whether the destination, where it is a pod, has a container port of that name, number and protocol.

    "Each named port in a pod must have a unique name": maybe, where containers share one for several numbers. Maybe
    also for a port of an init container that ends before the others start.
    """
    if isinstance(connection.destination, str):
        return False
    spec = connection.destination.spec
    init = spec.get("initContainers", [])
    sidecars = [each for each in init if each.get("restartPolicy") == "Always"]
    numbers = _numbers([*spec["containers"], *sidecars], name, connection.protocol)
    if connection.port in numbers:
        return True if len(numbers) == 1 else None
    return None if connection.port in _numbers(init, name, connection.protocol) else False


def _numbers(containers: list[Object], name: str, protocol: str) -> set[int]:
    ports = [port for each in containers for port in each.get("ports") or []]
    return {port["containerPort"] for port in ports if (port.get("name"), _protocol(port)) == (name, protocol)}
