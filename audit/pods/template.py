"""Pod templates of every kind, in one form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from audit.model.inventory import Inventory
from audit.model.objects import Object, mapping, mappings
from audit.model.place import Path, Place

_TEMPLATES: Final[Mapping[str, Path]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
_USUAL: Final[Path] = ("spec", "template")
_NETWORKS: Final = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
"""Annotations that name networks of pods other than that of the cluster."""
CONTAINER_FIELDS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a template.

    Attributes:
        data: The container.
        path: Its path in the pod's spec.
        serves: Whether it runs as long as the pod: not an init container that ends.
    """

    data: Mapping[str, Any]
    path: Path
    serves: bool

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.data.get("name", ""))

    @property
    def security(self) -> Mapping[str, Any]:
        """Its securityContext; empty where it has none."""
        return mapping(self.data.get("securityContext"))


@dataclass(frozen=True, slots=True)
class Template:
    """What pods of an object look like.

    Attributes:
        owner: The object: a Deployment, a Pod, anything with a pod template.
        path: Path of the template in it; empty for a Pod.
        spec: The pod's spec.
        annotations: The pod's annotations.
    """

    owner: Object
    path: Path
    spec: Mapping[str, Any]
    annotations: Mapping[str, Any]

    @classmethod
    def of(cls, owner: Object) -> "Template | None":
        """The template of an object, or None where it has none."""
        path = _TEMPLATES.get(owner.kind, _USUAL)
        spec = owner.at(*path, "spec")
        if not isinstance(spec, dict) or not isinstance(spec.get("containers"), list):
            return None
        return cls(owner, path, spec, mapping(owner.at(*path, "metadata", "annotations")))

    def at(self, *path: str | int) -> Any:
        """The value that a path in the pod leads to, or None where a step of it does not exist."""
        return self.owner.at(*self.path, *path)

    @property
    def security(self) -> Mapping[str, Any]:
        """The pod's securityContext; empty where it has none."""
        return mapping(self.spec.get("securityContext"))

    @property
    def windows(self) -> bool:
        """Whether the pod says that it runs on Windows."""
        return mapping(self.spec.get("os")).get("name") == "windows"

    @property
    def containers(self) -> Iterator[Container]:
        """Init containers, containers and ephemeral containers."""
        for field in CONTAINER_FIELDS:
            for index, each in enumerate(mappings(self.spec.get(field))):
                serves = field != "initContainers" or each.get("restartPolicy") == "Always"
                yield Container(each, (field, index), serves)

    @property
    def networks(self) -> Iterator[tuple[str, Place]]:
        """Networks besides that of the cluster, with their lines; no policy of the cluster applies to them."""
        for key in _NETWORKS:
            if self.annotations.get(key):
                yield str(self.annotations[key]), self.owner.place.at(*self.path, "metadata", "annotations", key)

    @property
    def account(self) -> str:
        """Name of the ServiceAccount that the pods run as."""
        return str(self.spec.get("serviceAccountName") or self.spec.get("serviceAccount") or "default")


def templates(inventory: Inventory) -> Iterator[Template]:
    """The templates of the input; a ReplicaSet or pod that something in the input controls does not count again."""
    names = {(each.kind, each.namespace, each.name) for objects in inventory.kept.values() for each in objects}
    for objects in inventory.kept.values():
        for each in objects:
            owners = [owner for owner in mappings(each.at("metadata", "ownerReferences")) if owner.get("controller")]
            if any((owner.get("kind"), each.namespace, owner.get("name")) in names for owner in owners):
                continue
            template = Template.of(each)
            if template is not None:
                yield template
