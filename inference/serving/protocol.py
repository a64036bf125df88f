"""The Open Inference Protocol v2 over REST: its messages, and how they become texts and answers.

The specification is at https://github.com/open-inference-protocol. One input tensor, `text` (BYTES), holds the texts;
two output tensors hold the answers: `label` (BYTES) and `probabilities` (FP64, a column a label in the model's order).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from inference.errors import BadRequestError
from inference.serving import binary

if TYPE_CHECKING:
    from inference.model.classifier import Prediction, TextClassifier

INPUT: Final = "text"
LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
OUTPUTS: Final = (LABEL, PROBABILITIES)
BINARY_HEADER: Final = b"inference-header-content-length"
"""HTTP header that says how many bytes of a body are JSON; the rest are binary tensors."""
_MOST_DIMENSIONS_SHOWN: Final = 8
BYTES: Final = "BYTES"
FP64: Final = "FP64"
PLATFORM: Final = "tenantry_naive_bayes"


class Parameters(Struct):
    """Three are known; others are passed over, since a client could make them cost more than all else."""

    binary_data_size: Annotated[
        int | UnsetType,
        Meta(description="Of an input: bytes of the tensor behind the JSON, where its data is not in it."),
    ] = UNSET
    binary_data: Annotated[
        bool | UnsetType, Meta(description="Of an output: whether its data follows the JSON in binary form.")
    ] = UNSET
    binary_data_output: Annotated[
        bool, Meta(description="Of the request: `binary_data` of every output that does not have its own.")
    ] = False


class InferInput(Struct):
    """A tensor that comes in."""

    name: Annotated[str, Meta(description="`text`.", examples=[INPUT])]
    shape: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(description="`[n]` or `[n, 1]`.", examples=[[1]])]
    datatype: Annotated[str, Meta(description="`BYTES`.", examples=[BYTES])]
    data: Annotated[
        list[str | list[str]] | UnsetType,
        Meta(
            description="The texts, flat or nested as `shape` says; absent where they follow the JSON in binary form.",
            examples=[["Win a free prize now"]],
        ),
    ] = UNSET
    parameters: Parameters | None = None


class InferOutputRequest(Struct):
    """An output that is asked for."""

    name: Annotated[str, Meta(description="`label` or `probabilities`.", examples=[LABEL])]
    parameters: Parameters | None = None


class InferRequest(Struct):
    """Texts to classify."""

    inputs: Annotated[list[InferInput], Meta(description="Exactly one tensor, `text`.")]
    id: Annotated[str | None, Meta(description="Echoed in the answer.")] = None
    parameters: Parameters | None = None
    outputs: Annotated[
        list[InferOutputRequest] | None, Meta(description="The outputs that are wanted; absent or empty: all.")
    ] = None


class OutputParameters(Struct, frozen=True):
    """Of a tensor that goes out in binary form."""

    binary_data_size: Annotated[int, Meta(description="Bytes of the tensor behind the JSON.")]


class InferOutput(Struct, frozen=True):
    """A tensor that goes out."""

    name: str
    shape: list[int]
    datatype: str
    data: Annotated[
        Sequence[str | float] | UnsetType, Meta(description="Absent where it follows the JSON in binary form.")
    ] = UNSET
    parameters: OutputParameters | UnsetType = UNSET


class InferResponse(Struct, frozen=True):
    """The answers, a row a text."""

    model_name: str
    model_version: Annotated[str, Meta(description="The first 12 hexadecimal digits of the model's digest.")]
    outputs: list[InferOutput]
    id: Annotated[str | UnsetType, Meta(description="The request's, absent when it had none.")] = UNSET


class TensorMetadata(Struct, frozen=True):
    """What a tensor is like; -1 where its shape varies."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(Struct, frozen=True):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(Struct, frozen=True):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


class ModelList(Struct, frozen=True):
    """The models that the server has. Not in the protocol: KServe lists its models so."""

    models: list[str]


class ServerLive(Struct, frozen=True):
    """Whether the server answers at all."""

    live: bool


class ServerReady(Struct, frozen=True, omit_defaults=True):
    """Whether the server has its model. The specification's text calls the key `live`, its clients `ready`."""

    live: bool
    ready: bool
    error: Annotated[str, Meta(description="Why not, when it is not.")] = ""


class ModelReady(Struct, frozen=True, omit_defaults=True):
    """Whether a model can be asked."""

    name: str
    ready: bool
    error: Annotated[str, Meta(description="Why not, when it is not.")] = ""


class ErrorResponse(Struct, frozen=True):
    """Every error of the protocol's routes."""

    error: str


def metadata(model: "TextClassifier") -> ModelMetadata:
    """What `model` takes and gives."""
    return ModelMetadata(
        name=model.name,
        versions=[model.version],
        platform=PLATFORM,
        inputs=[TensorMetadata(INPUT, BYTES, [-1])],
        outputs=[TensorMetadata(LABEL, BYTES, [-1]), TensorMetadata(PROBABILITIES, FP64, [-1, len(model.labels)])],
    )


def texts_of(request: InferRequest, most: int) -> list[str]:
    """The texts of a request's one tensor, at `most` so many.

    Raises:
        BadRequestError: the tensor is missing, another one, too large, or its data does not fit its shape.
    """
    if len(request.inputs) != 1 or request.inputs[0].name != INPUT:
        found = ", ".join(f"'{tensor.name[:100]}'" for tensor in request.inputs[:3]) or "none"
        raise BadRequestError(f"inputs: exactly one tensor named '{INPUT}' is needed, found {found}")
    tensor = request.inputs[0]
    if tensor.datatype != BYTES:
        raise BadRequestError(f"inputs[0].datatype: '{INPUT}' is of datatype {BYTES}, not '{tensor.datatype[:100]}'")
    shape = tensor.shape
    if shape[1:] not in ([], [1]) or not shape:
        found = str(shape) if len(shape) <= _MOST_DIMENSIONS_SHOWN else f"one of {len(shape)} dimensions"
        raise BadRequestError(f"inputs[0].shape: '{INPUT}' has shape [n] or [n, 1], not {found}")
    if shape[0] == 0:
        raise BadRequestError("inputs[0].shape: at least one text is needed")
    if tensor.data is UNSET:
        raise BadRequestError("inputs[0].data: the texts are missing")
    if shape[0] > most:
        raise BadRequestError(f"inputs[0].shape: {shape[0]} texts; a request has at most {most}")
    if len(tensor.data) != shape[0]:
        raise BadRequestError(f"inputs[0].data: shape {shape} means {shape[0]} texts, found {len(tensor.data)}")
    return list(_flat(tensor.data, nested=len(shape) > 1))


def read_binary(request: InferRequest, raw: bytes, most: int) -> None:
    """Take the texts from behind the JSON: the binary tensor data extension, by which KServe's client sends arrays.

    Each text is its length in bytes (4 bytes, little-endian) and then its UTF-8.

    Raises:
        BadRequestError: the bytes are not what the JSON says they are.
    """
    for tensor in request.inputs:
        size = tensor.parameters.binary_data_size if tensor.parameters else UNSET
        if size is UNSET:
            continue
        if not 0 <= size <= len(raw) or tensor.data is not UNSET:
            raise BadRequestError(
                f"inputs: binary_data_size of '{tensor.name[:100]}' does not fit what follows the JSON"
            )
        tensor.data = list(islice(_binary_texts(raw[:size]), most + 1))
        raw = raw[size:]
    if raw:
        raise BadRequestError(f"{len(raw)} bytes behind the JSON belong to no tensor")


def wanted_outputs(request: InferRequest) -> Mapping[str, bool]:
    """The names of the outputs that a request asks for, in its order, each with whether it is wanted in binary form.

    Raises:
        BadRequestError: one of them does not exist.
    """
    in_binary = request.parameters is not None and request.parameters.binary_data_output
    if not request.outputs:
        return dict.fromkeys(OUTPUTS, in_binary)
    wanted: dict[str, bool] = {}
    for index, output in enumerate(request.outputs):
        if output.name not in OUTPUTS:
            raise BadRequestError(
                f"outputs[{index}].name: there is no output '{output.name[:100]}'; there are {', '.join(OUTPUTS)}"
            )
        own = output.parameters.binary_data if output.parameters else UNSET
        wanted.setdefault(output.name, in_binary if own is UNSET else own)
    return wanted


def response(
    request: InferRequest, model: "TextClassifier", predictions: Sequence["Prediction"]
) -> tuple[InferResponse, bytes | None]:
    """The answer to `request`: its JSON, and the binary tensors behind it; None where no output is in binary form."""
    rows = len(predictions)
    outputs: list[InferOutput] = []
    tensors: list[bytes] = []
    for name, in_binary in wanted_outputs(request).items():
        if name == LABEL:
            shape, datatype = [rows], BYTES
            labels = [prediction.label for prediction in predictions]
            data: Sequence[str | float] = labels
            packed = binary.pack_texts(labels) if in_binary else b""
        else:
            shape, datatype = [rows, len(model.labels)], FP64
            data = probabilities = list(_flat_probabilities(predictions))
            packed = binary.pack_doubles(probabilities) if in_binary else b""
        if in_binary:
            tensors.append(packed)
            outputs.append(InferOutput(name, shape, datatype, parameters=OutputParameters(len(packed))))
        else:
            outputs.append(InferOutput(name, shape, datatype, data))
    answer = InferResponse(model.name, model.version, outputs, UNSET if request.id is None else request.id)
    return answer, b"".join(tensors) if tensors else None


def _flat(data: list[str | list[str]], *, nested: bool) -> Iterator[str]:
    """The texts of `data`, each alone in a list if they are `nested`; flat data is right for either shape."""
    for index, item in enumerate(data):
        if isinstance(item, str):
            yield item
        elif nested and len(item) == 1:
            yield item[0]
        else:
            raise BadRequestError(f"inputs[0].data[{index}]: neither flat nor nested as the shape says")


def _binary_texts(raw: bytes) -> Iterator[str]:
    start = 0
    while start < len(raw):
        end = start + 4 + int.from_bytes(raw[start : start + 4], "little")
        if end > len(raw):
            raise BadRequestError("inputs: the last binary text is cut off")
        try:
            yield raw[start + 4 : end].decode()
        except UnicodeDecodeError as error:
            raise BadRequestError(f"inputs: a binary text is not UTF-8: {error.reason}") from error
        start = end


def _flat_probabilities(predictions: Sequence["Prediction"]) -> Iterator[float]:
    for prediction in predictions:
        yield from prediction.probabilities
