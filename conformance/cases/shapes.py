"""Shapes, and how data fits them."""

import math
from typing import Final

from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.messages import Request
from conformance.outcomes import NotApplicableError
from conformance.spec import rest
from conformance.target import Target
from conformance.tensors import VARIABLE, nested

cases: Final = Cases()
_INPUT: Final = rest("Request Input")
_DATA: Final = rest("Tensor Data")
_METADATA: Final = rest("Model Metadata Response JSON Object")
_TWO_TO_THE_64TH: Final = 2**64


@cases.case("shape.variable", "must", _METADATA, expects="Status 200 for 1, 2 and 5 in the first dimension.")
def variable(target: Target) -> None:
    """A dimension of -1 in the metadata is of variable size."""
    target.require_request()
    inputs = target.described.inputs
    if not all(tensor.shape and tensor.shape[0] == VARIABLE for tensor in inputs):
        raise NotApplicableError("the first dimension of an input does not vary")
    for size in (1, 2, 5):
        shapes = [(size, *target.shapes[tensor.name][1:]) for tensor in inputs]
        target.ask({"inputs": [tensor.filled(shape) for tensor, shape in zip(inputs, shapes, strict=True)]})


@cases.case("shape.nested", "must", _DATA, expects="Status 200.")
def nested_data(target: Target) -> None:
    """Data may be nested as the shape says, or flat."""
    target.send(_nested(target)).require(200)


@cases.case("shape.row-major", "must", _DATA, expects="The outputs of the same request with flat data.")
def row_major(target: Target) -> None:
    """Data is in row-major order, flat as well as nested."""
    request = _nested(target)
    if target.send(request).is_error:
        raise NotApplicableError("nested data is refused; see shape.nested")
    target.require_same(request, "with flat data")


@cases.case(
    "shape.zero", "unclear", _INPUT, expects="0 is an unsigned integer; whether a model takes no elements is its own."
)
def zero(target: Target) -> str:
    """A dimension may be any unsigned 64-bit integer."""
    shape = [0, *target.shapes[target.first.name][1:]]
    return _behaviour(target, target.inference(target.changed(shape=shape, data=[])))


@cases.case(
    "shape.rank",
    "unclear",
    _METADATA,
    expects="Metadata has a shape; the text does not say that a request's has as many dimensions.",
)
def rank(target: Target) -> str:
    """The metadata describes the shape of an input."""
    shape = [*target.shapes[target.first.name], 1]
    return _behaviour(target, target.inference(target.changed(shape=shape)))


@cases.invalid("shape.too-few-elements", "should", _INPUT, error_source=ERROR)
def too_few(target: Target) -> Request:
    """Shape and data must represent the full contents: here data has one element fewer than the shape."""
    elements = target.changed()["inputs"][0]["data"]
    if len(elements) == 1:
        raise NotApplicableError("the input has one element")
    return target.inference(target.changed(data=elements[:-1]))


@cases.invalid("shape.too-many-elements", "should", _INPUT, error_source=ERROR)
def too_many(target: Target) -> Request:
    """Shape and data must represent the full contents: here data has one element more than the shape."""
    elements = target.changed()["inputs"][0]["data"]
    return target.inference(target.changed(data=[*elements, elements[0]]))


@cases.invalid("shape.negative", "should", _INPUT, error_source=ERROR)
def negative(target: Target) -> Request:
    """A dimension is an unsigned integer; -1 is for metadata only."""
    return target.inference(target.changed(shape=[-1, *target.shapes[target.first.name][1:]]))


@cases.invalid("shape.fraction", "should", _INPUT, error_source=ERROR)
def fraction(target: Target) -> Request:
    """A dimension is an integer."""
    shape = target.shapes[target.first.name]
    return target.inference(target.changed(shape=[shape[0] + 0.5, *shape[1:]]))


@cases.invalid("shape.text", "should", _INPUT, error_source=ERROR)
def text(target: Target) -> Request:
    """A dimension is a number, not a string."""
    return target.inference(target.changed(shape=[str(size) for size in target.shapes[target.first.name]]))


@cases.invalid("shape.not-an-array", "should", _INPUT, error_source=ERROR)
def not_an_array(target: Target) -> Request:
    """`shape` is an array, not a number."""
    return target.inference(target.changed(shape=math.prod(target.shapes[target.first.name])))


@cases.invalid("shape.beyond-64-bits", "should", _INPUT, error_source=ERROR)
def beyond_64_bits(target: Target) -> Request:
    """A dimension is representable as an unsigned 64-bit integer."""
    return target.inference(target.changed(shape=[_TWO_TO_THE_64TH, *target.shapes[target.first.name][1:]]))


@cases.invalid("shape.overflowing", "should", _INPUT, error_source=ERROR)
def overflowing(target: Target) -> Request:
    """The product of the shape is the number of elements, also where it is 2 to the power of 64 and overflows to 0."""
    return target.inference(target.changed(shape=[2**32, 2**32], data=[]))


@cases.invalid("shape.fixed-dimension", "should", _METADATA, error_source=ERROR)
def fixed_dimension(target: Target) -> Request:
    """A dimension that is not -1 in the metadata has that size."""
    target.require_request()
    for tensor in target.described.inputs:
        for index, size in enumerate(tensor.shape):
            if size != VARIABLE:
                shape = list(target.shapes[tensor.name])
                shape[index] += 1
                return target.inference(target.changed(tensor, shape=shape, data=tensor.elements(shape)))
    raise NotApplicableError("every dimension of every input varies")


@cases.invalid("shape.ragged", "should", _DATA, error_source=ERROR)
def ragged(target: Target) -> Request:
    """Nested data has rows of the same length: here the last row has one element fewer than the shape says."""
    tensor = target.input_of(dimensions=2)
    shape = target.shapes[tensor.name]
    if shape[-1] == 1:
        raise NotApplicableError("the input's rows have one element")
    data = nested(tensor.elements(shape), shape)
    row = data
    while isinstance(row[-1], list):
        row = row[-1]
    row.pop()
    return target.inference(target.changed(tensor, data=data))


@cases.invalid("shape.nested-otherwise", "should", _DATA, error_source=ERROR)
def nested_otherwise(target: Target) -> Request:
    """Data is nested as the shape says, or flat: here each element is in one array more than it should be."""
    tensor = target.first
    shape = target.shapes[tensor.name]
    data = [nested([element], (1,) * (len(shape) + 1)) for element in tensor.elements(shape)]
    return target.inference(target.changed(tensor, data=data))


def _nested(target: Target) -> Request:
    tensor = target.input_of(dimensions=2)
    shape = target.shapes[tensor.name]
    return target.inference(target.changed(tensor, data=nested(tensor.elements(shape), shape)))


def _behaviour(target: Target, request: Request) -> str:
    return f"status {target.send(request).status}"
