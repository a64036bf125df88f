"""The app of a project: what its main.py calls, with the project's own constructs beside the file."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.dist import check_target, place
from constructs_lib.errors import PlatformError, PropsError
from constructs_lib.names import IMAGE_ENV, MODEL_ENV, OUTPUT_ENV
from constructs_lib.synthesis.files import synth_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.charts import Extension


def main(file: str, extend: "Mapping[str, Extension] | None" = None) -> None:
    """Write `dist/` from the platform.yaml beside main.py, completely or not at all; ends the process on wrong input.

    Args:
        file: the path of main.py, `__file__`.
        extend: for a tenant, a function that adds constructs of your own to its namespace. It receives the tenant's
            chart and its `IsolatedTenant`. Objects without a namespace get the tenant's, and Tenantry's label.
    """
    try:
        synth(Path(file).resolve().parent, extend)
    except (PlatformError, PropsError) as error:
        _say(f"error: {error}")
        sys.exit(2)


def synth(folder: Path, extend: "Mapping[str, Extension] | None" = None) -> None:
    """Write the manifests of the project in `folder`, and warnings to standard error.

    Raises:
        PlatformError: platform.yaml is wrong.
        PropsError: the image or the model is wrong, or the output folder holds other files.
    """
    output = Path(os.environ.get(OUTPUT_ENV) or Path(folder, "dist"))
    check_target(output)
    image, model = os.environ.get(IMAGE_ENV), os.environ.get(MODEL_ENV)
    with tempfile.TemporaryDirectory(prefix="tenantry-synth-") as build:
        kept = synth_file(
            Path(folder, "platform.yaml"),
            Path(build),
            image=image,
            model=model,
            extend=extend,
            warn=_warn,
            present=output,
        )
        place(Path(build), output, kept)
    # cdk8s empties this folder before the synthesis, so it is usually not `output`.
    if (outdir := os.environ.get("CDK8S_OUTDIR")) and Path(outdir).resolve() != output.resolve():
        shutil.copytree(output, outdir, copy_function=shutil.copyfile, dirs_exist_ok=True)


def _warn(warning: str) -> None:
    _say(f"warning: {warning}")


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - this program's interface
