"""The `id` of a request."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from conformance.case import Cases
from conformance.messages import Request, kind
from conformance.outcomes import FailedError
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
REQUEST: Final = rest("Inference Request JSON Object")
RESPONSE: Final = rest("Inference Response JSON Object")
ERROR: Final = rest("Inference Response JSON Error Object")
_TOGETHER: Final = 8


@cases.case("id.echoed", "must", REQUEST, expects="The same `id` in the response.")
def echoed(target: Target) -> None:
    """An `id` in the request must be returned in the response."""
    _require_echo(target, "42")


@cases.case("id.text", "must", REQUEST, expects="The same `id` in the response, character by character.")
def text(target: Target) -> None:
    """An `id` may be any string: quotes, white space and characters beyond ASCII come back as they were."""
    _require_echo(target, ' "é\\漢\n😀/ ')


@cases.case("id.long", "must", REQUEST, expects="The same `id` in the response, all 1,000 characters.")
def long(target: Target) -> None:
    """The specification sets no limit to the length of an `id`."""
    _require_echo(target, "0123456789" * 100)


@cases.case("id.own", "must", REQUEST, expects="Each of 8 requests at the same time gets its own `id` back.")
def own(target: Target) -> None:
    """The `id` in a response is that of its own request, also when several are answered at the same time."""
    ids = [f"request-{number}" for number in range(_TOGETHER)]
    bodies = [target.valid(id=each) for each in ids]
    with ThreadPoolExecutor(_TOGETHER) as pool:
        found = [response.get("id") for response in pool.map(target.ask, bodies)]
    if found != ids:
        raise FailedError(f"the ids {ids} came back as {found}")


@cases.case("id.never-null", "must", RESPONSE, expects="No `id`, or a string.")
def never_null(target: Target) -> None:
    """`id` in a response is a string: it is never null, also when the request has none."""
    response = target.first_answer()
    if not isinstance(response.get("id", ""), str):
        raise FailedError(f"'id' is {kind(response['id'])}")


@cases.case(
    "id.absent",
    "unclear",
    RESPONSE,
    expects='The text calls it the identifier "given in the request, if any", but does not mark it as optional.',
)
def absent(target: Target) -> str:
    """The response to a request without an `id` has none."""
    return _behaviour(target, target.valid())


@cases.case(
    "id.empty", "unclear", REQUEST, expects="An empty string is a string, but the gRPC API cannot tell it from none."
)
def empty(target: Target) -> str:
    """An `id` that is an empty string is returned."""
    return _behaviour(target, target.valid(id=""))


@cases.case("id.null", "unclear", REQUEST, expects="`id` is a string; many clients write null where they have none.")
def null(target: Target) -> str:
    """`id` is optional and a string."""
    return _behaviour(target, target.valid(id=None))


@cases.invalid("id.number", "should", openapi("inference_request"), error_source=ERROR)
def number(target: Target) -> Request:
    """`id` is a string, so a number is not an identifier."""
    return target.inference(target.valid(id=42))


def _require_echo(target: Target, identifier: str) -> None:
    response = target.ask(target.valid(id=identifier))
    if response.get("id") != identifier:
        found = kind(response["id"]) if "id" in response else "absent"
        raise FailedError(f"'id' is {found}, not {identifier[:80]!r}")


def _behaviour(target: Target, body: dict[str, Any]) -> str:
    answer = target.send(target.inference(body))
    if answer.is_error:
        return f"refused with status {answer.status}"
    response = answer.object()
    if "id" not in response:
        return "no id in the response"
    if response["id"] is None:
        return "null in the response"
    return "the same id in the response" if response["id"] == body.get("id") else "another id in the response"
