"""Objects given as plain data: where the bindings do not know a field, or cost a call to Node for each value."""

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
    spec: dict[str, Any],
) -> ApiObject:
    """An object whose `spec` is written as it is given."""
    result = ApiObject(scope, construct_id, api_version=api_version, kind=kind, metadata=metadata)
    result.add_json_patch(JsonPatch.add("/spec", spec))
    return result
