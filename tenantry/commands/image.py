"""`tenantry image`: the service's image, built on this machine."""

from typing import Annotated

import typer

from tenantry.console import result


def image(
    tag: Annotated[str, typer.Argument(help="The image's name, as in registry.example/ml-inference-service:0.1.0.")],
) -> None:
    """Build the service's image from this version of Tenantry, with Docker.

    Publish it with `docker push`, and set its name in platform.yaml with `tenantry bump`.

    Example: tenantry image registry.example/ml-inference-service:0.1.0
    """
    from tenantry.cluster.local_image import build

    result(build(tag))
