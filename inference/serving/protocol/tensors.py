"""The tensors of an ONNX model: arrays from a request, and a response from arrays.

This module imports NumPy, which only the image `onnx` contains.
"""

from collections.abc import Mapping
from functools import cache
from itertools import islice
from math import prod
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import UNSET

from inference.errors import BadRequestError
from inference.model.interface import BYTES, TensorSpec
from inference.model.onnx_model import DTYPES, Array, OnnxModel
from inference.model.signature import fits
from inference.serving.protocol.binary import pack_texts, split_tensors, unpack_texts
from inference.serving.protocol.messages import InferOutput, InferResponse, OutputParameters
from inference.serving.protocol.tensor_messages import TensorInput, TensorRequest

_MAX_NAME: Final = 100
_MAX_MESSAGE: Final = 200
_MAX_DIMENSIONS_SHOWN: Final = 8
_LITTLE_ENDIAN: Final = {name: np.dtype(kind).newbyteorder("<") for name, kind in DTYPES.items() if name != BYTES}


def read_binary(request: TensorRequest, raw: bytes) -> None:
    """Move the tensors after the JSON into the inputs of `request`.

    Raises:
        BadRequestError: The bytes do not have the size that the JSON specifies.
    """
    for tensor, part in split_tensors(request.inputs, raw):
        tensor.data = part  # type: ignore[assignment] # a decoder returns Raw: bytes mark a binary tensor


def request_arrays(request: TensorRequest, specs: Mapping[str, TensorSpec], max_rows: int) -> dict[str, Array]:
    """Return the input arrays of a request.

    Args:
        request: The JSON of the request.
        specs: The inputs of the model, by name.
        max_rows: Rows that a request may have.

    Raises:
        BadRequestError: An input is missing, unknown or repeated, or its datatype, shape or data is wrong.
    """
    arrays: dict[str, Array] = {}
    for index, tensor in enumerate(request.inputs):
        where = f"inputs[{index}]"
        spec = specs.get(tensor.name)
        if spec is None:
            raise BadRequestError(
                f"{where}.name: unknown input '{tensor.name[:_MAX_NAME]}'; the model has {', '.join(specs)}"
            )
        if tensor.name in arrays:
            raise BadRequestError(f"{where}.name: '{tensor.name}' is given twice")
        _check_shape(where, spec, tensor, max_rows)
        data: object = tensor.data
        arrays[tensor.name] = _unpack(where, tensor, data) if isinstance(data, bytes) else _decode(where, tensor)
    if len(arrays) != len(specs):
        missing = next(name for name in specs if name not in arrays)
        raise BadRequestError(f"inputs: '{missing}' is missing; the model has the inputs {', '.join(specs)}")
    _check_rows(request)
    return arrays


def infer_response(
    model: OnnxModel, requested: Mapping[str, bool], request_id: str | None, arrays: Mapping[str, Array]
) -> tuple[InferResponse, bytes | None]:
    """Return the response to a request and the binary tensors that follow it; None if no output is in binary form.

    Args:
        model: The model that answered.
        requested: The requested outputs in their order, each with whether it is requested in binary form.
        request_id: Of the request.
        arrays: The outputs, by name.
    """
    datatypes = {spec.name: spec.datatype for spec in model.outputs}
    outputs: list[InferOutput] = []
    tensors: list[bytes] = []
    for name, is_binary in requested.items():
        array, datatype = arrays[name], datatypes[name]
        shape = list(array.shape)
        if is_binary:
            packed = _pack(array, datatype)
            tensors.append(packed)
            outputs.append(InferOutput(name, shape, datatype, parameters=OutputParameters(len(packed))))
        else:
            outputs.append(InferOutput(name, shape, datatype, array.ravel().tolist()))
    response = InferResponse(model.name, model.version, outputs, UNSET if request_id is None else request_id)
    return response, b"".join(tensors) if tensors else None


def nested(values: object, datatype: str, dimensions: int) -> Any:
    """Return `values` if they are `dimensions` lists deep and hold elements of `datatype`.

    Raises:
        msgspec.ValidationError: They are not.
    """
    return msgspec.convert(values, _type(datatype, dimensions))


def to_array(values: Any, datatype: str) -> Array:
    """Return an array of checked values.

    Raises:
        ValueError: The lists in them have different lengths, or a number does not fit the datatype.
    """
    try:
        with np.errstate(over="raise"):
            return np.array(values, DTYPES[datatype])
    except (OverflowError, FloatingPointError) as error:
        raise ValueError(f"a number is out of the range of {datatype}") from error


def _check_shape(where: str, spec: TensorSpec, tensor: TensorInput, max_rows: int) -> None:
    if tensor.datatype != spec.datatype:
        raise BadRequestError(
            f"{where}.datatype: '{spec.name}' has datatype {spec.datatype}, not '{tensor.datatype[:_MAX_NAME]}'"
        )
    shape = tensor.shape
    if not fits(shape, spec.shape):
        found = str(shape) if len(shape) <= _MAX_DIMENSIONS_SHOWN else f"one of {len(shape)} dimensions"
        raise BadRequestError(f"{where}.shape: '{spec.name}' has shape {list(spec.shape)}, not {found[:_MAX_MESSAGE]}")
    if shape[0] == 0:
        raise BadRequestError(f"{where}.shape: at least one row is required")
    if shape[0] > max_rows:
        raise BadRequestError(f"{where}.shape: {shape[0]} rows; a request has at most {max_rows}")


def _check_rows(request: TensorRequest) -> None:
    """The first dimension of every input is the number of rows: ONNX Runtime would repeat those of a shorter one."""
    first = request.inputs[0]
    for index, tensor in enumerate(request.inputs):
        if tensor.shape[0] != first.shape[0]:
            raise BadRequestError(
                f"inputs[{index}].shape: '{tensor.name}' has {tensor.shape[0]} rows and '{first.name}' has"
                f" {first.shape[0]}; all inputs must have the same number of rows"
            )


def _decode(where: str, tensor: TensorInput) -> Array:
    if tensor.data is UNSET:
        raise BadRequestError(f"{where}.data: the data of '{tensor.name}' is missing")
    data = bytes(tensor.data)
    is_nested = len(tensor.shape) > 1 and data[1:].lstrip().startswith(b"[")
    try:
        values = _decoder(tensor.datatype, len(tensor.shape) if is_nested else 1).decode(data)
        array = to_array(values, tensor.datatype)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadRequestError(f"{where}.data: {_reason(error)}") from error
    if array.size != prod(tensor.shape) or (is_nested and list(array.shape) != tensor.shape):
        raise BadRequestError(
            f"{where}.data: shape {tensor.shape} means {prod(tensor.shape)} elements, found"
            f" {list(array.shape) if is_nested else array.size}"
        )
    return array.reshape(tensor.shape)


def _reason(error: Exception) -> str:
    """What is wrong with the data, without the data."""
    if "inhomogeneous" in str(error):
        return "neither flat nor nested like the shape"
    return str(error)[:_MAX_MESSAGE]


def _unpack(where: str, tensor: TensorInput, part: bytes) -> Array:
    count = prod(tensor.shape)
    if tensor.datatype == BYTES:
        texts = list(islice(unpack_texts(part), min(count, len(part)) + 1))
        if len(texts) != count:
            raise BadRequestError(f"{where}: shape {tensor.shape} means {count} binary texts, found another number")
        return np.array(texts, object).reshape(tensor.shape)
    dtype = _LITTLE_ENDIAN[tensor.datatype]
    if len(part) != count * dtype.itemsize:
        raise BadRequestError(
            f"{where}: shape {tensor.shape} of {tensor.datatype} means {count * dtype.itemsize} bytes of binary data,"
            f" found {len(part)}"
        )
    if tensor.datatype == "BOOL" and part.translate(None, b"\x00\x01"):
        raise BadRequestError(f"{where}: a binary element of BOOL is 0 or 1")
    return np.frombuffer(part, dtype).astype(DTYPES[tensor.datatype], copy=False).reshape(tensor.shape)


def _pack(array: Array, datatype: str) -> bytes:
    if datatype == BYTES:
        return pack_texts(array.ravel().tolist())
    return array.astype(_LITTLE_ENDIAN[datatype], copy=False).tobytes()


def _element(datatype: str) -> Any:
    if datatype == BYTES:
        return str
    if datatype == "BOOL":
        return bool
    return float if datatype.startswith("FP") else int


@cache
def _type(datatype: str, dimensions: int) -> Any:
    kind = _element(datatype)
    for _ in range(dimensions):
        kind = list.__class_getitem__(kind)
    return kind


@cache
def _decoder(datatype: str, dimensions: int) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(_type(datatype, dimensions))
