"""Writes manifests for the commands that synthesize: with the warnings that a valid platform.yaml may deserve."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.console import say, step
from tenantry.errors import CommandError, InputError
from tenantry.options import PLATFORM_FILE

if TYPE_CHECKING:
    from constructs_lib.synthesis.unchanged import Identity

MAIN: Final = "main.py"
"""The project's own app, beside its platform.yaml: it may add constructs, so it is what writes the manifests."""


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
    if (file.parent / MAIN).is_file() and file.name == PLATFORM_FILE.name:
        return _run_main(file.parent / MAIN, output, image=image, model=model)
    from constructs_lib.checks import warnings
    from constructs_lib.dist import write
    from constructs_lib.errors import PropsError
    from constructs_lib.platform import Platform

    platform = Platform.load(file)
    for warning in warnings(platform):
        say(f"warning: {warning}")
    try:
        with step(f"writing {output}/"):
            return write(platform, output, image=image, model=model)
    except PropsError as error:
        raise InputError(str(error)) from error


def _run_main(main: Path, output: Path, *, image: str | None, model: str | None) -> bool:
    """Run the project's main.py as `cdk8s synth` does, with the command's options in its environment."""
    from constructs_lib.names import IMAGE_ENV, MODEL_ENV, OUTPUT_ENV

    options = {OUTPUT_ENV: str(output.absolute()), IMAGE_ENV: image, MODEL_ENV: model}
    environment = os.environ | {name: value for name, value in options.items() if value}
    before = _contents(output)
    with step(f"writing {output}/"):
        done = subprocess.run(
            [sys.executable, main.name], cwd=main.parent, env=environment, capture_output=True, text=True, check=False
        )
    said = done.stderr.strip()
    if done.returncode == InputError.exit_code:
        raise InputError(said.removeprefix("error: "))
    if done.returncode:
        raise CommandError(f"{main} failed:\n{said}")
    if said:
        say(said)
    return _contents(output) != before


def _contents(folder: Path) -> "dict[str, Identity]":
    """The identity of each file: `dist.place` replaces only files that differ."""
    from constructs_lib.synthesis.unchanged import identity

    return {str(path): identity(path.stat()) for path in folder.rglob("*") if path.is_file()}
