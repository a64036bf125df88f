"""`tenantry synth`: platform.yaml in, dist/ out."""

from typing import Annotated

import typer

from tenantry.console import say, step
from tenantry.errors import InputError
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
    """Write Kubernetes manifests for what platform.yaml says: all of them, or none where it has a mistake.

    Example: tenantry synth --image ml-inference-service:dev --output build/dist
    """
    from constructs_lib.platform import Platform
    from constructs_lib.platform.checks import warnings

    platform = Platform.load(file)
    for warning in warnings(platform):
        say(f"warning: {warning}")
    from constructs_lib.dist import write
    from constructs_lib.errors import PropsError

    try:
        with step(f"writing {output}/"):
            changed = write(platform, output, image=image, model=model)
    except PropsError as error:
        raise InputError(str(error)) from error
    if not changed:
        say(f"{output}/ was up to date")
