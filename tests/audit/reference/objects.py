"""What the text speaks of: pods, namespaces, their labels, label selectors, and connections."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from tests.audit.reference.trilean import Trilean, all_of

Object = dict[str, Any]
Side = Literal["ingress", "egress"]

NAME_LABEL: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Assumptions:
    """What YAML does not say: where pods have their addresses, and whether an ipBlock covers them.

    "These should be cluster-external IPs, since Pod IPs are ephemeral and unpredictable": implementations differ.
    """

    pod_cidrs: tuple[str, ...] = ()
    ip_blocks_cover_pods: bool | None = None


@dataclass(frozen=True)
class Labels:
    """Labels of a pod or a namespace; those of a namespace that is only mentioned are not all known."""

    known: dict[str, str]
    complete: bool = True


@dataclass(frozen=True)
class Pod:
    """A pod in its namespace, or any of the pods of a Deployment.

    Attributes:
        is_one: Whether it is one pod; a pod of a Deployment may ask another pod of it.
        addresses: Its addresses, where a dump of a cluster gives them.
    """

    key: str
    is_one: bool
    namespace: str
    spec: Object
    labels: Labels
    namespace_labels: Labels
    addresses: tuple[str, ...]

    @property
    def host_network(self) -> bool:
        """Whether the pod uses its node's network."""
        return bool(self.spec.get("hostNetwork"))


Endpoint = Pod | str
"""A pod, or an address outside the cluster."""


@dataclass(frozen=True)
class Connection:
    """The one question: a source, a destination, a port of the destination and a protocol."""

    source: Endpoint
    destination: Endpoint
    port: int
    protocol: str

    def subject(self, side: Side) -> Endpoint:
        """The end whose policies are asked: the source about egress, the destination about ingress."""
        return self.source if side == "egress" else self.destination

    def peer(self, side: Side) -> Endpoint:
        """The other end."""
        return self.destination if side == "egress" else self.source


class ClusterObjects:
    """The objects of a cluster."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = objects
        self.pods = {pod.key: pod for pod in map(self._pod, self.of_kind("Pod", "Deployment"))}

    def of_kind(self, *kinds: str) -> list[Object]:
        """The objects of some kinds."""
        return [each for each in self._objects if each["kind"] in kinds]

    def _pod(self, manifest: Object) -> Pod:
        namespace = namespace_of(manifest)
        is_one = manifest["kind"] == "Pod"
        template = manifest if is_one else manifest["spec"]["template"]
        return Pod(
            key=f"{namespace}/{manifest['metadata']['name']}",
            is_one=is_one,
            namespace=namespace,
            spec=template["spec"],
            labels=Labels(template["metadata"].get("labels") or {}),
            namespace_labels=self._namespace_labels(namespace),
            addresses=tuple(each["ip"] for each in manifest.get("status", {}).get("podIPs", [])),
        )

    def _namespace_labels(self, name: str) -> Labels:
        """Labels of a namespace: the API server gives each one the label of its name."""
        described = [each for each in self.of_kind("Namespace") if each["metadata"]["name"] == name]
        labels = described[0]["metadata"].get("labels") or {} if described else {}
        return Labels(labels | {NAME_LABEL: name}, complete=bool(described))


def namespace_of(manifest: Object) -> str:
    """The namespace of an object, where none is said that of kubectl's default context."""
    return str(manifest["metadata"].get("namespace", "default"))


def selects(selector: Object, labels: Labels) -> Trilean:
    """Whether a label selector selects: "the requirements are ANDed"; an empty selector selects everything."""
    equal = [
        {"key": key, "operator": "In", "values": [value]} for key, value in (selector.get("matchLabels") or {}).items()
    ]
    return all_of(_requirement(each, labels) for each in [*equal, *(selector.get("matchExpressions") or [])])


def _requirement(requirement: Object, labels: Labels) -> Trilean:
    """In, NotIn, Exists, DoesNotExist; NotIn also selects what lacks the key."""
    key, values = requirement["key"], requirement.get("values") or []
    if key not in labels.known and not labels.complete:
        return None
    match requirement["operator"]:
        case "In":
            return key in labels.known and labels.known[key] in values
        case "NotIn":
            return key not in labels.known or labels.known[key] not in values
        case "Exists":
            return key in labels.known
        case "DoesNotExist":
            return key not in labels.known
    raise AssertionError(requirement)
