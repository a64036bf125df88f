"""Writes manifests for the commands that synthesize: with the warnings that a valid platform.yaml may deserve."""

from pathlib import Path

from tenantry.console import say, step
from tenantry.errors import InputError


def write_manifests(file: Path, output: Path, *, image: str | None = None, model: str | None = None) -> bool:
    """Write the manifests of `file` to the folder `output`, all of them or none, and print warnings.

    Args:
        file: platform.yaml.
        output: The folder; the manifests that it holds are replaced.
        image: Replaces every tenant's image.
        model: Replaces every tenant's model; `{tenant}` in it becomes the tenant's name.

    Returns:
        Whether anything changed.

    Raises:
        PlatformError: `file` is wrong.
        InputError: `output` holds other files, or the image or the model is wrong.
    """
    from constructs_lib.platform import Platform
    from constructs_lib.platform.checks import warnings

    platform = Platform.load(file)
    for warning in warnings(platform):
        say(f"warning: {warning}")
    from constructs_lib.dist import write  # loads jsii, which takes a second
    from constructs_lib.errors import PropsError

    try:
        with step(f"writing {output}/"):
            return write(platform, output, image=image, model=model)
    except PropsError as error:
        raise InputError(str(error)) from error
