"""A server that has not loaded its model; these cases need the address of one (--loading-url)."""

from typing import Final

from conformance.case import Cases
from conformance.cases.health import LIVE, READY
from conformance.messages import Answer, Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
_PROBES: Final = rest("API Definitions")


@cases.case("loading.live", "must", openapi("/v2/health/live"), expects="Status 200.")
def live(target: Target) -> None:
    """A server is live when it can answer requests, whether or not its models are loaded."""
    _get(target, LIVE).require(200)


@cases.case("loading.server-ready", "must", _PROBES, expects="An error status (400 to 599).")
def server_ready(target: Target) -> None:
    """Server readiness says whether all models are ready, to a readinessProbe, which takes 200 to 399 as ready."""
    _require_error(_get(target, READY))


@cases.case("loading.model-ready", "must", _PROBES, expects='An error status (400 to 599), or "ready": false.')
def model_ready(target: Target) -> None:
    """Model readiness says whether the model was loaded and can be asked."""
    answer = _get(target, target.path("/ready"))
    if not answer.is_error and (not answer.body or answer.object().get("ready") is not False):
        raise FailedError(f"status {answer.status}: a model that is not loaded is reported as ready")


@cases.case(
    "loading.inference",
    "must",
    rest("Inference Response JSON Error Object"),
    expects="An error status (400 to 599).",
)
def inference(target: Target) -> None:
    """A failed inference request is indicated by an HTTP error status."""
    _require_error(_infer(target))


@cases.case(
    "loading.inference.error-object",
    "must",
    rest("Inference Response JSON Error Object"),
    expects='A JSON object with a string that is not empty: {"error": "..."}.',
)
def error_object(target: Target) -> None:
    """The body of a failed request's answer must contain the error object."""
    answer = _infer(target)
    if not answer.is_error:
        raise NotApplicableError("the request was accepted; see loading.inference")
    answer.require_error_object()


def _get(target: Target, path: str) -> Answer:
    return _send(target, Request("GET", path))


def _infer(target: Target) -> Answer:
    return _send(target, target.inference(target.valid()))


def _send(target: Target, request: Request) -> Answer:
    if target.loading is None:
        raise NotApplicableError("no server without its model was named (--loading-url)")
    return target.loading.send(request)


def _require_error(answer: Answer) -> None:
    if not answer.is_error:
        raise FailedError(f"status {answer.status}, though no model is loaded")
