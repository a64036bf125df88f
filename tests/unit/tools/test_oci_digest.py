"""Which image of an archive is which."""

import io
import json
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

SCRIPT = ROOT / "tools" / "oci_digest.py"
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def _entry(media: str, digest: str, platform: str) -> dict[str, Any]:
    system, _, architecture = platform.partition("/")
    return {"mediaType": media, "digest": digest, "platform": {"os": system, "architecture": architecture}}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An index of two platforms and an attestation, as BuildKit writes it."""
    manifests = [
        _entry(IMAGE, "sha256:aaa", "linux/amd64"),
        _entry(IMAGE, "sha256:bbb", "linux/arm64"),
        _entry(IMAGE, "sha256:ccc", "unknown/unknown"),
    ]
    inner = json.dumps({"manifests": manifests}).encode()
    digest = sha256(inner).hexdigest()
    outer = json.dumps({"manifests": [{"mediaType": INDEX, "digest": f"sha256:{digest}"}]}).encode()
    return _write(tmp_path / "image.tar", {"index.json": outer, f"blobs/sha256/{digest}": inner})


def _write(file: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file


def _run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SCRIPT, *map(str, arguments)], check=False, capture_output=True, text=True)


def test_tells_the_platforms_apart(archive: Path) -> None:
    assert _run(archive, "linux/amd64").stdout == "sha256:aaa\n"
    assert _run(archive, "linux/arm64").stdout == "sha256:bbb\n"


def test_the_whole_is_the_index(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        (blob,) = [name for name in tar.getnames() if name.startswith("blobs/")]
    assert _run(archive).stdout == f"sha256:{Path(blob).name}\n"


def test_a_platform_that_is_not_there_is_an_error(archive: Path) -> None:
    done = _run(archive, "linux/s390x")
    assert done.returncode == 1
    assert "no image for linux/s390x; it has linux/amd64, linux/arm64" in done.stderr


def test_an_archive_of_one_platform_needs_no_index_in_it(tmp_path: Path) -> None:
    outer = json.dumps({"manifests": [_entry(IMAGE, "sha256:aaa", "linux/amd64")]}).encode()
    archive = _write(tmp_path / "image.tar", {"index.json": outer})
    assert _run(archive, "linux/amd64").stdout == "sha256:aaa\n"
