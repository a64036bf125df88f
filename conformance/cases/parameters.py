"""`parameters` of a request, its inputs and its outputs."""

from typing import Any, Final

from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.messages import Request
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
_PARAMETERS: Final = rest("Parameters")
_SAME: Final = "Status 200 and the outputs of the same request without parameters."
_NAME: Final = "conformance_unknown"
"""A parameter that no server knows."""


@cases.case("parameters.empty", "must", _PARAMETERS, expects=_SAME)
def empty(target: Target) -> None:
    """`parameters` has zero or more parameters."""
    _require_same(target, target.valid(parameters={}))


@cases.case("parameters.string", "should", _PARAMETERS, expects=_SAME)
def string(target: Target) -> None:
    """A parameter's value may be a string."""
    _require_same(target, target.valid(parameters={_NAME: "a text"}))


@cases.case("parameters.number", "should", _PARAMETERS, expects=_SAME)
def number(target: Target) -> None:
    """A parameter's value may be a number."""
    _require_same(target, target.valid(parameters={_NAME: 1.5, f"{_NAME}_whole": 9007199254740993}))


@cases.case("parameters.boolean", "should", _PARAMETERS, expects=_SAME)
def boolean(target: Target) -> None:
    """A parameter's value may be a boolean."""
    _require_same(target, target.valid(parameters={_NAME: True}))


@cases.case("parameters.of-an-input", "should", rest("Request Input"), expects=_SAME)
def of_an_input(target: Target) -> None:
    """An input may have parameters."""
    _require_same(target, target.changed(parameters={_NAME: "a text"}))


@cases.case("parameters.of-an-output", "should", rest("Request Output"), expects=_SAME)
def of_an_output(target: Target) -> None:
    """A requested output may have parameters."""
    wanted = [{"name": name, "parameters": {_NAME: "a text"}} for name in target.outputs]
    _require_same(target, target.valid(outputs=wanted))


@cases.case(
    "parameters.null", "unclear", _PARAMETERS, expects="`parameters` is an object, and optional; null is neither."
)
def null(target: Target) -> str:
    """`parameters` is an object."""
    return _behaviour(target, None)


@cases.case(
    "parameters.nested",
    "unclear",
    _PARAMETERS,
    expects="The grammar has strings, numbers and booleans; servers may have parameters of their own.",
)
def nested(target: Target) -> str:
    """A parameter's value is a string, a number or a boolean."""
    return _behaviour(target, {_NAME: {"a": [1, 2]}})


@cases.invalid("parameters.not-an-object", "should", openapi("parameters"), error_source=ERROR)
def not_an_object(target: Target) -> Request:
    """`parameters` is an object, so an array of texts is not what it can be."""
    return target.inference(target.valid(parameters=["a text"]))


def _require_same(target: Target, body: dict[str, Any]) -> None:
    target.require_same(target.inference(body), "without parameters")


def _behaviour(target: Target, parameters: object) -> str:
    answer = target.send(target.inference(target.valid(parameters=parameters)))
    return f"status {answer.status}"
