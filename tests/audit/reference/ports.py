"""Which ports a rule's entry matches: those of the destination, by number, range or name."""

from tests.audit.reference.objects import Connection, Object


def in_network_policy(entry: Object, connection: Connection) -> bool:
    """A NetworkPolicyPort: protocol ("defaults to TCP") AND port, where absent "all port names and numbers"."""
    if entry.get("protocol", "TCP") != connection.protocol:
        return False
    if "port" not in entry:
        return True
    port: int | str = entry["port"]
    if isinstance(port, str):
        return _is_named(port, connection)
    return port <= connection.port <= int(entry.get("endPort", port))


def in_admin_policy(entry: Object, connection: Connection) -> bool:
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


def _is_named(name: str, connection: Connection) -> bool:
    """Whether the destination, where it is a pod, has a container port of that name, number and protocol."""
    if isinstance(connection.destination, str):
        return False
    spec = connection.destination.spec
    sidecars = [each for each in spec.get("initContainers", []) if each.get("restartPolicy") == "Always"]
    return any(
        (port.get("name"), port["containerPort"], _protocol(port)) == (name, connection.port, connection.protocol)
        for container in [*spec["containers"], *sidecars]
        for port in container.get("ports") or []
    )
