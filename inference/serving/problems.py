"""Errors as answers: a problem document (RFC 9457), or the protocol's `{"error": ...}` on its routes."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from inference import contract
from inference.errors import (
    BadRequestError,
    HeadersTooLargeError,
    InvalidInputError,
    MethodNotAllowedError,
    NotFoundError,
    NotReadyError,
    OverloadedError,
    PayloadTooLargeError,
    RequestError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from inference.serving.protocol import ErrorResponse
from inference.serving.schemas import Problem

ERRORS: tuple[type[RequestError], ...] = (
    BadRequestError,
    NotFoundError,
    MethodNotAllowedError,
    RequestTimeoutError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    InvalidInputError,
    OverloadedError,
    HeadersTooLargeError,
    NotReadyError,
)
"""Every error that a client can meet."""
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
FAILED = "the service failed; its log says where"
_encode = msgspec.json.Encoder().encode


class InternalError(RequestError):
    """A fault of the service's own; its client learns no more than that."""

    status = 500
    title = "Internal Server Error"


class Answer(NamedTuple):
    """A whole response."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def is_protocol(path: str) -> bool:
    """Whether `path` is one of the Open Inference Protocol's."""
    return path == contract.PROTOCOL_PATH or path.startswith(contract.PROTOCOL_PATH + "/")


def answer(error: RequestError, path: str) -> Answer:
    """What the client of `path` is told."""
    detail = str(error)
    if is_protocol(path):
        return Answer(error.status, JSON, _encode(ErrorResponse(detail)), error.headers)
    return Answer(error.status, PROBLEM_JSON, _encode(Problem(error.status, error.title, detail)), error.headers)


def from_http(status: int, path: str, headers: Mapping[str, str]) -> RequestError:
    """The error that the framework means by `status`."""
    if status == NotFoundError.status:
        return NotFoundError(f"there is nothing at {path[:200]}; {contract.DOCS_PATH} lists what there is")
    if status == MethodNotAllowedError.status:
        allow = headers.get("allow", headers.get("Allow", "GET"))
        return MethodNotAllowedError(f"{path[:200]} takes {allow} only", allow=allow)
    return BadRequestError("the request cannot be answered")
