"""The service as an ASGI application: FastAPI, with the routes that predict answered before its own machinery."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from inference import __version__
from inference.errors import RequestError
from inference.serving import openapi, problems
from inference.serving.endpoints.endpoint import Endpoint
from inference.serving.problems import Answer, InternalError
from inference.serving.routes import add_routes
from inference.serving.service import Service
from inference.settings import Settings
from inference.store.loading import load_model

CALLER: Final = "tenantry.caller"
"""Key of the ASGI scope under which the server passes who has sent a request."""
BEGAN: Final = "tenantry.began"
"""Key of the ASGI scope under which the server passes when a request's first byte arrived, by `perf_counter`."""


class InferenceApp(FastAPI):
    """FastAPI, with `POST /predict` and the protocol's infer answered below it.

    Attributes:
        service: What answers.
    """

    def __init__(self, service: Service) -> None:
        self.service: Final = service
        super().__init__(
            title="Tenantry inference service",
            summary="Predicts with one tenant's model.",
            version=__version__,
            openapi_tags=openapi.TAGS,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            lifespan=_lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see ASGI."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # as GET: the server leaves the body out
            scope = {**scope, "method": "GET"}
        began = scope.get(BEGAN) or perf_counter()
        route = self.service.routes.find_path(scope["method"], scope["path"])
        if route.is_protected and scope.get(CALLER) is None:  # another ASGI server, which does not check keys
            try:
                scope = {**scope, CALLER: self.service.callers.admit(scope["headers"])}
            except RequestError as error:
                await _send(problems.answer(error, scope["path"]), send)
                self.service.record(route.label, error.status, perf_counter() - began)
                return
        if route.endpoint is not None:
            answer = await self._predict(route.endpoint, scope, receive)
            await _send(answer, send)
            status = answer.status
        else:
            status = await self._delegate(scope, receive, send)
        self.service.record(route.label, status, perf_counter() - began)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()  # FastAPI keeps it; the model may have been loaded meanwhile
        document["components"] = {"schemas": openapi.components(self.service.settings, self.service.model)}
        if self.service.callers.keys is not None:
            document["components"]["securitySchemes"] = openapi.SECURITY_SCHEMES
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if self.service.routes.find_path(method.upper(), path).is_protected:
                        openapi.require_key(operation, path)
        return document

    async def _predict(self, endpoint: Endpoint[Any], scope: Scope, receive: Receive) -> Answer:
        parts: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.service.settings.max_body_bytes:
                return problems.answer(problems.too_large(self.service.settings), scope["path"])
            more = message.get("more_body", False)
        return await self.service.answer(endpoint, scope["headers"], b"".join(parts), scope["path"], scope[CALLER])

    async def _delegate(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Let FastAPI answer; return the status."""
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await super().__call__(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - Starlette has answered 500, and raises the cause
            problems.failed(error, scope["path"])
        return status or InternalError.status


def create_app(settings: Settings) -> InferenceApp:
    """Make the application; it loads its model when its lifespan starts, and is not ready before."""
    app = InferenceApp(Service(settings))
    add_routes(app, app.service)
    return app


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", b"%d" % len(answer.body)),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model in the background, so that probes are answered meanwhile, and watch the API keys."""
    assert isinstance(app, InferenceApp)  # noqa: S101 - made by this module
    tasks = [asyncio.create_task(_load(app.service))]
    if (keys := app.service.callers.keys) is not None:
        tasks.append(asyncio.create_task(keys.watch(app.service.settings.api_keys_reload_seconds)))
    yield
    for task in tasks:
        task.cancel()
    app.service.close()


async def _load(service: Service) -> None:
    try:
        service.add_model(await load_model(service.settings))
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - also what Rust code raises: nothing may leave the process waiting
        service.fail(error)
