"""The tensors of a text classifier: texts from a request, and a response from predictions.

The input `text` (BYTES) holds the texts. The outputs are `label` (BYTES) and `probabilities` (FP64, one column per
label, in the order of the model's labels).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import UNSET

from inference.errors import BadRequestError
from inference.model.classifier import LABEL, PROBABILITIES, TEXT
from inference.model.interface import BYTES, FP64, LoadedModel, Prediction
from inference.serving.protocol import outputs
from inference.serving.protocol.binary import pack_doubles, pack_texts, split_tensors, unpack_texts
from inference.serving.protocol.messages import InferOutput, InferRequest, InferResponse, OutputParameters

OUTPUTS: Final = (LABEL, PROBABILITIES)
_MAX_DIMENSIONS_SHOWN: Final = 8


def read_binary_texts(request: InferRequest, raw: bytes, max_texts: int) -> None:
    """Move the texts after the JSON into the inputs of `request`; stop after `max_texts` + 1 of them.

    Raises:
        BadRequestError: The bytes are not what the JSON specifies.
    """
    for tensor, part in split_tensors(request.inputs, raw):
        tensor.data = list(islice(unpack_texts(part), max_texts + 1))


def request_texts(request: InferRequest, max_texts: int) -> list[str]:
    """Return the texts of the input tensor.

    Raises:
        BadRequestError: The tensor is missing, is not `text`, has more than `max_texts` texts, or its data does not
            match its shape.
    """
    if len(request.inputs) != 1 or request.inputs[0].name != TEXT:
        found = ", ".join(f"'{tensor.name[:100]}'" for tensor in request.inputs[:3]) or "none"
        raise BadRequestError(f"inputs: exactly one tensor named '{TEXT}' is required, found {found}")
    tensor = request.inputs[0]
    if tensor.datatype != BYTES:
        raise BadRequestError(f"inputs[0].datatype: '{TEXT}' has datatype {BYTES}, not '{tensor.datatype[:100]}'")
    shape = tensor.shape
    if shape[1:] not in ([], [1]) or not shape:
        found = str(shape) if len(shape) <= _MAX_DIMENSIONS_SHOWN else f"one of {len(shape)} dimensions"
        raise BadRequestError(f"inputs[0].shape: '{TEXT}' has shape [n] or [n, 1], not {found}")
    if shape[0] == 0:
        raise BadRequestError("inputs[0].shape: at least one text is required")
    if tensor.data is UNSET:
        raise BadRequestError("inputs[0].data: the texts are missing")
    if shape[0] > max_texts:
        raise BadRequestError(f"inputs[0].shape: {shape[0]} texts; a request has at most {max_texts}")
    if len(tensor.data) != shape[0]:
        raise BadRequestError(f"inputs[0].data: shape {shape} means {shape[0]} texts, found {len(tensor.data)}")
    return list(_flat(tensor.data, is_nested=len(shape) > 1))


def requested_outputs(request: InferRequest) -> Mapping[str, bool]:
    """Return the names of the requested outputs in their order, each with whether it is requested in binary form.

    Raises:
        BadRequestError: An output does not exist.
    """
    return outputs.requested_outputs(request, OUTPUTS)


def infer_response(
    request: InferRequest, model: LoadedModel, predictions: Sequence[Prediction]
) -> tuple[InferResponse, bytes | None]:
    """Return the response to `request` and the binary tensors that follow it; None if no output is in binary form."""
    rows = len(predictions)
    found: list[InferOutput] = []
    tensors: list[bytes] = []
    for name, is_binary in requested_outputs(request).items():
        if name == LABEL:
            shape, datatype = [rows], BYTES
            labels = [prediction.label for prediction in predictions]
            data: Sequence[str | float] = labels
            packed = pack_texts(labels) if is_binary else b""
        else:
            shape, datatype = [rows, len(model.labels)], FP64
            data = probabilities = [share for prediction in predictions for share in prediction.probabilities]
            packed = pack_doubles(probabilities) if is_binary else b""
        if is_binary:
            tensors.append(packed)
            found.append(InferOutput(name, shape, datatype, parameters=OutputParameters(len(packed))))
        else:
            found.append(InferOutput(name, shape, datatype, data))
    response = InferResponse(model.name, model.version, found, UNSET if request.id is None else request.id)
    return response, b"".join(tensors) if tensors else None


def _flat(data: list[str | list[str]], *, is_nested: bool) -> Iterator[str]:
    """Return the texts of `data`. If the shape is nested, each text may be alone in a list."""
    for index, item in enumerate(data):
        if isinstance(item, str):
            yield item
        elif is_nested and len(item) == 1:
            yield item[0]
        else:
            raise BadRequestError(f"inputs[0].data[{index}]: neither flat nor nested like the shape")
