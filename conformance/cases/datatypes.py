"""Every tensor data type, at its bounds and beyond them."""

import json
from collections.abc import Sequence
from typing import Final

from conformance.case import Cases, Check
from conformance.cases.identifiers import ERROR
from conformance.datatypes import DATATYPES, Datatype, Element
from conformance.messages import Request
from conformance.outcomes import FailedError, NotApplicableError, UnclearError
from conformance.spec import rest
from conformance.target import Target

cases: Final = Cases()
_TYPES: Final = rest("Tensor Data Types")
_DATA: Final = rest("Tensor Data")
_INPUT: Final = rest("Request Input")


def _bounds_of(datatype: Datatype) -> Check:
    def bounds(target: Target) -> None:
        target.require_request()
        if all(tensor.datatype is not datatype for tensor in target.described.inputs):
            raise NotApplicableError("the model has no input of this data type")
        tensor = target.input_of(datatype.name)
        request = target.fill(tensor, list(datatype.bounds))
        answer = target.send(target.inference(request))
        if answer.is_error and (tensor.name not in target.echoes or datatype.name == "FP16"):
            raise UnclearError(
                f"refused with status {answer.status}: the server, or the model, may not take these values"
            )
        found = target.echoed(tensor, answer.require(200).object())
        if found is None:
            return
        sent = next(item for item in request["inputs"] if item["name"] == tensor.name)["data"]
        wrong = [
            f"{one!r} as {other!r}" for one, other in zip(sent, found, strict=False) if not datatype.same(one, other)
        ]
        if wrong or len(found) != len(sent):
            raise FailedError(f"came back: {', '.join(wrong[:3]) or f'{len(found)} elements for {len(sent)}'}")

    bounds.__doc__ = (
        f"An element of {datatype.name} takes {datatype.size} bytes: it is one of {', '.join(_json(datatype.bounds))}, "
        "for example."
    )
    return bounds


def _json(elements: Sequence[Element]) -> list[str]:
    return [json.dumps(element) for element in elements]


for _datatype in DATATYPES.values():
    if _datatype.code:
        cases.case(
            f"datatype.{_datatype.name.lower()}",
            "must",
            _TYPES,
            expects="Status 200; where an output repeats the input, the elements as they were sent.",
        )(_bounds_of(_datatype))


@cases.case(
    "datatype.out-of-range",
    "unclear",
    _DATA,
    expects="The server may coerce an element, or return an error.",
)
def out_of_range(target: Target) -> str:
    """An integer that its data type does not have is an unexpected value."""
    target.require_request()
    found: dict[str, list[str]] = {}
    for tensor in target.described.inputs:
        if tensor.datatype.outside:
            request = target.fill(tensor, [tensor.datatype.outside[1]])
            found.setdefault(f"status {target.send(target.inference(request)).status}", []).append(tensor.datatype.name)
    if not found:
        raise NotApplicableError("the model has no input of integers")
    return "; ".join(f"{status} for {', '.join(names)}" for status, names in found.items())


@cases.case(
    "datatype.other-kind",
    "unclear",
    _DATA,
    expects="The server may coerce an element, or return an error.",
)
def other_kind(target: Target) -> str:
    """An element of another kind (a number for BYTES, a string for the others) is an unexpected value."""
    tensor = target.first
    wrong: list[str | int] = [7] if tensor.datatype.name == "BYTES" else ["7"]
    answer = target.send(target.inference(target.fill(tensor, list(wrong))))
    return f"status {answer.status} for {json.dumps(wrong[0])} in {tensor.datatype.name}"


@cases.invalid("datatype.unknown", "should", _TYPES, error_source=ERROR)
def unknown(target: Target) -> Request:
    """A data type that is not in the table does not exist."""
    return target.inference(target.changed(datatype="FP128"))


@cases.invalid("datatype.of-another-input", "should", _INPUT, error_source=ERROR)
def other(target: Target) -> Request:
    """An input's data type is the one in the model's metadata."""
    tensor = target.first
    if tensor.datatype.name == "BYTES":
        return target.inference(
            target.changed(datatype="INT32", data=[1] * len(tensor.elements(target.shapes[tensor.name])))
        )
    texts = ["text"] * len(tensor.elements(target.shapes[tensor.name]))
    return target.inference(target.changed(datatype="BYTES", data=texts))


@cases.invalid("datatype.null-element", "should", _DATA, error_source=ERROR)
def null_element(target: Target) -> Request:
    """An element is an integer, a floating-point number, a string or a boolean: not null."""
    elements = target.changed()["inputs"][0]["data"]
    return target.inference(target.changed(data=[*elements[:-1], None]))


@cases.invalid("datatype.object-element", "should", _DATA, error_source=ERROR)
def object_element(target: Target) -> Request:
    """An element is an integer, a floating-point number, a string or a boolean: not an object."""
    elements = target.changed()["inputs"][0]["data"]
    return target.inference(target.changed(data=[*elements[:-1], {"value": 1}]))
