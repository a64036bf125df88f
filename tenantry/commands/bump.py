"""`tenantry bump`: a new image in platform.yaml and dist/."""

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
    """Set the platform's image in platform.yaml, keep every comment, and write dist/.

    Example: tenantry bump vendettaopppp/ml-inference-service:0.2.0
    """
    from tenantry.manifests import write_manifests
    from tenantry.platform_file import restored_on_error, set_image

    with restored_on_error(file):
        changed = set_image(file, image)
        written = write_manifests(file, output)
    for path, touched in ((file, changed), (output, written)):
        result(f"{path}: {'changed' if touched else 'up to date'}")
