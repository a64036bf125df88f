"""`tenantry synth`: platform.yaml in, dist/ out."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tenantry.console import say, step
from tenantry.errors import InputError

OUTPUT: Final = Path("dist")

FileOption = Annotated[Path, typer.Option("--file", "-f", help="The file that lists the tenants.")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to write, in place of what is there.")]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image for every tenant instead of the file's.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Model for every tenant instead of the file's; {tenant} becomes its name.")
]


def synth(
    file: FileOption = Path("platform.yaml"),
    output: OutputOption = OUTPUT,
    image: ImageOption = None,
    model: ModelOption = None,
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
