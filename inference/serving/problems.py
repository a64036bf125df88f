"""Answers, and errors as answers: a problem document (RFC 9457), or under /v2 the protocol's `{"error": ...}`."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
import structlog

from inference import contract
from inference.errors import (
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    RequestError,
)
from inference.serving.logs import where
from inference.serving.protocol.messages import ErrorResponse
from inference.serving.schemas import Problem
from inference.settings import Settings

JSON: Final = "application/json"
OCTET_STREAM: Final = "application/octet-stream"
PROBLEM_JSON: Final = "application/problem+json"
_MAX_DETAIL: Final = 500
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger()


class InternalError(RequestError):
    """The service failed; its log has the cause, which clients do not receive."""

    status = 500
    title = "Internal Server Error"

    def __init__(self) -> None:
        super().__init__("the service failed; its log has the cause")


class Answer(NamedTuple):
    """A whole response. Without a body it may have no content type."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def is_protocol(path: str) -> bool:
    """Whether `path` belongs to the Open Inference Protocol."""
    return path == contract.PROTOCOL_PATH or path.startswith(contract.PROTOCOL_PATH + "/")


def answer(error: RequestError, path: str) -> Answer:
    """The answer to a request of `path` that ends with `error`."""
    detail = str(error)
    if len(detail) > _MAX_DETAIL:  # it may quote the request
        detail = detail[:_MAX_DETAIL] + "..."
    if is_protocol(path):
        return Answer(error.status, JSON, _encode(ErrorResponse(detail)), error.headers)
    return Answer(error.status, PROBLEM_JSON, _encode(Problem(error.status, error.title, detail)), error.headers)


def failed(error: BaseException, path: str) -> Answer:
    """The answer to a request of `path` that raised `error`; a fault of the service is logged."""
    if isinstance(error, RequestError):
        return answer(error, path)
    _log.error("request failed", error=type(error).__name__, where=where(error))
    return answer(InternalError(), path)


def from_http(status: int, path: str, headers: Mapping[str, str]) -> RequestError:
    """The error that the framework means by `status`."""
    if status == NotFoundError.status:
        return NotFoundError(f"nothing is at {path[:200]}; {contract.DOCS_PATH} lists all routes")
    if status == MethodNotAllowedError.status:
        allow = headers.get("allow", headers.get("Allow", "GET"))
        allow = "GET, HEAD" if allow == "GET" else allow  # HEAD is answered wherever GET is
        return MethodNotAllowedError(f"{path[:200]} supports {allow} only", allow=allow)
    return BadRequestError("the request cannot be answered")


def too_large(settings: Settings) -> RequestError:
    """The error for a body that is too long."""
    return PayloadTooLargeError(f"a body has at most {settings.max_body_bytes} bytes; send fewer or shorter texts")
