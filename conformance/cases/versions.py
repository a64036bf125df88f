"""Versions of the model."""

from typing import Final

from conformance.case import Cases
from conformance.messages import Request, kind
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import rest
from conformance.target import Target

cases: Final = Cases()
_LISTED: Final = rest("Model Metadata Response JSON Object")
_RESPONSE: Final = rest("Inference Response JSON Object")
_UNKNOWN: Final = "99999999"


@cases.case("versions.metadata", "must", _LISTED, expects="Status 200 and the model's name, for each version.")
def metadata(target: Target) -> None:
    """The versions in the metadata may be named in the path of a metadata request."""
    for version in _versions(target):
        name = target.get(target.path(version=version)).require(200).object().get("name")
        if name != target.model:
            raise FailedError(f"version '{version}': 'name' is {kind(name)}, not '{target.model}'")


@cases.case("versions.inference", "must", _LISTED, expects="Status 200, for each version.")
def inference(target: Target) -> None:
    """The versions in the metadata may be named in the path of an inference request."""
    for version in _versions(target):
        target.ask(target.valid(), path=target.path("/infer", version=version))


@cases.case(
    "versions.used", "must", _RESPONSE, expects="`model_version`, where it is there, is the version in the path."
)
def used(target: Target) -> None:
    """`model_version` is the version that was used."""
    for version in _versions(target):
        answer = target.send(target.inference(target.valid(), path=target.path("/infer", version=version)))
        if answer.is_error:
            raise NotApplicableError("a listed version cannot be asked; see versions.inference")
        found = answer.object().get("model_version", version)
        if found != version:
            raise FailedError(f"version '{version}' was asked, 'model_version' is {kind(found)}")


@cases.case("versions.type", "must", _RESPONSE, expects="A string, where `model_version` is there.")
def type_(target: Target) -> None:
    """`model_version`, which is optional, is a string."""
    response = target.first_answer()
    if "model_version" not in response:
        raise NotApplicableError("the response has no 'model_version'")
    if not isinstance(response["model_version"], str):
        raise FailedError(f"'model_version' is {kind(response['model_version'])}")


@cases.case(
    "versions.reported",
    "unclear",
    _RESPONSE,
    expects="`model_version` is optional; a server without versions should leave it out, others may report it.",
)
def reported(target: Target) -> str:
    """Servers that do not implement versions should not report one."""
    versions = target.described.versions
    response = target.first_answer()
    found = "no version in the response" if response.get("model_version") is None else "a version in the response"
    return f"{found}, {len(versions) or 'none'} in the metadata"


@cases.case(
    "versions.omitted",
    "unclear",
    rest("Inference Request JSON Object"),
    expects="The server may choose a version, or return an error.",
)
def omitted(target: Target) -> str:
    """The version in the path is optional."""
    answer = target.send(target.inference(target.valid(), path=target.path("/infer", version="")))
    return f"status {answer.status}"


@cases.invalid("versions.unknown", "must", rest("HTTP/REST"), error_source=rest("Inference Response JSON Error Object"))
def unknown(target: Target) -> Request:
    """A version in the path names the version to use, so one that the model does not list cannot be asked."""
    _versions(target)
    return target.inference(target.valid(), path=target.path("/infer", version=_UNKNOWN))


@cases.invalid(
    "versions.unknown-metadata",
    "must",
    rest("Model Metadata"),
    error_source=rest("Model Metadata Response JSON Error Object"),
)
def unknown_metadata(target: Target) -> Request:
    """A version in the path names the version to describe, so one that the model does not list has no metadata."""
    _versions(target)
    return Request("GET", target.path(version=_UNKNOWN))


def _versions(target: Target) -> tuple[str, ...]:
    versions = target.described.versions
    if not versions:
        raise NotApplicableError("the model lists no versions")
    return versions
