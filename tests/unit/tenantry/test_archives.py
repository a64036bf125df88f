"""Unpacking archives, with every Python that the package supports."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from tenantry.archives import unpack


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "file.txt").write_text("content")
    with tarfile.open(tmp_path / "archive.tar", "w") as tar:
        tar.add(tmp_path / "file.txt", "file.txt")
    return tmp_path / "archive.tar"


def test_an_archive_is_unpacked(archive: Path, tmp_path: Path) -> None:
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "file.txt").read_text() == "content"


def test_a_python_without_filters_unpacks_too(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python 3.11.2, whose `extractall` does not know the argument."""
    plain = tarfile.TarFile.extractall
    known: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda self, path: plain(self, path, **known))
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "file.txt").read_text() == "content"
