"""Our application on uvicorn's own protocol: without the connection class that answers short requests itself."""

from fastapi import FastAPI

from inference.serving.application import create_app
from inference.settings import Settings


def make() -> FastAPI:
    """Make the application, as `python -m inference` does."""
    return create_app(Settings())  # type: ignore[call-arg] # the environment has the argument
