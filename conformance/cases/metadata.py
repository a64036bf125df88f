"""Metadata of the server and of the model."""

import json
from typing import Any, Final

from conformance.case import Cases
from conformance.datatypes import DATATYPES
from conformance.messages import Answer, kind
from conformance.outcomes import FailedError, NotApplicableError
from conformance.spec import openapi, rest
from conformance.target import Target

cases: Final = Cases()
SERVER: Final = rest("Server Metadata Response JSON Object")
MODEL: Final = rest("Model Metadata Response JSON Object")


@cases.case("server.answered", "must", SERVER, expects="Status 200 and a JSON object.")
def server_answered(target: Target) -> None:
    """A successful server metadata request is answered with 200 and the server metadata object."""
    target.get("/v2").require(200).object()


@cases.case("server.name", "must", SERVER, expects="A string under `name`.")
def server_name(target: Target) -> None:
    """`name` is a descriptive name of the server."""
    _require_text(_server(target), "name")


@cases.case("server.version", "must", SERVER, expects="A string under `version`.")
def server_version(target: Target) -> None:
    """`version` is the server's version."""
    _require_text(_server(target), "version")


@cases.case("server.extensions", "must", SERVER, expects="An array of strings under `extensions`; it may be empty.")
def server_extensions(target: Target) -> None:
    """`extensions` lists the extensions that the server supports."""
    extensions = _server(target).get("extensions")
    if not isinstance(extensions, list) or not all(isinstance(extension, str) for extension in extensions):
        raise FailedError(f"'extensions' is {kind(extensions)}, not an array of strings")


@cases.case(
    "server.trailing-slash",
    "unclear",
    openapi("/v2/"),
    expects="The text says `v2`, the OpenAPI document `/v2/`.",
)
def trailing_slash(target: Target) -> str:
    """Server metadata is at /v2/."""
    return f"status {target.get('/v2/').status}"


@cases.case("model.answered", "must", MODEL, expects="Status 200 and a JSON object.")
def model_answered(target: Target) -> None:
    """A successful model metadata request is answered with 200 and the model metadata object."""
    target.get(target.path()).require(200).object()


@cases.case("model.name", "must", MODEL, expects="`name` is the name in the path.")
def model_name(target: Target) -> None:
    """`name` is the name of the model."""
    name = _model(target).get("name")
    if name != target.model:
        raise FailedError(f"'name' is {kind(name)}, not '{target.model}'")


@cases.case("model.platform", "must", MODEL, expects="A string under `platform`.")
def platform(target: Target) -> None:
    """`platform` is the framework or backend of the model."""
    _require_text(_model(target), "platform", empty=True)


@cases.case("model.platform-format", "should", rest("Platforms"), expects="`<project>_<format>`, as in onnx_onnxv1.")
def platform_format(target: Target) -> None:
    """Platform names use the format <project>_<format>."""
    name = _model(target).get("platform")
    if not isinstance(name, str):
        raise NotApplicableError("the model has no platform; see model.platform")
    project, underscore, form = name.partition("_")
    if not (project and underscore and form):
        raise FailedError(f"the platform is '{name}'")


@cases.case("model.inputs", "must", MODEL, expects="An array of objects under `inputs`, with at least one tensor.")
def inputs(target: Target) -> None:
    """`inputs` lists the inputs that the model requires."""
    if not _tensors(_model(target), "inputs"):
        raise FailedError("'inputs' is empty, so a client cannot know what to send")


@cases.case("model.outputs", "must", MODEL, expects="An array of objects under `outputs`, with at least one tensor.")
def outputs(target: Target) -> None:
    """`outputs` lists the outputs that the model produces."""
    if not _tensors(_model(target), "outputs"):
        raise FailedError("'outputs' is empty, so a client cannot know what comes back")


@cases.case("model.tensor-names", "must", MODEL, expects="A string under `name` in each tensor, once per list.")
def tensor_names(target: Target) -> None:
    """Each tensor's metadata has its name."""
    for key, tensors in _lists(target):
        names = [tensor.get("name") for tensor in tensors]
        for index, name in enumerate(names):
            if not isinstance(name, str) or not name:
                raise FailedError(f"{key}[{index}].name is {kind(name)}")
            if name in names[:index]:
                raise FailedError(f"{key} has two tensors named '{name}'")


@cases.case(
    "model.tensor-datatypes",
    "must",
    rest("Tensor Data Types"),
    expects=f"One of {', '.join(DATATYPES)} under `datatype` in each tensor.",
)
def tensor_datatypes(target: Target) -> None:
    """Each tensor's data type is one of the table of tensor data types."""
    for key, tensors in _lists(target):
        for index, tensor in enumerate(tensors):
            datatype = tensor.get("datatype")
            if not isinstance(datatype, str) or datatype not in DATATYPES:
                raise FailedError(f"{key}[{index}].datatype is {kind(datatype)}")


@cases.case("model.tensor-shapes", "must", MODEL, expects="An array of integers from -1 upward in each tensor.")
def tensor_shapes(target: Target) -> None:
    """Each tensor's shape is an array of numbers; dimensions of variable size are -1."""
    for key, tensors in _lists(target):
        for index, tensor in enumerate(tensors):
            shape = tensor.get("shape")
            if not isinstance(shape, list) or not all(type(size) is int and size >= -1 for size in shape):
                raise FailedError(f"{key}[{index}].shape is {shape!r}")


@cases.case("model.versions", "must", MODEL, expects="An array of strings, where `versions` is there.")
def versions(target: Target) -> None:
    """`versions`, which is optional, lists the versions that a request may name."""
    found = _model(target)
    if "versions" not in found:
        raise NotApplicableError("the metadata has no 'versions'")
    listed = found["versions"]
    if not isinstance(listed, list) or not all(isinstance(version, str) and version for version in listed):
        raise FailedError(f"'versions' is {json.dumps(listed)}, not an array of strings")


def _server(target: Target) -> dict[str, Any]:
    return _known(target.get("/v2"), "server.answered")


def _model(target: Target) -> dict[str, Any]:
    return _known(target.get(target.path()), "model.answered")


def _known(answer: Answer, case: str) -> dict[str, Any]:
    try:
        return answer.require(200).object()
    except FailedError as error:
        raise NotApplicableError(f"there is no metadata; see {case}") from error


def _require_text(value: dict[str, Any], key: str, *, empty: bool = False) -> None:
    text = value.get(key)
    if not isinstance(text, str) or not (text or empty):
        raise FailedError(f"'{key}' is {kind(text)}" if key in value else f"there is no '{key}'")


def _lists(target: Target) -> list[tuple[str, list[dict[str, Any]]]]:
    value = _model(target)
    return [(key, _described(value, key)) for key in ("inputs", "outputs")]


def _tensors(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tensors = value.get(key)
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise FailedError(f"'{key}' is {kind(tensors)}, not an array of objects")
    return tensors


def _described(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    try:
        return _tensors(value, key)
    except FailedError as error:
        raise NotApplicableError(f"the tensors are not listed; see model.{key}") from error
