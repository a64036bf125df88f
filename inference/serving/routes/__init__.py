"""The routes that FastAPI answers, and the OpenAPI document of all routes. `add_routes` adds every group of them.

The routes that predict are answered before FastAPI (`inference.serving.application`); they are here for the document.
"""

from fastapi import FastAPI

from inference.serving.routes.errors import add_error_handlers
from inference.serving.routes.model import ModelRoutes
from inference.serving.routes.operations import OperationsRoutes
from inference.serving.routes.pages import PageRoutes
from inference.serving.routes.predict import PredictRoutes
from inference.serving.routes.protocol import ProtocolRoutes
from inference.serving.service import Service


def add_routes(app: FastAPI, service: Service) -> None:
    """Add to `app` all routes of `service` and the format of its errors."""
    for routes in (PredictRoutes(service), ProtocolRoutes(service), OperationsRoutes(service), ModelRoutes(service)):
        routes.add_to(app)
    PageRoutes(app, service).add_to(app)
    add_error_handlers(app)
