"""Pods: what a pod has by its template, and what running new pods gives."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.model.objects import mapping, mappings
from audit.model.place import Path, Place
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.paths.storage import normal
from audit.pods.baseline import Found, capabilities, host_namespaces, host_paths, host_process, privileged
from audit.pods.findings import ENFORCE
from audit.pods.template import Template

_ACCOUNTS: Final = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"
_SECRETS: Final = "https://kubernetes.io/docs/concepts/configuration/secret/"
_STANDARDS: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"
_CREATION: Final = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation"
_STRONG: Final = {"ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"}
"""Capabilities with which a container leaves its confinement."""
_OF_THE_NODE: Final = (
    *("/var/lib/kubelet", "/var/lib/etcd", "/var/run", "/run", "/var/log", "/var/spool/cron"),
    *("/var/lib/containerd", "/var/lib/containers", "/var/lib/docker", "/var/lib/rancher"),
    *("/etc", "/proc", "/sys", "/dev", "/root", "/home", "/boot", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt"),
)
"""Folders of a node with the files of other pods, credentials or programs of the node."""


class PodsPlane:
    """Tokens, Secrets and nodes that pods have."""

    name = "pods"

    def __init__(self, land: Landscape) -> None:
        self._land = land

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        return {"pod template": len(self._land.templates)}

    @property
    def unknown(self) -> list[str]:
        """Namespaces whose labels are not known, so that what the API server refuses there is not, either."""
        spaces = dict.fromkeys(each.namespace for each in self._land.templates)
        undeclared = [each for each in spaces if self._land.refuses_baseline(each) is None]
        return [
            f"which pods the API server refuses in {each}: the input does not declare the namespace"
            for each in undeclared
        ]

    def steps(self, node: Node) -> Iterator[Step]:
        """What pods, and pods that somebody runs, have."""
        if node.kind is Kind.PODS and node in self._land.templates:
            template = self._land.templates[node]
            yield from self._account(template)
            yield from _secrets(template)
            yield from self._node(node, template)
        elif node in self._land.operated:
            server = self._land.operated[node]
            target = Node(Kind.ACCOUNT, server.namespace, str(server.at("spec", "serviceAccountName") or "default"))
            place = server.place.at("spec", "serviceAccountName")
            yield Step(target, "uses-account", "its pods have the account's token", lines(place), source=_ACCOUNTS)
        elif node.kind is Kind.NEW_PODS:
            yield from self._new(node.namespace)

    def _account(self, template: Template) -> Iterator[Step]:
        owner = template.owner
        account = self._land.accounts.get((owner.namespace, template.account))
        target = Node(Kind.ACCOUNT, owner.namespace, template.account)
        for place, audience in _tokens(template, mounted_by_default=account.mounts_token if account else True):
            sentence = "its pods have the account's token"
            if audience:
                sentence = f"its pods have a token of the account for {audience}, which the API server may accept"
            yield Step(target, "uses-account", sentence, lines(place), certain=not audience, source=_ACCOUNTS)

    def _node(self, node: Node, template: Template) -> Iterator[Step]:
        """Ways out of the container, unless the API server refuses them."""
        refuses = self._land.refuses_baseline(template.owner.namespace)
        if refuses:
            return
        target = Node(Kind.NODE, node.namespace, node.name)
        for path, message in _escapes(template):
            found = lines(template.owner.place.at(*template.path, *path))
            why = f"its pods have their node: {message}"
            yield Step(target, "leaves-container", why, found, certain=refuses is False, source=_STANDARDS)

    def _new(self, namespace: str) -> Iterator[Step]:
        sentence = "a pod runs with any account, Secret and volume claim of its namespace"
        for account in self._land.accounts_of(namespace):
            yield Step(account, "runs-as", sentence, lines(self._land.place(account)), source=_CREATION)
        yield Step(Node(Kind.SECRET, namespace, ANY), "mounts-secrets", sentence, lines(), source=_CREATION)
        refuses = self._land.refuses_baseline(namespace)
        if not refuses:
            found = self._land.inventory.namespaces.get(namespace)
            place = found.place.at("metadata", "labels", ENFORCE) if found and found.place else None
            why = "the namespace does not enforce Pod Security, so a new pod can take over its node"
            target = Node(Kind.NODE, "", ANY)
            yield Step(target, "leaves-container", why, lines(place), certain=refuses is False, source=_STANDARDS)


def _tokens(template: Template, *, mounted_by_default: bool) -> Iterator[tuple[Place, str]]:
    """The lines that give pods a token of their account, each with its audience, which is empty for the API server."""
    place = template.owner.place.at(*template.path, "spec")
    own = template.spec.get("automountServiceAccountToken")
    if own is True or (own is None and mounted_by_default):
        yield place.at("serviceAccountName") if "serviceAccountName" in template.spec else place, ""
    for index, volume in enumerate(mappings(template.spec.get("volumes"))):
        for number, source in enumerate(mappings(mapping(volume.get("projected")).get("sources"))):
            if "serviceAccountToken" in source:
                audience = str(mapping(source["serviceAccountToken"]).get("audience") or "")
                yield place.at("volumes", index, "projected", "sources", number), audience


def _secrets(template: Template) -> Iterator[Step]:
    """The Secrets that a template names."""
    for name, path in _named(template):
        place = template.owner.place.at(*template.path, "spec", *path)
        target = Node(Kind.SECRET, template.owner.namespace, name)
        yield Step(target, "mounts-secret", "its pods have the Secret", lines(place), source=_SECRETS)


def _named(template: Template) -> Iterator[tuple[str, Path]]:
    for index, volume in enumerate(mappings(template.spec.get("volumes"))):
        name = mapping(volume.get("secret")).get("secretName")
        if name:
            yield str(name), ("volumes", index, "secret", "secretName")
        for number, source in enumerate(mappings(mapping(volume.get("projected")).get("sources"))):
            name = mapping(source.get("secret")).get("name")
            if name:
                yield str(name), ("volumes", index, "projected", "sources", number, "secret", "name")
    for index, each in enumerate(mappings(template.spec.get("imagePullSecrets"))):
        if each.get("name"):
            yield str(each["name"]), ("imagePullSecrets", index, "name")
    for container in template.containers:
        for path, name in _of_container(container.data):
            yield name, (*container.path, *path)


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for field, where in (("envFrom", ("secretRef",)), ("env", ("valueFrom", "secretKeyRef"))):
        for index, each in enumerate(mappings(container.get(field))):
            value: Any = each
            for step in where:
                value = mapping(value).get(step)
            if mapping(value).get("name"):
                yield (field, index, *where, "name"), str(value["name"])


def _escapes(template: Template) -> Found:
    """What takes a container to its node, with the path in the pod."""
    yield from host_process(template, 0)
    yield from privileged(template, 0)
    for path, message in host_namespaces(template, 0):
        if path[-1] == "hostPID":
            yield path, message
    for path, message in capabilities(template, 0):
        # Container runtimes take the name in any case.
        if str(template.at(*path)).upper().removeprefix("CAP_") in _STRONG:
            yield path, message
    for path, message in host_paths(template, 0):
        if of_the_node(str(template.at(*path, "path") or "")):
            yield path, message


def of_the_node(path: str) -> bool:
    """Whether a path of a node belongs to the node or to other pods."""
    return holds_folder_of_the_node(path) or any(normal(path).startswith(f"{each}/") for each in _OF_THE_NODE)


def holds_folder_of_the_node(path: str) -> bool:
    """Whether a path of a node is such a folder or has one in it, and is not just a folder within one."""
    return any(f"{each}/".startswith(f"{normal(path).rstrip('/')}/") for each in _OF_THE_NODE)
