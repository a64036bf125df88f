"""`tenantry bump`: a new image into platform.yaml and dist/."""

from typing import Annotated

import typer

from tenantry.console import result
from tenantry.options import DIST, PLATFORM_FILE, FileOption, OutputOption


def bump(
    image: Annotated[str, typer.Argument(help="The image, as in name:tag@sha256:DIGEST.")],
    *,
    file: FileOption = PLATFORM_FILE,
    output: OutputOption = DIST,
) -> None:
    """Set the platform's image in platform.yaml, every comment kept, and write dist/ anew.

    Example: tenantry bump vendettaopppp/ml-inference-service:0.2.0
    """
    from constructs_lib.dist import write
    from constructs_lib.platform import Platform
    from tenantry.platform_file import set_image

    changed = set_image(file, image)
    written = write(Platform.load(file), output)
    for path, touched in ((file, changed), (output, written)):
        result(f"{path}: {'changed' if touched else 'was up to date'}")
