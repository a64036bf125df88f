"""What makes pods, and the pods that it made."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from audit.model.addresses import Address
from audit.model.labels import Labels
from audit.model.place import Path, Place
from audit.model.pods import ContainerPort, Namespace, Pods, Workload
from audit.reading import checks, schema

TEMPLATES: Final = {
    ("apps", "Deployment"): ("pod-template-hash",),
    ("apps", "ReplicaSet"): (),
    ("", "ReplicationController"): (),
    ("apps", "DaemonSet"): ("controller-revision-hash", "pod-template-generation"),
    ("apps", "StatefulSet"): (
        "apps.kubernetes.io/pod-index",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
    ),
    ("batch", "Job"): ("batch.kubernetes.io/controller-uid", "controller-uid"),
    ("batch", "CronJob"): (
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    ),
}
"""Kinds with a pod template, and the labels that their controllers add with values that YAML does not say."""
POD: Final = ("", "Pod")
_TEMPLATE: Final[Path] = ("spec", "template")
_JOB_TEMPLATE: Final[Path] = ("spec", "jobTemplate", "spec", "template")
_ENDED: Final = {"Succeeded", "Failed"}


@dataclass(frozen=True, slots=True)
class Made:
    """A workload, or a pod, before pods are put to their owners.

    Attributes:
        kind: Its kind.
        namespace: Its namespace's name.
        name: Its name.
        owner: Kind and name of its controller, or None.
        pods: What it looks like to policies.
        place: Where it stands.
    """

    kind: str
    namespace: str
    name: str
    owner: tuple[str, str] | None
    pods: Pods
    place: Place = field(compare=False)


def has_template(data: dict[str, Any]) -> bool:
    """Whether an object of any kind has a pod template."""
    template = _inside(data, _TEMPLATE)
    return isinstance(template, dict) and isinstance(_inside(template, ("spec", "containers")), list)


def made(key: tuple[str, str], data: dict[str, Any], namespace: Namespace, name: str, place: Place) -> Made | None:
    """A workload or a pod from plain data, or None for a pod that has ended.

    Args:
        key: API group and kind.
        data: The object.
        namespace: Its namespace.
        name: Its name.
        place: Where it stands.

    Raises:
        InvalidError: The API server would reject it.
    """
    metadata = checks.convert(data.get("metadata") or {}, schema.Metadata, ("metadata",))
    path: Path = () if key == POD else _JOB_TEMPLATE if key[1] == "CronJob" else _TEMPLATE
    template = checks.convert(_inside(data, path) or {}, schema.PodTemplate, path)
    status = schema.PodStatus()
    if key == POD:
        status = checks.convert(data.get("status") or {}, schema.PodStatus, ("status",))
        if status.phase in _ENDED:
            return None
    spec = template.spec or schema.PodSpec()
    given = template.metadata.labels if template.metadata else None
    labels = checks.labels(given, (*path, "metadata", "labels"))
    if key == ("batch", "Job"):
        labels |= {"job-name": name, "batch.kubernetes.io/job-name": name}
    known_kind = key == POD or key in TEMPLATES
    added = frozenset(TEMPLATES.get(key, ())).difference(labels)
    pods = Pods(
        namespace=namespace,
        labels=Labels(labels, added, open=not known_kind),
        ports=tuple(_ports(spec, (*path, "spec"))),
        host_network=spec.host_network or False,
        addresses=_addresses([status.pod_ip, *(each.ip for each in status.pod_ips or ())]),
        node_addresses=_addresses([status.host_ip, *(each.ip for each in status.host_ips or ())]),
        names=(name,) if key == POD else (),
    )
    owners = [(each.kind, each.name) for each in metadata.owner_references or () if each.controller]
    return Made(key[1], namespace.name, name, owners[0] if owners else None, pods, place)


def workloads(found: Iterable[Made]) -> Iterator[Workload]:
    """Workloads with the pods that they own; pods whose owner is not in the input stand under its name."""
    by_key = {(each.kind, each.namespace, each.name): each for each in found}
    members: dict[tuple[str, str, str], list[Made]] = defaultdict(list)
    for each in by_key.values():
        members[_root(each, by_key)].append(each)
    for (kind, namespace, name), parts in members.items():
        root = by_key.get((kind, namespace, name), parts[0])
        own = [part.pods for part in parts if part.kind == "Pod"]
        pods = own or [root.pods]
        yield Workload(kind, namespace, name, tuple(_grouped(pods)), root.kind == "Pod" == kind, root.place)


def _root(made: Made, by_key: dict[tuple[str, str, str], Made]) -> tuple[str, str, str]:
    """The topmost owner; an owner that the input lacks still gives its name."""
    key = (made.kind, made.namespace, made.name)
    for _level in range(len(by_key)):
        current = by_key.get(key)
        if current is None or current.owner is None:
            return key
        key = (current.owner[0], current.namespace, current.owner[1])
        if key == (made.kind, made.namespace, made.name):
            return key
    return key


def _grouped(pods: list[Pods]) -> Iterator[Pods]:
    """Pods that look alike, together."""
    groups: dict[tuple[object, ...], list[Pods]] = defaultdict(list)
    for each in pods:
        labels = (frozenset(each.labels.known.items()), each.labels.present, each.labels.open)
        groups[(labels, each.ports, each.host_network)].append(each)
    for group in groups.values():
        yield replace(
            group[0],
            addresses=tuple(dict.fromkeys(address for each in group for address in each.addresses)),
            node_addresses=tuple(dict.fromkeys(address for each in group for address in each.node_addresses)),
            names=tuple(name for each in group for name in each.names),
        )


def _ports(spec: schema.PodSpec, path: Path) -> Iterator[ContainerPort]:
    for field_name, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        for index, container in enumerate(containers or ()):
            serves = field_name == "containers" or container.restart_policy == "Always"
            for number, port in enumerate(container.ports or ()):
                where = (*path, field_name, index, "ports", number)
                protocol = checks.protocol(port.protocol, (*where, "protocol"))
                name = checks.port_name(port.name, (*where, "name")) if port.name else ""
                yield ContainerPort(port.container_port, protocol, name, certain=serves)


def _addresses(given: Iterable[str | None]) -> tuple[Address, ...]:
    return tuple(dict.fromkeys(ipaddress.ip_address(text) for text in given if text))


def _inside(data: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(data, dict):
            return None
        data = data.get(step)
    return data
