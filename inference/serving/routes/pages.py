"""The page to try the model, the API viewer, and the OpenAPI document that it shows."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from inference import contract
from inference.serving import openapi
from inference.serving.assets import Assets
from inference.serving.problems import JSON
from inference.serving.routes.operation import Operation
from inference.serving.service import Service

if TYPE_CHECKING:
    from inference.model.interface import LoadedModel

_FOLDER: Final = Path(__file__).parent.parent


class PageRoutes:
    """Answers static files, and the document of `app`, which describes the model of `service`.

    Each runtime has its own page.
    """

    def __init__(self, app: FastAPI, service: Service) -> None:
        self._app = app
        self._service = service
        self._page = Assets(_FOLDER / "page")
        self._viewer = Assets(_FOLDER / "viewer")
        self._document = b""
        self._described: LoadedModel | None = None

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to `app`."""
        Operation("GET", contract.ROOT_PATH, openapi.MODEL_TAG, "Page to try the model").add(
            app, self.page, openapi.text_responses("The page.", "text/html")
        )
        for path, handler in (
            (f"{contract.PAGE_PATH}/{{file}}", self.page),
            (contract.DOCS_PATH, self.viewer),
            (f"{contract.DOCS_PATH}/{{file}}", self.viewer),
            (contract.OPENAPI_PATH, self.openapi),
        ):
            app.add_api_route(path, handler, include_in_schema=False)

    async def page(self, request: Request) -> Response:
        """GET / and its files."""
        return _file(self._page, request, f"{self._service.settings.runtime}.html")

    async def viewer(self, request: Request) -> Response:
        """GET /docs and its files."""
        return _file(self._viewer, request, "index.html")

    async def openapi(self) -> Response:
        """GET /openapi.json."""
        if not self._document or self._described is not self._service.model:
            self._described = self._service.model
            self._document = msgspec.json.encode(self._app.openapi())
        return Response(self._document, headers={"content-type": JSON})


def _file(assets: Assets, request: Request, index: str) -> Response:
    name = request.path_params.get("file", index)
    return assets.response(name, request.headers.get("if-none-match", ""))
