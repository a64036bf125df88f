"""The roles and bindings that a new cluster has, as its API server gave them."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from audit.model.objects import Object
from audit.model.permissions import Binding, Role
from audit.model.place import Place
from audit.reading import rbac
from audit.reading.documents import DataDocument


@dataclass(frozen=True, slots=True)
class Defaults:
    """What Kubernetes itself makes.

    Attributes:
        kubernetes: The version that it was read from.
        roles: Roles and ClusterRoles.
        bindings: RoleBindings and ClusterRoleBindings.
    """

    kubernetes: str
    roles: tuple[Role, ...]
    bindings: tuple[Binding, ...]


@cache
def defaults() -> Defaults:
    """The defaults; `tools/default_permissions.py` writes the file."""
    found = json.loads(resources.files(__package__).joinpath("defaults.json").read_text("utf-8"))
    version = found["kubernetes"]
    objects = [_object(each, f"default of Kubernetes {version}") for each in found["items"]]
    return Defaults(
        version,
        tuple(rbac.role(each, default=True) for each in objects if each.kind.endswith("Role")),
        tuple(rbac.binding(each, default=True) for each in objects if each.kind.endswith("Binding")),
    )


def _object(data: dict[str, Any], file: str) -> Object:
    group, _, version = data["apiVersion"].rpartition("/")
    metadata = data["metadata"]
    place = Place(DataDocument(0, data, file))
    return Object(group, data["kind"], version, metadata.get("namespace", ""), metadata["name"], data, place)
