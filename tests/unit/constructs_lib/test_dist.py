"""dist/ is replaced completely, or not changed at all."""

from pathlib import Path

import pytest

from constructs_lib import dist
from constructs_lib.dist import place, write
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform
from constructs_lib.synthesis import manifests
from constructs_lib.synthesis.unchanged import identity
from tests.example_platform import EXAMPLE

SHIPPED = EXAMPLE


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / f"{name}.k8s.yaml").write_text(text, encoding="utf-8")
    return path


def content(path: Path) -> dict[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in path.iterdir()}


@pytest.fixture
def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot exchange two folders."""
    monkeypatch.setattr(dist, "_exchange", lambda *_: False)


def test_old_files_are_replaced_by_new_ones(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1", c="3"), folder(tmp_path / "dist", a="0", b="2")
    assert place(new, target)
    assert content(target) == {"a.k8s.yaml": "1", "c.k8s.yaml": "3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "new"]


@pytest.mark.usefixtures("without_exchange")
def test_old_files_are_replaced_where_folders_cannot_be_exchanged(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1", c="3"), folder(tmp_path / "dist", a="0", b="2")
    assert place(new, target)
    assert content(target) == {"a.k8s.yaml": "1", "c.k8s.yaml": "3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "new"]


def test_linux_replaces_the_folder_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed between two renames would leave the project without the folder."""
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="0")
    monkeypatch.delattr(Path, "rename")
    assert place(new, target)
    assert content(target) == {"a.k8s.yaml": "1"}


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_stays_and_its_folder_is_replaced(tmp_path: Path, *, exists: bool) -> None:
    elsewhere = folder(tmp_path / "elsewhere", a="0") if exists else tmp_path / "elsewhere"
    (tmp_path / "dist").symlink_to(elsewhere)
    assert place(folder(tmp_path / "new", a="1"), tmp_path / "dist")
    assert (tmp_path / "dist").is_symlink()
    assert content(elsewhere) == {"a.k8s.yaml": "1"}


def test_a_missing_target_is_created(tmp_path: Path) -> None:
    assert place(folder(tmp_path / "new", a="1"), tmp_path / "deep" / "dist")
    assert content(tmp_path / "deep" / "dist") == {"a.k8s.yaml": "1"}


def test_identical_files_are_not_written_again(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="1")
    before = (target.stat().st_ino, (target / "a.k8s.yaml").stat().st_mtime_ns)
    assert not place(new, target)
    assert (target.stat().st_ino, (target / "a.k8s.yaml").stat().st_mtime_ns) == before


def test_rejects_a_target_with_other_files(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="0")
    (target / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PropsError, match=r"must contain only manifests, but contains notes\.txt"):
        place(new, target)
    assert content(target) == {"a.k8s.yaml": "0", "notes.txt": "mine"}


def test_rejects_a_target_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("mine", encoding="utf-8")
    with pytest.raises(PropsError, match="must be a folder"):
        place(folder(tmp_path / "new", a="1"), tmp_path / "dist")


def test_rejects_a_source_without_manifests(tmp_path: Path) -> None:
    target = folder(tmp_path / "dist", a="0")
    with pytest.raises(PropsError, match=r"must contain \.k8s\.yaml files"):
        place(folder(tmp_path / "new"), target)
    assert content(target) == {"a.k8s.yaml": "0"}


@pytest.mark.usefixtures("without_exchange")
def test_a_failed_replacement_restores_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_failed_synth_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder(tmp_path / "dist", a="0")

    def fails(_: Platform, folder: str, **__: object) -> None:
        (Path(folder) / "a.k8s.yaml").write_text("1", encoding="utf-8")
        raise RuntimeError("failed")

    monkeypatch.setattr(manifests, "synth", fails)
    with pytest.raises(RuntimeError, match="failed"):
        write(Platform.load(SHIPPED), target)
    assert content(target) == {"a.k8s.yaml": "0"}


def test_an_image_override_is_checked_by_the_same_rules(tmp_path: Path) -> None:
    target = folder(tmp_path / "dist", a="0")
    with pytest.raises(PropsError, match="a tag other than 'latest'"):
        write(Platform.load(SHIPPED), target, image="service:latest")
    assert content(target) == {"a.k8s.yaml": "0"}


def test_files_that_stay_are_not_written_again(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", a="0", b="2", c="3")
    stays = identity((target / "b.k8s.yaml").stat())
    assert place(new, target, {"b.k8s.yaml": stays})
    assert content(target) == {"a.k8s.yaml": "1", "b.k8s.yaml": "2"}
    assert identity((target / "b.k8s.yaml").stat()) == stays


def test_files_that_stay_are_copied_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", fails)
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", b="2")
    assert place(new, target, {"b.k8s.yaml": identity((target / "b.k8s.yaml").stat())})
    assert content(target) == {"a.k8s.yaml": "1", "b.k8s.yaml": "2"}


def test_a_file_that_was_replaced_since_does_not_stay(tmp_path: Path) -> None:
    """Another synthesis may have replaced the folder, whose file is not the one that was compared."""
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", b="2")
    stays = identity((target / "b.k8s.yaml").stat())
    (target / "b.k8s.yaml").unlink()
    (target / "b.k8s.yaml").write_text("of another synthesis", encoding="utf-8")
    with pytest.raises(PropsError, match="must not change during a synthesis"):
        place(new, target, {"b.k8s.yaml": stays})
    assert content(target) == {"b.k8s.yaml": "of another synthesis"}


def test_a_file_that_was_removed_since_does_not_stay(tmp_path: Path) -> None:
    new, target = folder(tmp_path / "new", a="1"), folder(tmp_path / "dist", b="2", c="3")
    stays = identity((target / "b.k8s.yaml").stat())
    (target / "b.k8s.yaml").unlink()
    with pytest.raises(PropsError, match="must not change during a synthesis"):
        place(new, target, {"b.k8s.yaml": stays})
    assert content(target) == {"c.k8s.yaml": "3"}
