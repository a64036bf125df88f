"""The app of a project: what its main.py calls, with the project's own constructs beside the file."""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.dist import check_target, place
from constructs_lib.errors import PropsError
from constructs_lib.names import IMAGE_ENV, MODEL_ENV, OUTPUT_ENV
from constructs_lib.platform import PlatformError
from constructs_lib.synthesis import synth_file

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
    # cdk8s empties the folder CDK8S_OUTDIR before this runs, so `output` is a different folder.
    with tempfile.TemporaryDirectory(prefix="tenantry-synth-") as temporary:
        build = Path(os.environ.get("CDK8S_OUTDIR") or temporary)
        synth_file(Path(folder, "platform.yaml"), build, image=image, model=model, extend=extend, warn=_warn)
        place(build, output)


def _warn(warning: str) -> None:
    _say(f"warning: {warning}")


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - this program's interface
