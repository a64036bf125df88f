"""Kubernetes objects from plain data: cheaper than the bindings, and able to use fields that they do not have."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from cdk8s import ApiObject, ApiObjectMetadata, JsonPatch
from constructs import Construct


def plain_object(
    scope: Construct,
    construct_id: str,
    *,
    api_version: str,
    kind: str,
    metadata: ApiObjectMetadata,
    **fields: Mapping[str, Any] | Sequence[Any],
) -> ApiObject:
    """An object with these fields beside its metadata, such as `spec`, written unchanged."""
    result = ApiObject(scope, construct_id, api_version=api_version, kind=kind, metadata=metadata)
    for name, value in fields.items():
        plain = dict(value) if isinstance(value, Mapping) else list(value)
        result.add_json_patch(_patch(f"/{name}", json.dumps(plain)))
    return result


@lru_cache(maxsize=64)
def _patch(path: str, value: str) -> JsonPatch:
    """The patch that adds a value, given as JSON; many objects of different tenants have the same.

    It costs more to send a value to jsii's process than to find it here, and an object copies the patches it applies.
    """
    return JsonPatch.add(path, json.loads(value))
