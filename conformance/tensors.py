"""A model's tensors as metadata describes them, and requests that fit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.datatypes import DATATYPES, Datatype, Element
from conformance.messages import kind
from conformance.outcomes import FailedError

VARIABLE: Final = -1
"""What a dimension of variable size is in metadata."""


@dataclass(frozen=True)
class Tensor:
    """An input or output, as the model's metadata describes it."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]

    def sized(self, *sizes: int) -> tuple[int, ...]:
        """The shape, its dimensions of variable size replaced: the first by `sizes[0]`, ..., the rest by the last."""
        left = list(sizes)
        return tuple((left.pop(0) if len(left) > 1 else left[0]) if size == VARIABLE else size for size in self.shape)

    @property
    def varies(self) -> bool:
        """Whether a dimension is of variable size."""
        return VARIABLE in self.shape

    def elements(self, shape: Sequence[int], *, shift: int = 0) -> list[Element]:
        """As many samples as `shape` has elements; another `shift`, other samples."""
        samples = self.datatype.samples
        return [samples[(index + shift) % len(samples)] for index in range(math.prod(shape))]

    def filled(self, shape: Sequence[int], elements: Sequence[Element] | None = None) -> dict[str, Any]:
        """The tensor as a request's input, its data flat."""
        data = list(elements) if elements is not None else self.elements(shape)
        return {"name": self.name, "shape": list(shape), "datatype": self.datatype.name, "data": data}


@dataclass(frozen=True)
class ModelMetadata:
    """A model's metadata, as far as requests need it."""

    name: str
    versions: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read_metadata(value: dict[str, Any]) -> ModelMetadata:
    """The metadata in a model metadata response.

    Raises:
        FailedError: it does not describe the tensors.
    """
    versions = value.get("versions") or []
    if not isinstance(versions, list) or not all(isinstance(version, str) for version in versions):
        raise FailedError("'versions' is not an array of strings")
    name = value.get("name")
    return ModelMetadata(
        name if isinstance(name, str) else "", tuple(versions), _tensors(value, "inputs"), _tensors(value, "outputs")
    )


def _tensors(value: dict[str, Any], key: str) -> tuple[Tensor, ...]:
    tensors = value.get(key)
    if not isinstance(tensors, list):
        raise FailedError(f"'{key}' is {kind(tensors)}, not an array")
    return tuple(_tensor(tensor, f"{key}[{index}]") for index, tensor in enumerate(tensors))


def _tensor(value: object, where: str) -> Tensor:
    if not isinstance(value, dict):
        raise FailedError(f"{where} is {kind(value)}, not an object")
    name, datatype, shape = value.get("name"), value.get("datatype"), value.get("shape")
    if not isinstance(name, str) or not name:
        raise FailedError(f"{where}.name is {kind(name)}, not a text")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise FailedError(f"{where}.datatype is {kind(datatype)}, which is not in the table of tensor data types")
    if not isinstance(shape, list) or not all(type(size) is int and size >= VARIABLE for size in shape):
        raise FailedError(f"{where}.shape is {shape!r}, not an array of integers from -1 upward")
    return Tensor(name, DATATYPES[datatype], tuple(shape))


def nested(data: Sequence[Any], shape: Sequence[int]) -> list[Any]:
    """Flat data in its natural representation: a list of lists for each dimension of `shape`."""
    if not shape[1:]:
        return list(data)
    step = math.prod(shape[1:])
    return [nested(data[start : start + step], shape[1:]) for start in range(0, len(data), step)]


def flat(data: Any) -> list[Any]:
    """Nested data in row-major order."""
    if not isinstance(data, list):
        return [data]
    return [element for item in data for element in flat(item)]
