"""The endpoints of each runtime."""

from collections.abc import Callable
from typing import Any

from inference.serving.endpoints.endpoint import Endpoint
from inference.serving.endpoints.texts import InferEndpoint, PredictEndpoint

MakeEndpoint = Callable[..., Endpoint[Any]]


def endpoint_types(runtime: str) -> tuple[MakeEndpoint, MakeEndpoint]:
    """Return what makes the endpoints of `POST /predict` and of the protocol's `infer`, for one of the RUNTIMES.

    Raises:
        ModuleNotFoundError: The process does not have the packages of the runtime.
    """
    if runtime == "onnx":
        from inference.serving.endpoints.tensors import RecordsEndpoint, TensorInferEndpoint  # noqa: PLC0415 - NumPy

        return RecordsEndpoint, TensorInferEndpoint
    return PredictEndpoint, InferEndpoint
