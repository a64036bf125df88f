"""`tenantry bump`: a new image in platform.yaml and dist/."""

from typing import Annotated

import typer

from tenantry.console import result, say
from tenantry.options import DIST, PLATFORM_FILE, FileOption, OutputOption


def bump(
    image: Annotated[str, typer.Argument(help="The image, as in name:tag@sha256:DIGEST.")],
    *,
    onnx_image: Annotated[
        str | None, typer.Option("--onnx-image", help="The image for tenants with runtime onnx; default: not changed.")
    ] = None,
    file: FileOption = PLATFORM_FILE,
    output: OutputOption = DIST,
) -> None:
    """Set the platform's image in platform.yaml, keep every comment, and write dist/.

    With --onnx-image, set platform.onnxImage too. Tenants with runtime onnx need it if the image has a digest.

    Example: tenantry bump vendettaopppp/ml-inference-service:0.2.0

    Example: tenantry bump registry.example/service@sha256:DIGEST --onnx-image registry.example/service@sha256:DIGEST
    """
    from constructs_lib.platform import Platform
    from tenantry.manifests import write_manifests
    from tenantry.platform_file import restored_on_error, set_image

    with restored_on_error(file):
        changed = set_image(file, image, onnx_image)
        written = write_manifests(file, output)
    if onnx_image is None and (kept := Platform.load(file).platform.onnx_image):
        say(f"{file}: platform.onnxImage is still {kept}; set it with --onnx-image")
    for path, touched in ((file, changed), (output, written)):
        result(f"{path}: {'changed' if touched else 'up to date'}")
