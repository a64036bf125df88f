"""The app of `cdk8s synth`: writes `dist/` from platform.yaml, completely or not at all."""

import os
import sys
from pathlib import Path

from constructs_lib import charts
from constructs_lib.dist import place
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform, PlatformError
from constructs_lib.platform.checks import warnings

ROOT = Path(__file__).parent


def synth(file: Path = ROOT / "platform.yaml", output: Path = ROOT / "dist") -> None:
    """Write the manifests of `file` to `output`, and warnings to standard error.

    cdk8s empties the folder CDK8S_OUTDIR before this runs, so `output` is a different folder.
    """
    platform = Platform.load(file)
    for warning in warnings(platform):
        _say(f"warning: {warning}")
    build = Path(os.environ.get("CDK8S_OUTDIR", ROOT / "build" / "synth"))
    charts.synth(platform, build)
    place(build, output)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - this program's interface


if __name__ == "__main__":
    try:
        synth()
    except (PlatformError, PropsError) as error:
        _say(f"error: {error}")
        sys.exit(2)
