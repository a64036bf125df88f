"""The JSON messages of the protocol. The OpenAPI document is generated from the same classes."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from inference.model.classifier import TEXT
from inference.model.interface import BYTES, LoadedModel


class Parameters(Struct):
    """Parameters of a request, an input or an output. All others are ignored: decoding them may be expensive."""

    binary_data_size: Annotated[
        int | UnsetType,
        Meta(description="Of an input: size in bytes of its tensor after the JSON, if `data` is absent."),
    ] = UNSET
    binary_data: Annotated[
        bool | UnsetType, Meta(description="Of an output: whether its tensor follows the JSON in binary form.")
    ] = UNSET
    binary_data_output: Annotated[
        bool, Meta(description="Of a request: the default of `binary_data` for its outputs.")
    ] = False


class InferInput(Struct):
    """An input tensor."""

    name: Annotated[str, Meta(description="`text`.", examples=[TEXT])]
    shape: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(description="`[n]` or `[n, 1]`.", examples=[[1]])]
    datatype: Annotated[str, Meta(description="`BYTES`.", examples=[BYTES])]
    data: Annotated[
        list[str | list[str]] | UnsetType,
        Meta(
            description="The texts, flat or nested like `shape`; absent if they follow the JSON in binary form.",
            examples=[["Win a free prize now"]],
        ),
    ] = UNSET
    parameters: Parameters | None = None


class InferOutputRequest(Struct):
    """An output that the client requests."""

    name: Annotated[str, Meta(description="An output of the model; `GET /v2/models/{model}` lists them.")]
    parameters: Parameters | None = None


class InferRequest(Struct):
    """Texts to classify."""

    inputs: Annotated[list[InferInput], Meta(description="Exactly one tensor, `text`.")]
    id: Annotated[str | None, Meta(description="Returned in the response.")] = None
    parameters: Parameters | None = None
    outputs: Annotated[
        list[InferOutputRequest] | None, Meta(description="The requested outputs; absent or empty: all outputs.")
    ] = None


class OutputParameters(Struct, frozen=True):
    """Parameters of an output tensor in binary form."""

    binary_data_size: Annotated[int, Meta(description="Size in bytes of the tensor after the JSON.")]


class InferOutput(Struct, frozen=True):
    """An output tensor."""

    name: str
    shape: list[int]
    datatype: str
    data: Annotated[
        Sequence[str | float | bool | None] | UnsetType,
        Meta(description="Absent if the tensor follows the JSON in binary form; null: a number that is not finite."),
    ] = UNSET
    parameters: OutputParameters | UnsetType = UNSET


class InferResponse(Struct, frozen=True):
    """The predictions, one row per text."""

    model_name: str
    model_version: Annotated[str, Meta(description="The first 12 hexadecimal digits of the model's digest.")]
    outputs: list[InferOutput]
    id: Annotated[str | UnsetType, Meta(description="The `id` of the request; absent if the request has none.")] = UNSET


class TensorMetadata(Struct, frozen=True):
    """Name, datatype and shape of a tensor; a size of -1 varies."""

    name: str
    datatype: str
    shape: Sequence[int]


class ModelMetadata(Struct, frozen=True):
    """The inputs and outputs of a model."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(Struct, frozen=True):
    """Name, version and extensions of the server."""

    name: str
    version: str
    extensions: list[str]


class ModelList(Struct, frozen=True):
    """The models of the server. The specification has no such list; KServe's servers do."""

    models: list[str]


class ServerLive(Struct, frozen=True):
    """Whether the server is live."""

    live: bool


class ServerReady(Struct, frozen=True, omit_defaults=True):
    """Whether the server is ready. The text of the specification names the key `live`; clients read `ready`."""

    live: bool
    ready: bool
    error: Annotated[str, Meta(description="Why the server is not ready; absent if it is.")] = ""


class ModelReady(Struct, frozen=True, omit_defaults=True):
    """Whether a model is ready."""

    name: str
    ready: bool
    error: Annotated[str, Meta(description="Why the model is not ready; absent if it is.")] = ""


class ErrorResponse(Struct, frozen=True):
    """The body of every error under `/v2`."""

    error: str


def model_metadata(model: LoadedModel) -> ModelMetadata:
    """Return the metadata of `model`."""
    inputs, outputs = ([TensorMetadata(*tensor) for tensor in tensors] for tensors in (model.inputs, model.outputs))
    return ModelMetadata(model.name, [model.version], model.platform, inputs, outputs)
