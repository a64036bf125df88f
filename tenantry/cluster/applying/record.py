"""What an apply leaves on each tenant's Namespace: the file's digest, and how every object was afterwards."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from tenantry.cluster.applying.server import FIELD_MANAGER, Metadata

ANNOTATION: Final = "tenantry.dev/applied"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation that kubectl writes on what it applies, and by which it finds what it may prune."""
_DIGITS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Record:
    """The state after an apply.

    Attributes:
        digest: SHA-256 digest of the tenant's file.
        objects: every object of the file by its identity, with its fingerprint.
    """

    digest: str
    objects: Mapping[str, str]

    @classmethod
    def of(cls, namespace: Metadata) -> Self | None:
        """The record on a Namespace; None if this version cannot read one."""
        try:
            value = json.loads(namespace.get("annotations", {})[ANNOTATION])
            return cls(digest=str(value["digest"]), objects=dict(value["objects"]))
        except (KeyError, TypeError, ValueError):
            return None

    @classmethod
    def after(cls, digest: str, objects: Iterable[Mapping[str, Any]]) -> Self:
        """The record of objects as the API server returned them from an apply."""
        return cls(digest=digest, objects={identity_of(each): fingerprint(each["metadata"]) for each in objects})

    def text(self) -> str:
        """The annotation's value."""
        return json.dumps({"digest": self.digest, "objects": self.objects}, separators=(",", ":"), sort_keys=True)


def identity(kind: str, metadata: Metadata) -> str:
    """Identifies an object, as in `apps/v1/Deployment tenant-a/tenant-a-ml-inference`."""
    namespace = metadata.get("namespace")
    return f"{kind} {namespace}/{metadata['name']}" if namespace else f"{kind} {metadata['name']}"


def identity_of(item: Mapping[str, Any]) -> str:
    """The identity of a whole object."""
    return identity(kind_of(item), item["metadata"])


def kind_of(item: Mapping[str, Any]) -> str:
    """The kind of an object, as in `apps/v1/Deployment` and `core/v1/Service`."""
    version = item["apiVersion"]
    return f"{version if '/' in version else f'core/{version}'}/{item['kind']}"


def fingerprint(metadata: Metadata) -> str:
    """Differs after every change of an object, other than to its status or its scale and to the record itself.

    The API server keeps in `managedFields` who set which fields of an object and when. An entry changes with every
    write that changes one of its fields; status and scale have entries of their own. The times have a resolution of a
    second, so what `kubectl apply` itself wrote last is part of the fingerprint, too.

    The number of replicas is left out: the creator of a Deployment owns this field until the autoscaler takes it over.
    """
    managed = [
        _without_replicas(each)
        for each in metadata.get("managedFields", ())
        if "subresource" not in each and each.get("manager") != FIELD_MANAGER
    ]
    applied = metadata.get("annotations", {}).get(LAST_APPLIED)
    content = json.dumps([metadata.get("uid"), applied, managed], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]


def _without_replicas(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = entry.get("fieldsV1", {})
    if "f:replicas" not in fields.get("f:spec", {}):
        return entry
    spec = {name: value for name, value in fields["f:spec"].items() if name != "f:replicas"}
    return {**entry, "fieldsV1": {**fields, "f:spec": spec}}
