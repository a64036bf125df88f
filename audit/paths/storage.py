"""Storage: which volumes are the same, and which are folders in others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from posixpath import normpath
from typing import Any, Final

from audit.model.objects import mapping
from audit.paths.graph import Kind, Node

HOST_PATH: Final = "hostPath"
_SOURCES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "hostPath": ((), "path"),
    "local": ((), "path"),
    "nfs": (("server",), "path"),
    "cephfs": (("monitors",), "path"),
    "rbd": (("monitors", "pool", "image"), ""),
    "csi": (("driver", "volumeHandle"), ""),
    "iscsi": (("targetPortal", "iqn", "lun"), ""),
    "fc": (("targetWWNs", "wwids", "lun"), ""),
    "azureFile": (("secretNamespace", "secretName", "shareName"), ""),
    "azureDisk": (("diskURI",), ""),
    "awsElasticBlockStore": (("volumeID",), ""),
    "gcePersistentDisk": (("pdName",), ""),
    "cinder": (("volumeID",), ""),
    "vsphereVolume": (("volumePath",), ""),
    "portworxVolume": (("volumeID",), ""),
    "quobyte": (("registry", "volume"), ""),
    "flexVolume": (("driver", "options"), ""),
}
"""Kinds of storage: the fields that identify it, and the field with the folder in it."""
SOURCES: Final = tuple(_SOURCES)
_SHARES: Final = (("nfs", ("server",), ("share", "subdir")), ("smb", ("source",), ("subdir",)))
"""Storage that attributes of CSI volumes name, whatever the driver and the handle; drivers take them in any case."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder of some storage.

    Attributes:
        identity: The storage, in words.
        folder: The folder, without a slash at the end; empty for all of it.
        on: The node that has it; empty for storage of no node, or of one that the input does not name.
    """

    identity: str
    folder: str = ""
    on: str = ""

    @property
    def node(self) -> Node:
        """Its node."""
        root = "/" if self.identity == HOST_PATH else ""
        words = [self.identity, self.folder or root, self.on and f"on {self.on}"]
        return Node(Kind.VOLUME, "", " ".join(each for each in words if each))

    def within(self, sub_path: str) -> "Storage":
        """A folder in it."""
        return replace(self, folder=_folder(f"{self.folder}/{sub_path}"))

    @property
    def anywhere(self) -> "Storage":
        """The same folder, of whatever node."""
        return replace(self, on="")

    def may_meet(self, other: "Storage") -> bool:
        """Whether the node may be the same as that of another storage."""
        return "" in {self.on, other.on} or self.on == other.on

    @property
    def around(self) -> Iterator["Storage"]:
        """Itself and every folder that it is in, of whatever node."""
        folder = self.folder
        yield self.anywhere
        while folder:
            folder = folder.rpartition("/")[0]
            yield Storage(self.identity, folder)


def storages(spec: Mapping[str, Any], kind: str) -> Iterator[Storage]:
    """The storage that a volume of a pod, or a PersistentVolume, is if it is of a kind.

    Args:
        spec: The volume.
        kind: One of `SOURCES`.
    """
    source = spec.get(kind)
    if not isinstance(source, dict):
        return
    attributes = {str(key).lower(): value for key, value in mapping(source.get("volumeAttributes")).items()}
    for share, fields, folders in _SHARES if kind == "csi" else ():
        if all(attributes.get(each) for each in fields):
            yield _storage(share, attributes, fields, *folders)
    identifying, folder = _SOURCES[kind]
    # A volume of a CSI driver in a pod has no handle: it is the pod's own, unless its attributes name a share.
    if kind != "csi" or source.get("volumeHandle"):
        yield _storage(HOST_PATH if kind == "local" else kind, source, identifying, folder)


def _storage(kind: str, source: Mapping[str, Any], fields: tuple[str, ...], *folders: str) -> Storage:
    words = [kind, *(_word(source[each]) for each in fields if source.get(each) is not None)]
    return Storage(" ".join(words), _folder("/".join(str(source.get(each) or "") for each in folders)))


def _word(value: Any) -> str:
    return ",".join(sorted(map(str, value))) if isinstance(value, list) else str(value)


def _folder(path: str) -> str:
    return normal(path).rstrip("/")


def normal(path: str) -> str:
    """A path in one form, so that /data/ and /data/. equal /data."""
    return normpath(f"/{path.lstrip('/')}")
