"""The outputs that a request names."""

from typing import Final

from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.messages import Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.responses import outputs
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
_REQUEST: Final = rest("Request Output")
_FIELD: Final = rest("Inference Request JSON Object")


@cases.case("outputs.named", "must", rest("Inference Request Examples"), expects="The named output, for each output.")
def named(target: Target) -> None:
    """The server must return an output that a request names."""
    for name in _names(target):
        found = outputs(target.ask(target.valid(outputs=[{"name": name}])))
        if name not in found:
            raise FailedError(f"output '{name}' was requested; the response has {', '.join(found) or 'none'}")


@cases.case("outputs.only", "should", _REQUEST, expects="No other output than the one that is named.")
def only(target: Target) -> None:
    """The outputs of a request say which output tensors should be returned."""
    names = _names(target)
    if len(names) == 1:
        raise NotApplicableError("the model has one output")
    found = outputs(target.ask(target.valid(outputs=[{"name": names[0]}])))
    extra = [name for name in found if name != names[0]]
    if extra:
        raise FailedError(f"output '{names[0]}' was requested; the response also has {', '.join(extra)}")


@cases.case("outputs.all-named", "must", _FIELD, expects="The outputs of the request that names none.")
def all_named(target: Target) -> None:
    """A request that names every output gets what a request gets that names none."""
    request = target.inference(target.valid(outputs=[{"name": name} for name in _names(target)]))
    target.require_same(request, "that names no outputs")


@cases.case("outputs.order", "unclear", _REQUEST, expects="The text does not say in which order outputs are returned.")
def order(target: Target) -> str:
    """Outputs may be requested in any order."""
    names = _names(target)
    if len(names) == 1:
        raise NotApplicableError("the model has one output")
    wanted = names[::-1]
    found = list(outputs(target.ask(target.valid(outputs=[{"name": name} for name in wanted]))))
    return "the order of the request" if found == wanted else "the order of the model"


@cases.case(
    "outputs.empty", "unclear", _FIELD, expects="Without `outputs` all are returned; an empty array is not absent."
)
def empty(target: Target) -> str:
    """`outputs` is optional."""
    answer = target.send(target.inference(target.valid(outputs=[])))
    if answer.is_error:
        return f"refused with status {answer.status}"
    found = outputs(answer.object())
    return "all outputs" if found.keys() == target.outputs.keys() else f"{len(found)} of {len(target.outputs)} outputs"


@cases.invalid("outputs.unknown", "must", rest("Inference Request Examples"), error_source=ERROR)
def unknown(target: Target) -> Request:
    """The server must return an output that a request names, so one that the model does not have cannot be served."""
    return target.inference(target.valid(outputs=[{"name": "no-such-output"}]))


@cases.invalid("outputs.nameless", "should", openapi("request_output"), error_source=ERROR)
def nameless(target: Target) -> Request:
    """A requested output has a name."""
    return target.inference(target.valid(outputs=[{"parameters": {}}]))


@cases.invalid("outputs.not-an-array", "should", openapi("inference_request"), error_source=ERROR)
def not_an_array(target: Target) -> Request:
    """`outputs` is an array."""
    return target.inference(target.valid(outputs="all"))


def _names(target: Target) -> list[str]:
    target.require_request()
    return list(target.outputs)
