"""`tenantry image`: the service's image, built on this machine."""

from enum import StrEnum
from typing import Annotated

import typer

from tenantry.console import result


class Runtime(StrEnum):
    """What an image runs."""

    TEXT = "text"
    ONNX = "onnx"


def image(
    tag: Annotated[str, typer.Argument(help="The image's name, as in registry.example/ml-inference-service:0.1.0.")],
    runtime: Annotated[Runtime, typer.Option("--runtime", help="What the image runs: texts, or ONNX models.")] = (
        Runtime.TEXT
    ),
) -> None:
    """Build the service's image from this version of Tenantry, with Docker.

    The image for tenants with runtime `onnx` has the same name with -onnx at the end.

    Publish it with `docker push`, and set its name in platform.yaml with `tenantry bump`.

    Example: tenantry image registry.example/ml-inference-service:0.1.0

    Example: tenantry image registry.example/ml-inference-service:0.1.0-onnx --runtime onnx
    """
    from tenantry.cluster.local_image import build

    result(build(tag, runtime=runtime))
