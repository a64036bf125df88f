"""Liveness and readiness of the server."""

from typing import Final

from conformance.case import Cases
from conformance.messages import JSON_TYPE, kind
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
LIVE: Final = "/v2/health/live"
READY: Final = "/v2/health/ready"


@cases.case("health.live", "must", openapi("/v2/health/live"), expects="Status 200.")
def live(target: Target) -> None:
    """A server that can receive and answer requests answers GET /v2/health/live with 200."""
    target.get(LIVE).require(200)


@cases.case("health.live-body", "must", rest("Server Live Response JSON Object"), expects='{"live": true}.')
def live_body(target: Target) -> None:
    """The liveness response is a JSON object with a boolean `live`."""
    value = target.get(LIVE).object().get("live")
    if value is not True:
        raise FailedError(f"'live' is {kind(value)}, not true")


@cases.case("health.ready", "must", openapi("/v2/health/ready"), expects="Status 200.")
def ready(target: Target) -> None:
    """A server whose models are all ready answers GET /v2/health/ready with 200."""
    target.get(READY).require(200)


@cases.case(
    "health.ready-body",
    "must",
    rest("Server Ready Response JSON Object"),
    expects="A JSON object with true under `live` or `ready`; see health.ready-key.",
)
def ready_body(target: Target) -> None:
    """The readiness response is a JSON object with a boolean."""
    value = target.get(READY).object()
    if True not in (value.get("live"), value.get("ready")):
        raise FailedError("neither 'live' nor 'ready' is true")


@cases.case(
    "health.ready-key",
    "unclear",
    rest("Server Ready Response JSON Object"),
    expects="The text names the key `live`, as for liveness; clients and the text around it speak of `ready`.",
)
def ready_key(target: Target) -> str:
    """The readiness response has the key `live`."""
    answer = target.get(READY)
    if not answer.body:
        return "no body"
    keys = [f"'{key}'" for key in ("live", "ready") if key in answer.object()]
    return " and ".join(keys) or "neither 'live' nor 'ready'"


@cases.case(
    "health.content-type",
    "should",
    rest("HTTP/REST"),
    expects="Content-Type: application/json on both answers that have a body.",
)
def content_type(target: Target) -> None:
    """The protocol's answers are JSON."""
    answers = [answer for answer in (target.get(LIVE), target.get(READY)) if answer.body]
    if not answers:
        raise NotApplicableError("neither answer has a body")
    for answer in answers:
        if answer.media_type != JSON_TYPE:
            raise FailedError(f"the content type is '{answer.media_type}'")
