"""The parts of the OpenAPI document, generated from the classes that decode and encode the JSON."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from inference.errors import ForbiddenError, RequestError, UnauthorizedError
from inference.model.interface import LoadedModel
from inference.model.manifest import OnnxManifest
from inference.serving import schemas
from inference.serving.examples import records_example, tensors_example
from inference.serving.problems import JSON, OCTET_STREAM, PROBLEM_JSON, is_protocol
from inference.serving.protocol import messages, tensor_messages
from inference.serving.record_schema import record_schema
from inference.settings import Settings

Responses = dict[int | str, dict[str, Any]]
"""The responses of an operation, by HTTP status."""
_TEXT_STRUCTS: Final = (schemas.PredictRequest, messages.InferRequest)
_ONNX_STRUCTS: Final = (
    schemas.RecordsRequest,
    schemas.ValuesResponse,
    schemas.ValuesBatchResponse,
    tensor_messages.TensorRequest,
)
_STRUCTS: Final = (
    schemas.PredictResponse,
    schemas.BatchResponse,
    schemas.Problem,
    schemas.Health,
    schemas.ModelCard,
    messages.InferResponse,
    messages.ModelMetadata,
    messages.ServerMetadata,
    messages.ModelList,
    messages.ServerLive,
    messages.ServerReady,
    messages.ModelReady,
    messages.ErrorResponse,
)
SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
"""The headers in which `inference.serving.callers.authentication` looks for a key."""
PREDICT_TAG: Final = "predict"
PROTOCOL_TAG: Final = "protocol"
MODEL_TAG: Final = "model"
OPERATIONS_TAG: Final = "operations"
TAGS: Final = [
    {"name": PREDICT_TAG, "description": "Ask the model."},
    {"name": PROTOCOL_TAG, "description": "Ask the model with the Open Inference Protocol v2."},
    {"name": MODEL_TAG, "description": "Describe and try the model."},
    {"name": OPERATIONS_TAG, "description": "Probes and metrics."},
]


def components(settings: Settings, model: LoadedModel | None) -> dict[str, Any]:
    """Return all schemas by name, with the limits of this process and the features of the loaded model in them."""
    own = _ONNX_STRUCTS if settings.runtime == "onnx" else _TEXT_STRUCTS
    _, found = msgspec.json.schema_components((*own, *_STRUCTS), ref_template="#/components/schemas/{name}")
    if settings.runtime == "onnx":
        one, several = found["RecordsRequest"]["properties"]["inputs"]["anyOf"]
        several["maxItems"] = settings.max_texts
        if model and isinstance(model.manifest, OnnxManifest):
            found["RecordsRequest"]["examples"] = [records_example(model.manifest)]
            found["TensorRequest"]["examples"] = [tensors_example(model.manifest)]
            if not any(each.meaning == "probabilities" for each in model.manifest.outputs):
                found["RecordsRequest"]["properties"]["probabilities"]["enum"] = [False]
            if model.manifest.features:
                one.update(record_schema(model.manifest))
                several["items"] = record_schema(model.manifest)
        return found
    one, several = found["PredictRequest"]["properties"]["text"]["anyOf"]
    one["maxLength"] = settings.max_text_characters
    several["maxItems"] = settings.max_texts
    several["items"]["maxLength"] = settings.max_text_characters
    return found


def request_body(struct: type[msgspec.Struct], **examples: object) -> dict[str, Any]:
    """Return the `requestBody` of an operation, with `examples` by name."""
    content: dict[str, Any] = {"schema": _reference(struct)}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def path_parameters(**descriptions: str) -> dict[str, Any]:
    """Return the `parameters` of an operation, from the description of each parameter of its path."""
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in descriptions.items()
        ]
    }


def responses(
    description: str, *structs: type[msgspec.Struct], errors: Sequence[type[RequestError]] = (), path: str
) -> Responses:
    """Return the `responses` of an operation that answers with JSON.

    Args:
        description: What the answer with status 200 is.
        structs: The answer is one of these.
        errors: The errors of the operation, besides 500.
        path: Decides the format of the errors: the protocol's, or a problem document.
    """
    schema = _reference(structs[0]) if len(structs) == 1 else {"oneOf": [_reference(struct) for struct in structs]}
    found: Responses = {200: {"description": description, "content": {JSON: {"schema": schema}}}}
    return found | _error_responses(errors, path)


def require_key(operation: dict[str, Any], path: str) -> None:
    """Add to an operation of the document that it requires an API key."""
    operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
    found = _error_responses((UnauthorizedError, ForbiddenError), path)
    operation["responses"] |= {str(status): response for status, response in found.items()}


def _error_responses(errors: Sequence[type[RequestError]], path: str) -> Responses:
    struct, media_type = (messages.ErrorResponse, JSON) if is_protocol(path) else (schemas.Problem, PROBLEM_JSON)
    return {
        error.status: {
            "description": (error.__doc__ or error.title).partition("\n")[0],
            "content": {media_type: {"schema": _reference(struct)}},
        }
        for error in errors
    }


def with_binary(found: Responses) -> Responses:
    """Add to `found` that binary tensors may follow the JSON of the 200."""
    found[200]["content"][OCTET_STREAM] = {"schema": {"type": "string", "format": "binary"}}
    return found


def text_responses(description: str, media_type: str) -> Responses:
    """Return the `responses` of an operation that answers with text."""
    return {200: {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}}


def _reference(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}
