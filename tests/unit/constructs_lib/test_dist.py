"""dist/ is replaced as a whole, or left byte for byte as it was."""

from pathlib import Path

import pytest

from constructs_lib import dist
from constructs_lib.dist import place, write
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform
from tests.paths import ROOT

SHIPPED = ROOT / "platform.yaml"


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / f"{name}.k8s.yaml").write_text(text, encoding="utf-8")
    return path


def content(path: Path) -> dict[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in path.iterdir()}


def test_what_was_there_goes_and_what_is_new_comes(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1", c="3"), folder(tmp_path / "dist", a="0", b="2")
    assert place(new, target)
    assert content(target) == {"a.k8s.yaml": "1", "c.k8s.yaml": "3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "new"]


def test_a_target_that_is_not_there_is_made(tmp_path: Path) -> None:
    assert place(folder(tmp_path / "new", a="1"), tmp_path / "deep" / "dist")
    assert content(tmp_path / "deep" / "dist") == {"a.k8s.yaml": "1"}


def test_what_is_right_already_is_not_touched(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="1")
    before = (target.stat().st_ino, (target / "a.k8s.yaml").stat().st_mtime_ns)
    assert not place(new, target)
    assert (target.stat().st_ino, (target / "a.k8s.yaml").stat().st_mtime_ns) == before


def test_a_target_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="0")
    (target / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PropsError, match=r"holds notes\.txt, which is no manifest and would be lost"):
        place(new, target)
    assert content(target) == {"a.k8s.yaml": "0", "notes.txt": "mine"}


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("mine", encoding="utf-8")
    with pytest.raises(PropsError, match="must be a folder"):
        place(folder(tmp_path / "new", a="1"), tmp_path / "dist")


def test_nothing_is_not_placed(tmp_path: Path) -> None:
    target = folder(tmp_path / "dist", a="0")
    with pytest.raises(PropsError, match="there is nothing to place"):
        place(folder(tmp_path / "new"), target)
    assert content(target) == {"a.k8s.yaml": "0"}


def test_a_swap_that_fails_half_way_brings_the_old_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="0")
    rename = Path.rename

    def fails(self: Path, to: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="No space left"):
        place(new, target)
    assert content(target) == {"a.k8s.yaml": "0"}


def test_a_synth_that_fails_half_way_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder(tmp_path / "dist", a="0")

    def fails(_: Platform, folder: str, **__: str | None) -> None:
        (Path(folder) / "a.k8s.yaml").write_text("1", encoding="utf-8")
        raise RuntimeError("half way")

    monkeypatch.setattr(dist, "synth", fails)
    with pytest.raises(RuntimeError, match="half way"):
        write(Platform.load(SHIPPED), target)
    assert content(target) == {"a.k8s.yaml": "0"}


def test_an_image_override_is_checked_by_the_same_rules(tmp_path: Path) -> None:
    target = folder(tmp_path / "dist", a="0")
    with pytest.raises(PropsError, match="a tag other than 'latest'"):
        write(Platform.load(SHIPPED), target, image="service:latest")
    assert content(target) == {"a.k8s.yaml": "0"}
