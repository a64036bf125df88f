"""The OpenAPI document's parts, made of the very classes that read and write the JSON."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from inference import contract
from inference.errors import RequestError
from inference.serving import protocol, schemas
from inference.serving.problems import JSON, OCTET_STREAM, PROBLEM_JSON
from inference.settings import Settings

_STRUCTS: Final = (
    schemas.PredictRequest,
    schemas.PredictResponse,
    schemas.BatchResponse,
    schemas.Problem,
    schemas.Health,
    schemas.ModelCard,
    protocol.InferRequest,
    protocol.InferResponse,
    protocol.ModelMetadata,
    protocol.ServerMetadata,
    protocol.ModelList,
    protocol.ServerLive,
    protocol.ServerReady,
    protocol.ModelReady,
    protocol.ErrorResponse,
)
TAGS: Final = [
    {"name": "predict", "description": "Ask the model."},
    {"name": "protocol", "description": "The same by the Open Inference Protocol v2."},
    {"name": "model", "description": "What the model is."},
    {"name": "operations", "description": "For those who run the service."},
]


def components(settings: Settings) -> dict[str, Any]:
    """All schemas by name, with this process's limits in them."""
    _, found = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    one, several = found["PredictRequest"]["properties"]["text"]["anyOf"]
    one["maxLength"] = settings.max_text_characters
    several["maxItems"] = settings.max_texts
    several["items"]["maxLength"] = settings.max_text_characters
    return found


def body(struct: type[msgspec.Struct], **examples: object) -> dict[str, Any]:
    """An operation's part that says what it takes; `examples` by name."""
    content: dict[str, Any] = {"schema": _reference(struct)}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def parameters(**described: str) -> dict[str, Any]:
    """An operation's part that says what its path's parameters mean, by name."""
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in described.items()
        ]
    }


def answers(
    description: str, *structs: type[msgspec.Struct], errors: Sequence[type[RequestError]] = (), path: str
) -> dict[int | str, dict[str, Any]]:
    """An operation's responses: 200 with one of `structs`, and each of `errors` as `path` tells them."""
    schema = _reference(structs[0]) if len(structs) == 1 else {"oneOf": [_reference(struct) for struct in structs]}
    found: dict[int | str, dict[str, Any]] = {200: {"description": description, "content": {JSON: {"schema": schema}}}}
    on_protocol = path.startswith(contract.PROTOCOL_PATH)
    for error in errors:
        struct, media_type = (protocol.ErrorResponse, JSON) if on_protocol else (schemas.Problem, PROBLEM_JSON)
        found[error.status] = {
            "description": (error.__doc__ or error.title).partition("\n")[0],
            "content": {media_type: {"schema": _reference(struct)}},
        }
    return found


def with_binary(found: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The responses `found`, of which the 200 may have binary tensors behind its JSON."""
    found[200]["content"][OCTET_STREAM] = {"schema": {"type": "string", "format": "binary"}}
    return found


def text_answer(description: str, media_type: str) -> dict[int | str, dict[str, Any]]:
    """Responses of an operation that answers with text."""
    return {200: {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}}


def _reference(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}
