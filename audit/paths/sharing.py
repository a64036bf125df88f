"""What namespaces share: volumes, the tokens and contents of Secrets."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.model.grants import Referent, Referrer
from audit.model.objects import listed, mapping
from audit.model.place import Place
from audit.model.truth import NO
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.paths.mounts import Mount, Mounts
from audit.paths.pods import holds_folder_of_the_node
from audit.paths.storage import HOST_PATH, Storage

_VOLUMES: Final = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
_TOKENS: Final = (
    "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"
    "#manual-secret-management-for-serviceaccounts"
)
_HOST_PATHS: Final = "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"
_HELD_ACCOUNT: Final = "kubernetes.io/service-account.name"
_CLONES: Final = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#cross-namespace-data-sources"


class SharingPlane:
    """Volumes that pods of several namespaces use, and Secrets that hold a token or come from a common store."""

    name = "shared volumes and Secrets"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self._mounts = Mounts(land)
        self._uses: dict[Node, list[Mount]] = {}
        self._used: dict[Storage, list[tuple[Node, Mount]]] = defaultdict(list)
        for node, template in land.templates.items():
            self._uses[node] = list(self._mounts.of(template))
            for mount in self._uses[node]:
                for each in mount.storage.around:
                    self._used[each].append((node, mount))
        found = [mount for mounts in self._uses.values() for mount in mounts]
        claims = [(space, name) for space, names in self._mounts.named.items() for name in names]
        claimed = [(claim, mount) for claim in claims for mount in self._mounts.of_claim(*claim)]
        mounted = {(node.namespace, each.storage) for node, mounts in self._uses.items() for each in mounts}
        self._unused: dict[Storage, list[tuple[tuple[str, str], Mount]]] = defaultdict(list)
        for claim, mount in claimed:
            if (claim[0], mount.storage) not in mounted:
                for folder in mount.storage.around:
                    self._unused[folder].append((claim, mount))
        found += [mount for _claim, mount in claimed]
        self._storages = {each.storage.node: each.storage for each in found}
        self._filled = [each for each in self._mounts.claims.values() if each.at("spec", "dataSourceRef", "namespace")]
        self._tokens: dict[str, list[tuple[str, str, Place]]] = defaultdict(list)
        for namespace, name, account, place in _tokens(land):
            self._tokens[namespace].append((name, account, place))
        self._entries: dict[str, list[tuple[Node, tuple[str, str], Place]]] = defaultdict(list)
        self._with_entry: dict[tuple[str, str], list[tuple[Node, Place]]] = defaultdict(list)
        for secret, entry, place in _entries(land):
            self._entries[secret.namespace].append((secret, entry, place))
            self._with_entry[entry].append((secret, place))

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        secrets = len(self._land.inventory.of_kind("Secret"))
        return {"persistent volume": len(self._mounts.volumes), "claim": len(self._mounts.claims), "Secret": secrets}

    @property
    def unknown(self) -> list[str]:
        """The contents of Secrets are never read."""
        return ["the contents of Secrets: equal ones in two namespaces are not found"]

    def steps(self, node: Node) -> Iterator[Step]:
        """Pods to volumes and back, and Secrets to what they hold."""
        if node.kind is Kind.PODS:
            for mount in self._uses.get(node, ()):
                yield _mounts(mount, "its pods mount the volume")
        elif node.kind is Kind.VOLUME and node in self._storages:
            yield from self._shared(self._storages[node])
        elif node.kind is Kind.NEW_PODS:
            for name in self._mounts.named.get(node.namespace, ()):
                there = (node.namespace, name) in self._mounts.claims
                for mount in self._mounts.of_claim(node.namespace, name) if there else ():
                    yield _mounts(mount, "a pod mounts any volume claim of its namespace")
        elif node.kind is Kind.MANIFESTS:
            yield from self._copies(node.namespace)
        elif node.kind is Kind.SECRET:
            yield from self._held_by(node)

    def _shared(self, storage: Storage) -> Iterator[Step]:
        """The node whose folder a volume is, and the pods that mount the same storage or a folder in it."""
        # Provisioners make folders for volumes, such as /opt/volumes/one: only a whole folder is the node's.
        if storage.identity == HOST_PATH and holds_folder_of_the_node(storage.folder or "/"):
            sentence = "the volume has files of the node on which its pods run"
            yield Step(Node(Kind.NODE, "", ANY), "leaves-container", sentence, lines(), source=_HOST_PATHS)
        for user, mount in self._used.get(storage.anywhere, ()):
            if not storage.may_meet(mount.storage):
                continue
            certain = mount.certain and mount.storage.on == storage.on
            sentence = "its pods mount the same storage, so each has the files of the other"
            if mount.storage.folder != storage.folder:
                sentence = "its pods mount a folder in the storage, so all pods that mount the storage have their files"
            found = lines(*mount.places)
            yield Step(user, "shares-volume", sentence, found, certain=certain, source=_VOLUMES)
        for (namespace, name), mount in self._unused.get(storage.anywhere, ()):
            if storage.may_meet(mount.storage):
                certain = mount.storage.on == storage.on
                sentence = f"the claim {name} has the same storage, or a folder in it"
                target, found = Node(Kind.VOLUME, namespace, name), lines(*mount.places)
                yield Step(target, "shares-claim", sentence, found, certain=certain, source=_VOLUMES)

    def _copies(self, namespace: str) -> Iterator[Step]:
        """Claims that are filled with the data of a claim or snapshot of another namespace."""
        for claim in self._filled:
            source = mapping(claim.at("spec", "dataSourceRef"))
            space, kind, name = (str(source.get(key) or "") for key in ("namespace", "kind", "name"))
            if claim.namespace != namespace or space in {"", namespace}:
                continue
            referrer = Referrer("", "PersistentVolumeClaim", namespace)
            referent = Referent(str(source.get("apiGroup") or ""), kind, name)
            if self._land.inventory.grants_reference(referrer, referent, space) is not NO:
                sentence = (
                    f"{claim.reference} is filled with the data of {kind} {space}/{name}, if the cluster supports it"
                )
                found = lines(claim.place.at("spec", "dataSourceRef"))
                target = Node(Kind.VOLUME, space, name)
                yield Step(target, "copies-volume", sentence, found, certain=False, source=_CLONES)

    def _held_by(self, node: Node) -> Iterator[Step]:
        for name, account, place in self._tokens.get(node.namespace, ()):
            if node.name in {ANY, name}:
                target = Node(Kind.ACCOUNT, node.namespace, account)
                sentence = "the Secret holds a token of the account"
                yield Step(target, "holds-token", sentence, lines(place), source=_TOKENS)
        for secret, entry, place in self._entries.get(node.namespace, ()):
            for other, its_place in self._with_entry[entry] if node.name in {ANY, secret.name} else ():
                if other.namespace != node.namespace:
                    sentence = f"both Secrets are filled from the entry {entry[1]} of {entry[0]}"
                    yield Step(other, "same-entry", sentence, lines(place, its_place))


def _mounts(mount: Mount, sentence: str) -> Step:
    found = lines(*mount.places)
    return Step(mount.storage.node, "mounts-volume", sentence, found, certain=mount.certain, source=_VOLUMES)


def _tokens(land: Landscape) -> Iterator[tuple[str, str, str, Place]]:
    """Secrets that hold a token of an account: namespace, name, account and line."""
    for each in land.inventory.of_kind("Secret"):
        account = each.at("metadata", "annotations", _HELD_ACCOUNT)
        if account:
            yield each.namespace, each.name, str(account), each.place.at("metadata", "annotations", _HELD_ACCOUNT)


def _entries(land: Landscape) -> Iterator[tuple[Node, tuple[str, str], Place]]:
    """Secrets that a controller fills from a store of the whole cluster, each with an entry of it."""
    for name, each in ((name, each) for name, filled in land.filled.items() for each in filled):
        store = f"ClusterSecretStore {name}"
        node = Node(Kind.SECRET, each.namespace, str(each.at("spec", "target", "name") or each.name))
        for field, reference in (("data", "remoteRef"), ("dataFrom", "extract")):
            for index, item in enumerate(listed(each.at("spec", field))):
                key = mapping(mapping(item).get(reference)).get("key")
                if key:
                    yield node, (store, str(key)), each.place.at("spec", field, index, reference, "key")
