"""Readiness of the model."""

from typing import Final

from conformance.case import Cases
from conformance.messages import kind
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
RESPONSE: Final = rest("Model Ready Response JSON Object")
UNKNOWN: Final = "no-such-model"


@cases.case("ready.answered", "must", openapi("/v2/models/${MODEL_NAME}/.../ready"), expects="Status 200.")
def answered(target: Target) -> None:
    """GET .../ready of a model that is ready is answered with 200."""
    target.get(target.path("/ready")).require(200)


@cases.case("ready.body", "must", RESPONSE, expects='A JSON object with "ready": true.')
def body(target: Target) -> None:
    """The model's readiness response says whether it is ready."""
    ready = target.get(target.path("/ready")).object().get("ready")
    if ready is not True:
        raise FailedError(f"'ready' is {kind(ready)}, not true")


@cases.case("ready.name", "must", RESPONSE, expects="`name` is the name in the path.")
def name(target: Target) -> None:
    """The model's readiness response has the model's name."""
    found = target.get(target.path("/ready")).object().get("name")
    if found != target.model:
        raise FailedError(f"'name' is {kind(found)}, not '{target.model}'")


@cases.case("ready.versions", "must", rest("API Definitions"), expects="Status 200 for each version in the metadata.")
def versions(target: Target) -> None:
    """The path of a model's readiness may have a version that the model lists."""
    listed = target.described.versions
    if not listed:
        raise NotApplicableError("the model lists no versions")
    for version in listed:
        target.get(target.path("/ready", version=version)).require(200)


@cases.case(
    "ready.unknown-model",
    "must",
    rest("API Definitions"),
    expects='An error status (400 to 599), or "ready": false.',
)
def unknown_model(target: Target) -> None:
    """Readiness says whether the model in the path is ready, which a model that does not exist is not."""
    answer = target.get(f"/v2/models/{UNKNOWN}/ready")
    if answer.is_error:
        return
    if not answer.body or answer.object().get("ready") is not False:
        raise FailedError(f"status {answer.status}: a model that does not exist is reported as ready")
