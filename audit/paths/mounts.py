"""Mounts: which storage the pods of a template have, by claims and without."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from audit.model.objects import Object, listed, mapping, mappings
from audit.model.place import Place
from audit.paths.landscape import Landscape
from audit.paths.pods import of_the_node
from audit.paths.storage import HOST_PATH, SOURCES, Storage, storages
from audit.pods.template import Template

_HOST_NAME: Final = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Mount:
    """Storage that pods have.

    Attributes:
        storage: The storage.
        places: The lines of the volume and of what it means.
        certain: False if the API server may refuse the pods because of it.
    """

    storage: Storage
    places: tuple[Place, ...]
    certain: bool = True


class Mounts:
    """The claims and volumes of an input.

    Attributes:
        claims: The claims, by namespace and name.
        volumes: The PersistentVolumes, by name.
        named: By namespace, the names of its claims, and of those for which a volume is reserved.
    """

    def __init__(self, land: Landscape) -> None:
        self._land = land
        self.claims = {(each.namespace, each.name): each for each in land.inventory.of_kind("PersistentVolumeClaim")}
        self.volumes = {each.name: each for each in land.inventory.of_kind("PersistentVolume")}
        self._reserved = {
            (str(each.at("spec", "claimRef", "namespace")), str(each.at("spec", "claimRef", "name"))): each
            for each in self.volumes.values()
        }
        self.named: dict[str, list[str]] = defaultdict(list)
        for namespace, name in dict.fromkeys([*self.claims, *self._reserved]):
            self.named[namespace].append(name)

    def of(self, template: Template) -> Iterator[Mount]:
        """The storage that the pods of a template have and others may have too."""
        where = template.owner.place.at(*template.path, "spec", "volumes")
        for index, volume in enumerate(mappings(template.spec.get("volumes"))):
            at, folders = where.at(index), _folders(template, str(volume.get("name")))
            for mount in self._of_volume(volume, template, at):
                for folder in folders:
                    yield Mount(mount.storage.within(folder), mount.places, mount.certain)
        if template.owner.kind == "StatefulSet":
            where = template.owner.place.at("spec", "volumeClaimTemplates")
            for index, made in enumerate(mappings(template.owner.at("spec", "volumeClaimTemplates"))):
                name = str(mapping(made.get("metadata")).get("name"))
                pattern = rf"{re.escape(name)}-{re.escape(template.owner.name)}-\d+"
                for mount in self._made(template, pattern, made, where.at(index)):
                    for folder in _folders(template, name):
                        yield Mount(mount.storage.within(folder), mount.places)

    def of_claim(self, namespace: str, name: str) -> Iterator[Mount]:
        """The storage of a claim; none where the input does not say which it is."""
        claim = self.claims.get((namespace, name))
        bound = claim.at("spec", "volumeName") if claim is not None else None
        volume = self.volumes.get(str(bound)) if bound else self._reserved.get((namespace, name))
        if volume is not None:
            yield from _of_persistent(volume, (claim.place,) if claim is not None else ())

    def _of_volume(self, volume: Mapping[str, Any], template: Template, at: Place) -> Iterator[Mount]:
        namespace = template.owner.namespace
        claim = mapping(volume.get("persistentVolumeClaim")).get("claimName")
        if claim:
            for each in self.of_claim(namespace, str(claim)):
                yield Mount(each.storage, (at.at("persistentVolumeClaim", "claimName"), *each.places))
        made = mapping(mapping(volume.get("ephemeral")).get("volumeClaimTemplate"))
        if made:
            pattern = rf"{re.escape(template.owner.name)}(-[a-z0-9]+)*-{re.escape(str(volume.get('name')))}"
            yield from self._made(template, pattern, made, at.at("ephemeral"))
        for kind in (each for each in SOURCES if each in volume):
            refuses = self._land.refuses_baseline(namespace) if kind == HOST_PATH else False
            # A hostPath that belongs to the node leads to the node instead.
            if refuses or (kind == HOST_PATH and of_the_node(str(mapping(volume.get(kind)).get("path", "")))):
                continue
            for storage in storages(volume, kind):
                yield Mount(storage, (at.at(kind),), certain=refuses is False)

    def _made(self, template: Template, pattern: str, made: Mapping[str, Any], at: Place) -> Iterator[Mount]:
        """The storage of claims that a controller makes for the pods: of existing ones, or of the volume named."""
        namespace = template.owner.namespace
        for name in sorted(each for each in self.named.get(namespace, ()) if re.fullmatch(pattern, each)):
            for mount in self.of_claim(namespace, name):
                yield Mount(mount.storage, (at, *mount.places))
        volume = self.volumes.get(str(mapping(made.get("spec")).get("volumeName")))
        if volume is not None:
            yield from _of_persistent(volume, (at,))


def _of_persistent(volume: Object, places: tuple[Place, ...]) -> Iterator[Mount]:
    spec = mapping(volume.at("spec"))
    found = [(kind, storage) for kind in SOURCES for storage in storages(spec, kind)]
    for kind, each in found:
        storage = replace(each, on=_only_node(volume)) if each.identity == HOST_PATH else each
        yield Mount(storage, (*places, volume.place.at("spec", kind)))
    if not found:
        yield Mount(Storage(f"PersistentVolume {volume.name}"), (*places, volume.place))


def _only_node(volume: Object) -> str:
    """The one node that a PersistentVolume is on, or empty if the input does not name one."""
    terms = mappings(volume.at("spec", "nodeAffinity", "required", "nodeSelectorTerms"))
    names = [
        listed(each.get("values"))
        for each in mappings(terms[0].get("matchExpressions") if len(terms) == 1 else ())
        if (each.get("key"), each.get("operator")) == (_HOST_NAME, "In")
    ]
    return str(names[0][0]) if len(names) == 1 and len(names[0]) == 1 else ""


def _folders(template: Template, volume: str) -> list[str]:
    """The folders of a volume that containers mount; an empty one is all of it."""
    found = [
        "" if each.get("subPathExpr") else str(each.get("subPath") or "")
        for container in template.containers
        for each in mappings(container.data.get("volumeMounts"))
        if each.get("name") == volume
    ]
    return [""] if "" in found or not found else list(dict.fromkeys(found))
