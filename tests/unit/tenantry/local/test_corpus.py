"""Where the training corpus is kept."""

from pathlib import Path

import pytest

from tenantry.local import corpus


def test_the_corpus_is_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert corpus._cache() == tmp_path / "tenantry"


def test_the_corpus_is_kept_in_the_project_if_there_is_no_other_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a user without a home folder; a file in the way stands for every folder that cannot be made."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert corpus._cache() == Path("build/cache")
