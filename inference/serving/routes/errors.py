"""Turns every error that FastAPI or a handler raises into an answer of the service."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from inference.errors import RequestError
from inference.serving import problems
from inference.serving.problems import InternalError


def add_error_handlers(app: FastAPI) -> None:
    """Let `app` answer errors as `inference.serving.problems` does."""
    for error in (HTTPException, RequestError, Exception):
        app.add_exception_handler(error, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HTTPException):
        error = problems.from_http(error.status_code, path, error.headers or {})
    elif not isinstance(error, RequestError):  # Starlette raises it again, and `InferenceApp` logs it
        error = InternalError()
    status, content_type, body, headers = problems.answer(error, path)
    return Response(body, status, headers={"content-type": content_type, **dict(headers)})
