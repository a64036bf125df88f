"""What namespaces share: volumes, the tokens and contents of Secrets."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.model.grants import Referent, Referrer
from audit.model.objects import Object, listed, mapping
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
_HOST_PATH: Final = "hostPath "
_HELD_ACCOUNT: Final = "kubernetes.io/service-account.name"
_CLONES: Final = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#cross-namespace-data-sources"


class SharingPlane:
    """Volumes that pods of several namespaces use, and Secrets that hold a token or come from a common store."""

    name = "shared volumes and Secrets"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        inventory = land.inventory
        self._mounts = Mounts(land)
        self._uses: dict[Node, list[Mount]] = {}
        self._used: dict[str, list[tuple[Node, Mount]]] = defaultdict(list)
        for node, template in land.templates.items():
            self._uses[node] = list(self._mounts.of(template))
            for mount in self._uses[node]:
                self._used[mount.storage.identity].append((node, mount))
        found = [mount for mounts in self._uses.values() for mount in mounts]
        claimed = [(claim, mount) for claim in self._mounts.named for mount in self._mounts.of_claim(*claim)]
        mounted = {(node.namespace, each.storage) for node, mounts in self._uses.items() for each in mounts}
        self._unused: dict[str, list[tuple[tuple[str, str], Mount]]] = defaultdict(list)
        for claim, mount in claimed:
            if (claim[0], mount.storage) not in mounted:
                self._unused[mount.storage.identity].append((claim, mount))
        found += [mount for _claim, mount in claimed]
        self._storages = {each.storage.node: each.storage for each in found}
        claims = land.inventory.of_kind("PersistentVolumeClaim")
        self._filled = [each for each in claims if each.at("spec", "dataSourceRef", "namespace")]
        self._tokens = list(_tokens(land))
        self._entries = list(_entries(inventory.of_kind("ExternalSecret")))

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
            for namespace, name in self._mounts.claims:
                for mount in self._mounts.of_claim(namespace, name) if namespace == node.namespace else ():
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
        for user, mount in self._used[storage.identity]:
            if storage.has(mount.storage):
                same = mount.storage == storage
                sentence = "its pods mount the same storage, so each has the files of the other"
                if not same:
                    sentence = "its pods mount a folder of the same storage, so whoever has all of it has their files"
                found = lines(*mount.places)
                yield Step(user, "shares-volume", sentence, found, certain=mount.certain, source=_VOLUMES)

        for (namespace, name), mount in self._unused[storage.identity]:
            if storage.has(mount.storage):
                sentence = f"the storage is that of the claim {name}, or has it as a folder"
                target = Node(Kind.VOLUME, namespace, name)
                yield Step(target, "shares-claim", sentence, lines(*mount.places), source=_VOLUMES)

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
                    f"{claim.reference} is filled with the data of {kind} {space}/{name}, if the cluster can do that"
                )
                found = lines(claim.place.at("spec", "dataSourceRef"))
                target = Node(Kind.VOLUME, space, name)
                yield Step(target, "copies-volume", sentence, found, certain=False, source=_CLONES)

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


def _mounts(mount: Mount, sentence: str) -> Step:
    found = lines(*mount.places)
    return Step(mount.storage.node, "mounts-volume", sentence, found, certain=mount.certain, source=_VOLUMES)


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
