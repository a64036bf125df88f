"""What namespaces share: volumes, the tokens and contents of Secrets."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.model.objects import Object, listed, mapping, mappings
from audit.model.place import Place
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.paths.pods import holds_folder_of_the_node, normal, of_the_node
from audit.pods.template import Template

_VOLUMES: Final = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
_TOKENS: Final = (
    "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"
    "#manual-secret-management-for-serviceaccounts"
)
_HOST_PATHS: Final = "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"
_HOST_PATH: Final = "hostPath "
_HELD_ACCOUNT: Final = "kubernetes.io/service-account.name"
_SOURCES: Final = {
    "hostPath": ("path",),
    "local": ("path",),
    "nfs": ("server", "path"),
    "csi": ("driver", "volumeHandle"),
    "iscsi": ("targetPortal", "iqn", "lun"),
    "fc": ("targetWWNs", "lun"),
}
"""Kinds of storage, and the fields that identify one."""


class SharingPlane:
    """Volumes that pods of several namespaces use, and Secrets that hold a token or come from a common store."""

    name = "shared volumes and Secrets"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        inventory = land.inventory
        self._claims = {(each.namespace, each.name): each for each in inventory.of_kind("PersistentVolumeClaim")}
        self._volumes = {each.name: each for each in inventory.of_kind("PersistentVolume")}
        self._reserved = {
            (str(each.at("spec", "claimRef", "namespace")), str(each.at("spec", "claimRef", "name"))): each
            for each in self._volumes.values()
        }
        self._uses: dict[Node, list[tuple[Node, tuple[Place, ...]]]] = defaultdict(list)
        self._used_by: dict[Node, list[tuple[Node, tuple[Place, ...]]]] = defaultdict(list)
        for node, template in land.templates.items():
            for volume, places in self._of(template):
                self._uses[node].append((volume, places))
                self._used_by[volume].append((node, places))
        self._tokens = list(_tokens(land))
        self._entries = list(_entries(inventory.of_kind("ExternalSecret")))

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        secrets = len(self._land.inventory.of_kind("Secret"))
        return {"persistent volume": len(self._volumes), "claim": len(self._claims), "Secret": secrets}

    @property
    def unknown(self) -> list[str]:
        """The contents of Secrets are never read."""
        return ["the contents of Secrets: equal ones in two namespaces are not found"]

    def steps(self, node: Node) -> Iterator[Step]:
        """Pods to volumes and back, and Secrets to what they hold."""
        if node.kind is Kind.PODS:
            for volume, places in self._uses.get(node, ()):
                yield Step(volume, "mounts-volume", "its pods mount the volume", lines(*places), source=_VOLUMES)
        elif node.kind is Kind.VOLUME:
            # Provisioners make folders for volumes, such as /opt/volumes/one: only a whole folder is the node's.
            if node.name.startswith(_HOST_PATH) and holds_folder_of_the_node(node.name.removeprefix(_HOST_PATH)):
                sentence = "the volume has files of the node on which its pods run"
                yield Step(Node(Kind.NODE, "", ANY), "leaves-container", sentence, lines(), source=_HOST_PATHS)
            for user, places in self._used_by.get(node, ()):
                sentence = "its pods mount the same storage, so each has the files of the other"
                yield Step(user, "shares-volume", sentence, lines(*places), source=_VOLUMES)
        elif node.kind is Kind.NEW_PODS:
            for namespace, name in self._claims:
                found = self._storage(namespace, name) if namespace == node.namespace else None
                if found is not None:
                    sentence = "a pod mounts any volume claim of its namespace"
                    yield Step(found[0], "mounts-volume", sentence, lines(*found[1]), source=_VOLUMES)
        elif node.kind is Kind.SECRET:
            yield from self._held_by(node)

    def _of(self, template: Template) -> Iterator[tuple[Node, tuple[Place, ...]]]:
        """The storage of a template that others may have too, with the lines."""
        where = template.owner.place.at(*template.path, "spec", "volumes")
        for index, volume in enumerate(mappings(template.spec.get("volumes"))):
            claim = mapping(volume.get("persistentVolumeClaim")).get("claimName")
            if claim:
                found = self._storage(template.owner.namespace, str(claim))
                if found is not None:
                    yield found[0], (where.at(index, "persistentVolumeClaim", "claimName"), *found[1])
                continue
            for name in ("hostPath", "nfs"):
                source = _source(volume, name)
                if source is not None and (name == "nfs" or self._may_mount(volume, template)):
                    yield source, (where.at(index, name),)

    def _may_mount(self, volume: Mapping[str, Any], template: Template) -> bool:
        """Whether a hostPath is not refused; one that belongs to the node leads to the node instead."""
        path = str(mapping(volume.get("hostPath")).get("path", ""))
        return not (of_the_node(path) or self._land.refuses_baseline(template.owner.namespace))

    def _storage(self, namespace: str, name: str) -> tuple[Node, tuple[Place, ...]] | None:
        """The storage of a claim, or None where the input does not say which it is."""
        claim = self._claims.get((namespace, name))
        bound = claim.at("spec", "volumeName") if claim is not None else None
        volume = self._volumes.get(str(bound)) if bound else self._reserved.get((namespace, name))
        if volume is None:
            return None
        spec = mapping(volume.at("spec"))
        places = (claim.place,) if claim is not None else ()
        for kind in _SOURCES:
            source = _source(spec, kind)
            if source is not None:
                return source, (*places, volume.place.at("spec", kind))
        return Node(Kind.VOLUME, "", f"PersistentVolume {volume.name}"), (*places, volume.place)

    def _held_by(self, node: Node) -> Iterator[Step]:
        for namespace, name, account, place in self._tokens:
            if namespace == node.namespace and node.name in {ANY, name}:
                target = Node(Kind.ACCOUNT, namespace, account)
                yield Step(
                    target, "holds-token", "the Secret holds a token of the account", lines(place), source=_TOKENS
                )
        mine = [
            each for each in self._entries if each[0].namespace == node.namespace and node.name in {ANY, each[0].name}
        ]
        for _secret, entry, place in mine:
            for other, same, its_place in self._entries:
                if same == entry and other.namespace != node.namespace:
                    sentence = f"both Secrets are filled from the entry {entry[1]} of {entry[0]}"
                    yield Step(other, "same-entry", sentence, lines(place, its_place))


def _source(spec: Mapping[str, Any], kind: str) -> Node | None:
    """Storage of a kind, or None where a volume is not of the kind."""
    found = spec.get(kind)
    if not isinstance(found, dict):
        return None
    fields = {each: str(found[each]) for each in _SOURCES[kind] if found.get(each) is not None}
    values = " ".join(normal(value) if each == "path" else value for each, value in fields.items())
    return Node(Kind.VOLUME, "", f"{_HOST_PATH if kind in {'hostPath', 'local'} else f'{kind} '}{values}")


def _tokens(land: Landscape) -> Iterator[tuple[str, str, str, Place]]:
    """Secrets that hold a token of an account: namespace, name, account and line."""
    for each in land.inventory.of_kind("Secret"):
        account = each.at("metadata", "annotations", _HELD_ACCOUNT)
        if account:
            yield each.namespace, each.name, str(account), each.place.at("metadata", "annotations", _HELD_ACCOUNT)


def _entries(secrets: list[Object]) -> Iterator[tuple[Node, tuple[str, str], Place]]:
    """Secrets that a controller fills from a store of the whole cluster, each with an entry of it."""
    for each in secrets:
        if each.at("spec", "secretStoreRef", "kind") != "ClusterSecretStore":
            continue
        store = f"ClusterSecretStore {each.at('spec', 'secretStoreRef', 'name')}"
        node = Node(Kind.SECRET, each.namespace, str(each.at("spec", "target", "name") or each.name))
        for field, reference in (("data", "remoteRef"), ("dataFrom", "extract")):
            for index, item in enumerate(listed(each.at("spec", field))):
                key = mapping(mapping(item).get(reference)).get("key")
                if key:
                    yield node, (store, str(key)), each.place.at("spec", field, index, reference, "key")
