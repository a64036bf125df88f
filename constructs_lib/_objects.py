"""Kubernetes objects from plain data: cheaper than the bindings, and able to use fields that they do not have."""

from collections.abc import Mapping
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
    spec: Mapping[str, Any],
) -> ApiObject:
    """An object with this `spec`, written unchanged."""
    result = ApiObject(scope, construct_id, api_version=api_version, kind=kind, metadata=metadata)
    result.add_json_patch(JsonPatch.add("/spec", dict(spec)))
    return result
