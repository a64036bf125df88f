#!/usr/bin/env python3
"""Print the images that platform.yaml deploys as JSON, for the matrix of a workflow.

    tools/deployed_images.py platform.yaml

Each has the runtime of the tenants that use it, a reference for skopeo, and the commit from which it was built, which
is a label in the registry. There is none for ONNX models if `image` has a digest and `onnxImage` is absent, because
tenants with runtime `onnx` are refused then. Needs skopeo, and only Python's standard library.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

REVISION = "org.opencontainers.image.revision"


def main(file: str = "platform.yaml") -> list[dict[str, str]]:
    """Return the images of `file`, that for texts first."""
    text = Path(file).read_text(encoding="utf-8")
    image, onnx_image = _setting(text, "image"), _setting(text, "onnxImage")
    if image is None:
        sys.exit(f"{file}: there is no line 'image:' below 'platform:'; add one")
    if onnx_image is None and "@" not in image:
        onnx_image = f"{image}-onnx"
    return [
        {"runtime": runtime, "reference": reference, "revision": _revision(reference)}
        for runtime, name in (("text", image), ("onnx", onnx_image))
        if name
        for reference in [_reference(name)]
    ]


def _setting(text: str, key: str) -> str | None:
    section = re.search(r"(?ms)^platform:[^\n]*\n(.*?)(?=^[^\s#]|\Z)", text)
    line = re.search(rf"""(?m)^  {key}: *["']?([^\s"'#]+)""", section[1]) if section else None
    return line[1] if line else None


def _reference(name: str) -> str:
    """Return a reference with a tag or a digest: skopeo does not take both."""
    repository, _, digest = name.partition("@")
    return (
        f"docker://docker.io/{re.sub(':[^/]*$', '', repository)}@{digest}" if digest else f"docker://docker.io/{name}"
    )


def _revision(reference: str) -> str:
    platform = ("--override-os", "linux", "--override-arch", "amd64")
    done = subprocess.run(
        ["skopeo", "inspect", *platform, "--no-tags", reference], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"skopeo cannot read {reference}; its message is above")
    revision = str((json.loads(done.stdout).get("Labels") or {}).get(REVISION))
    if not re.fullmatch("[0-9a-f]{40}", revision):
        sys.exit(f"{reference}: the label {REVISION} is '{revision}', not a commit; deploy an image of the release")
    return revision


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
