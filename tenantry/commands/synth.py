"""`tenantry synth`: platform.yaml in, dist/ out."""

from typing import Annotated

import typer

from tenantry.console import say
from tenantry.options import DIST, PLATFORM_FILE, FileOption, ImageOption, OutputOption

ModelUriOption = Annotated[
    str | None,
    typer.Option("--model", help="Model for every tenant, instead of the file's; {tenant} becomes the tenant's name."),
]


def synth(
    file: FileOption = PLATFORM_FILE,
    output: OutputOption = DIST,
    image: ImageOption = None,
    model: ModelUriOption = None,
) -> None:
    """Write the Kubernetes manifests that platform.yaml describes: all of them, or none if it has a mistake.

    Example: tenantry synth --image ml-inference-service:dev --output build/dist
    """
    from tenantry.manifests import write_manifests

    if not write_manifests(file, output, image=image, model=model):
        say(f"{output}/ is up to date")
