"""Adds a route to FastAPI together with its part of the OpenAPI document."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec
from fastapi import FastAPI
from starlette.responses import Response

from inference.errors import (
    BadRequestError,
    NotReadyError,
    OverloadedError,
    PayloadTooLargeError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from inference.serving.openapi import Responses
from inference.serving.problems import JSON, InternalError

BODY_ERRORS: Final = (
    BadRequestError,
    RequestTimeoutError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    OverloadedError,
    NotReadyError,
)
"""The errors of every route that predicts."""
_encode = msgspec.json.Encoder().encode


class Operation(NamedTuple):
    """A method of a path, as the OpenAPI document describes it.

    Attributes:
        method: The HTTP method.
        path: The path, with its parameters in braces.
        tag: The group of the operation; one of `inference.serving.openapi.TAGS`.
        summary: What the operation does.
    """

    method: str
    path: str
    tag: str
    summary: str

    def add(
        self,
        app: FastAPI,
        handler: Callable[..., Awaitable[Response]],
        responses: Responses,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Answer the operation with `handler`; `extra` is merged into its part of the document."""
        app.add_api_route(
            self.path,
            handler,
            methods=[self.method],
            tags=[self.tag],
            summary=self.summary,
            operation_id=self.id,
            response_class=Response,
            responses=responses,
            openapi_extra=extra,
        )

    @property
    def id(self) -> str:
        """The `operationId`: the method and the words of the path."""
        words = [word.strip("{}") or "root" for word in self.path.split("/")[1:]]
        return "_".join([self.method.lower(), *words])


def json_response(value: msgspec.Struct, status: int = 200) -> Response:
    """Return a response with `value` as JSON."""
    return Response(_encode(value), status, headers={"content-type": JSON})


async def answered_before_fastapi() -> Response:
    """Handle an operation that `InferenceApp` answers itself, so this never runs."""
    raise InternalError
