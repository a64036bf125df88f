#!/usr/bin/env python3
"""Print the digest of the image of one platform in an OCI archive, or of the index of all platforms.

    tools/oci_digest.py image.tar linux/amd64
    tools/oci_digest.py image.tar

Two archives of one commit differ in their attestations, which name time and place; their images must not differ.
"""

import json
import sys
import tarfile
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"


def main(archive: str, platform: str | None = None) -> str:
    """Return the digest of `platform` (os/architecture) in `archive`, or that of the index."""
    with tarfile.open(archive) as tar:
        top = _read(tar, "index.json")["manifests"]
        if len(top) != 1:
            sys.exit(f"{archive} holds {len(top)} images; one was expected")
        if platform is None:
            return str(top[0]["digest"])
        entries = top
        if top[0]["mediaType"] == INDEX:
            entries = _read(tar, "blobs/" + top[0]["digest"].replace(":", "/"))["manifests"]
    found = {f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"] for entry in entries}
    if platform not in found:
        sys.exit(f"{archive} has no image for {platform}; it has {', '.join(found)}")
    return str(found[platform])


def _read(tar: tarfile.TarFile, name: str) -> dict[str, list[dict[str, Any]]]:
    file = tar.extractfile(name)
    if file is None:
        sys.exit(f"{name} is not a file of the archive")
    document: dict[str, list[dict[str, Any]]] = json.load(file)
    return document


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    sys.stdout.write(main(*sys.argv[1:]) + "\n")
