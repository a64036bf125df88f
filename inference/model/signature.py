"""What an ONNX model takes and gives, in `manifest.json` of format 3: its tensors and features."""

from collections.abc import Sequence
from math import prod
from typing import Annotated, Final, Literal

import msgspec

MAX_FEATURES: Final = 256
"""A model with more features is not tabular: it takes tensors only, and its drift is not measured per feature."""
MAX_NAME: Final = 100
"""Characters of a feature's name."""
FREE: Final = -1
"""A dimension that differs between requests; the first of every tensor is: the number of rows."""


def fits(shape: Sequence[int], described: Sequence[int]) -> bool:
    """Return whether a tensor of this shape is as described; `FREE` allows any size."""
    return len(shape) == len(described) and all(
        wanted in {FREE, size} for wanted, size in zip(described, shape, strict=True)
    )


Datatype = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES"
]
"""As the Open Inference Protocol names them."""
Meaning = Literal["label", "probabilities", "value"]
Cell = bool | int | float | str
"""One element of a tensor in JSON."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the manifest."""


class TensorSignature(_Part, frozen=True):
    """A tensor of the model: `shape` has -1 (`FREE`) where it varies."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    datatype: Datatype
    shape: Annotated[tuple[Annotated[int, msgspec.Meta(ge=FREE)], ...], msgspec.Meta(min_length=1, max_length=8)]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.shape[1:]

    @property
    def row_elements(self) -> int:
        """Elements of one row; a dimension that varies counts as 1."""
        return prod(max(size, 1) for size in self.row_shape)


class OutputSignature(TensorSignature, frozen=True):
    """A tensor that the model gives.

    `label`: the most probable label, as the model writes it. `probabilities`: one per label, in the order of the
    manifest's labels. `value`: anything else.
    """

    meaning: Meaning


class FeatureBaseline(_Part, frozen=True):
    """A feature in the training data: the share of rows in which it is missing, and the range of the others.

    `low` and `high` are None if the feature is not a number; a string is out of range if it is not one of `values`.
    """

    missing: Annotated[float, msgspec.Meta(ge=0, le=1)]
    low: float | None
    high: float | None
    values: tuple[str, ...] | None


class Feature(_Part, frozen=True):
    """A column of tabular data: element `column` of each row of the tensor `input`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    input: str
    column: Annotated[int, msgspec.Meta(ge=0)]
    baseline: FeatureBaseline | None


class TestVector(_Part, frozen=True):
    """Inputs and the outputs that the import found for them, each flat in row-major order, by the tensor's name.

    A free dimension other than the first is 1 in the inputs.
    """

    rows: Annotated[int, msgspec.Meta(ge=1)]
    inputs: dict[str, list[Cell]]
    outputs: dict[str, list[Cell]]


def default_features(inputs: tuple[TensorSignature, ...]) -> tuple[Feature, ...]:
    """The features of tabular inputs, none if they are not: an input with one column has its name, else `f0`, ..."""
    if any(len(each.shape) > 2 or FREE in each.row_shape for each in inputs):  # noqa: PLR2004 - rows and columns
        return ()
    if sum(each.row_elements for each in inputs) > MAX_FEATURES:
        return ()
    alone = len(inputs) == 1
    return tuple(
        Feature(name=_feature_name(each, column, alone=alone), input=each.name, column=column, baseline=None)
        for each in inputs
        for column in range(each.row_elements)
    )


def _feature_name(tensor: TensorSignature, column: int, *, alone: bool) -> str:
    if tensor.row_elements == 1:
        return tensor.name
    return f"f{column}" if alone else f"{tensor.name}_{column}"
