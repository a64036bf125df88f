"""What `cdk8s synth` runs: platform.yaml in, `dist/` out, as a whole or not at all."""

import os
import sys
from pathlib import Path

from constructs_lib import charts
from constructs_lib.dist import place
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform, PlatformError

ROOT = Path(__file__).parent


def synth(file: Path = ROOT / "platform.yaml", output: Path = ROOT / "dist") -> None:
    """Write the manifests of `file` to `output`.

    cdk8s empties its own output folder before this runs, and names it in CDK8S_OUTDIR: `output` is another one.
    """
    build = Path(os.environ.get("CDK8S_OUTDIR", ROOT / "build" / "synth"))
    charts.synth(Platform.load(file), build)
    place(build, output)


if __name__ == "__main__":
    try:
        synth()
    except (PlatformError, PropsError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - it is what the user reads
        sys.exit(2)
