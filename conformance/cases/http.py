"""HTTP: connections, methods, content types, and what no request may do to a server."""

import http.client
import json
from typing import Final

from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.messages import JSON_TYPE, Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import rest, rfc
from conformance.target import Target
from conformance.wire import NoAnswerError

cases: Final = Cases()
_PERSISTENT: Final = rfc(9112, "section 9.3")
_SAME: Final = "Status 200 and equal outputs."


@cases.case(
    "http.equal-answers", "unclear", rest("Inference"), expects="The text does not promise it; most models do it."
)
def equal_answers(target: Target) -> str:
    """The response is the prediction of the model."""
    first, second = target.first_answer(), target.first_answer()
    try:
        target.require_equal(second, first, "before it")
    except FailedError:
        return "different outputs"
    return "equal outputs" if target.deterministic else "different outputs"


@cases.case("http.kept-alive", "must", _PERSISTENT, expects=f"{_SAME} Or the header Connection: close.")
def kept_alive(target: Target) -> None:
    """A connection stays open for the next request, unless the server says that it closes it."""
    _require_same(target, "kept-alive", wait=True)


@cases.case(
    "http.pipelined", "must", rfc(9112, "section 9.3.2"), expects=f"{_SAME} Or a closed connection after an answer."
)
def pipelined(target: Target) -> None:
    """Requests that arrive together on one connection are answered in their order."""
    _require_same(target, "pipelined", wait=False)


@cases.case("http.chunked", "must", rfc(9112, "section 7.1"), expects=_SAME)
def chunked(target: Target) -> None:
    """A server must be able to read a body that comes in chunks, without a Content-Length."""
    body = json.dumps(target.valid()).encode()
    request = Request("POST", target.path("/infer"), body, {"Content-Type": JSON_TYPE}, chunked=True)
    target.require_same(request, "with a Content-Length")


@cases.case("http.charset", "should", rfc(9110, "section 8.3.1"), expects=_SAME)
def charset(target: Target) -> None:
    """A content type may have parameters, as in application/json; charset=utf-8."""
    request = target.inference(target.valid(), headers={"Content-Type": "application/json; charset=utf-8"})
    target.require_same(request, "without the parameter")


@cases.case("http.query", "should", rfc(3986, "section 3.4"), expects=_SAME)
def query(target: Target) -> None:
    """A query is not part of the path, and the protocol gives it no meaning."""
    path = target.path("/infer") + "?conformance=1"
    target.require_same(target.inference(target.valid(), path=path), "without a query")


@cases.case("http.encoded-path", "should", rfc(3986, "section 2.3"), expects="The metadata of the model.")
def encoded_path(target: Target) -> None:
    """A letter in a path may be percent-encoded; the path is the same."""
    first = target.model.encode()[0]
    path = target.path().replace(f"/models/{target.model[0]}", f"/models/%{first:02X}", 1)
    name = target.get(path).require(200).object().get("name")
    if name != target.model:
        raise FailedError(f"'name' is {name!r}, not '{target.model}'")


@cases.case(
    "http.no-content-type",
    "unclear",
    rest("Inference Request Examples"),
    expects="The examples have application/json; the text does not require it.",
)
def no_content_type(target: Target) -> str:
    """An inference request has a content type."""
    return _status_with(target, {"Content-Type": ""})


@cases.case(
    "http.other-content-type",
    "unclear",
    rest("Inference Request Examples"),
    expects="The examples have application/json; the text does not require it.",
)
def other_content_type(target: Target) -> str:
    """An inference request has the content type application/json."""
    return _status_with(target, {"Content-Type": "text/plain"})


@cases.invalid("http.get-inference", "must", rest("HTTP/REST"), error_source=ERROR, error_level="should")
def get_inference(target: Target) -> Request:
    """Inference is a POST, so a GET is not answered with success."""
    return Request("GET", target.path("/infer"))


@cases.invalid(
    "http.post-metadata",
    "must",
    rest("HTTP/REST"),
    error_source=rest("Model Metadata Response JSON Error Object"),
    error_level="should",
)
def post_metadata(target: Target) -> Request:
    """Metadata is a GET, so a POST is not answered with success."""
    return Request("POST", target.path(), b"{}", {"Content-Type": JSON_TYPE})


@cases.invalid("http.unknown-path", "must", rfc(9110, "section 15.5.5"), error_source=ERROR, error_level="should")
def unknown_path(_target: Target) -> Request:
    """A path that the protocol and the server do not have is not found."""
    return Request("GET", "/v2/no-such-path")


@cases.case(
    "http.method-not-allowed",
    "should",
    rfc(9110, "section 15.5.6"),
    expects="Status 405 with a header Allow.",
)
def method_not_allowed(target: Target) -> None:
    """A method that a path does not have is answered with 405, and with the methods that it has."""
    answer = target.get(target.path("/infer"))
    if not answer.is_error:
        raise NotApplicableError("the request was accepted; see http.get-inference")
    answer.require(405)
    if "allow" not in answer.headers:
        raise FailedError("status 405 without a header Allow")


@cases.case(
    "http.huge-body",
    "must",
    ERROR,
    expects='Status 200, or an error status with {"error": "..."}.',
)
def huge_body(target: Target) -> None:
    """A request that is too large is answered like every other: served, or refused with the error object."""
    body = target.valid(parameters={"conformance_unknown": "x" * target.huge_bytes})
    answer = target.send(target.inference(body))
    if answer.is_error:
        answer.require_error_object()


@cases.case("http.alive", "must", rest("API Definitions"), expects="Status 200 to a valid request.")
def alive(target: Target) -> None:
    """After all of these requests the server is still able to receive and answer requests."""
    target.first_answer()


@cases.case(
    "http.no-500", "should", rest("Inference Response JSON Error Object"), expects="No status 500, in any case."
)
def no_500(target: Target) -> None:
    """A failed request has an error status, typically 400: the fault is the request's, not the server's."""
    broken = [
        exchange
        for exchange in target.said
        if exchange.answer and exchange.answer.status == http.client.INTERNAL_SERVER_ERROR
    ]
    if broken:
        target.wire.exchanges.append(broken[0])
        raise FailedError(f"{len(broken)} of {len(target.said)} requests have status 500; the first is shown")


def _require_same(target: Target, name: str, *, wait: bool) -> None:
    ids = [f"{name}-{number}" for number in range(3)]
    requests = [target.inference(target.valid(id=each)) for each in ids]
    expected = target.first_answer()
    answers = target.wire.send_together(requests, wait=wait)
    if not answers:
        raise NoAnswerError("no answer")
    for identifier, answer in zip(ids, answers, strict=False):
        response = answer.require(200).object()
        found = response.get("id")
        if found is not None and found != identifier:
            raise FailedError(f"the request with id '{identifier}' got the response with id {found!r}")
        target.require_equal(response, expected, "on a connection of its own")


def _status_with(target: Target, headers: dict[str, str]) -> str:
    return f"status {target.send(target.inference(target.valid(), headers=headers)).status}"
