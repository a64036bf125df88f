"""A file that has not changed is not read again; everything that matters is part of the question."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

from constructs_lib.errors import PropsError
from constructs_lib.names import CACHE_ENV
from constructs_lib.platform import Platform, PlatformError
from constructs_lib.project import synth
from constructs_lib.synthesis.files import synth_file
from constructs_lib.synthesis.unchanged import Kept, identity
from tests.certificates import Authority
from tests.paths import ROOT

TEXT = """
apiVersion: tenantry.dev/v1alpha1
platform:
  image: registry.example/service:1
tenants:
  - name: one
    model: s3://models/one/spam
"""


class Project:
    """A platform.yaml, and what its synths wrote and warned of."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "platform.yaml"
        self.file.write_text(TEXT, encoding="utf-8")
        self._folder = folder
        self._count = 0
        self.kept: Kept = {}

    def synth(self, image: str | None = None, present: Path | None = None) -> tuple[dict[str, bytes], list[str]]:
        self._count += 1
        said: list[str] = []
        outdir = self._folder / f"out-{self._count}"
        self.kept = synth_file(
            self.file, outdir, image=image, model=None, extend=None, warn=said.append, present=present
        )
        return {path.name: path.read_bytes() for path in outdir.iterdir()}, said


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))
    return Project(tmp_path)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read as a platform."""
    found: list[Path] = []
    original = Platform.load.__func__  # type: ignore[attr-defined] # a class method

    def load(cls: type[Platform], path: Path) -> Platform:
        found.append(path)
        result: Platform = original(cls, path)
        return result

    monkeypatch.setattr(Platform, "load", classmethod(load))
    return found


def test_an_unchanged_file_gives_the_same_files_and_warnings_without_being_read(
    project: Project, loads: list[Path]
) -> None:
    first = project.synth()
    assert first[1] == ["the model of one is not pinned to a digest: a pod serves the latest version when it starts"]
    assert project.synth() == first
    assert len(loads) == 1


def test_a_changed_file_is_read(project: Project, loads: list[Path]) -> None:
    before, _ = project.synth()
    project.file.write_text(TEXT.replace("service:1", "service:2"), encoding="utf-8")
    after, _ = project.synth()
    assert b"service:2" in after["one.k8s.yaml"]
    assert b"service:2" not in before["one.k8s.yaml"]
    assert len(loads) == 2


def test_a_file_of_certificates_that_changes_is_read(project: Project, tmp_path: Path) -> None:
    """Although platform.yaml, which names it, has not changed."""
    folders = [tmp_path / "old", tmp_path / "new"]
    store = "  modelStore: {endpoint: 'https://s3.example', namespace: null, caBundle: {file: ca.pem}}\ntenants:"
    project.file.write_text(TEXT.replace("tenants:", store), encoding="utf-8")
    for folder in folders:
        folder.mkdir()
        pem = Authority(folder).file.read_text()
        (tmp_path / "ca.pem").write_text(pem)
        files, _ = project.synth()
        assert pem.splitlines()[1].encode() in files["one.k8s.yaml"]


def test_an_option_is_part_of_the_question(project: Project) -> None:
    project.synth()
    files, _ = project.synth(image="service:9")
    assert b"image: service:9" in files["one.k8s.yaml"]
    with pytest.raises(PropsError, match="a tag other than 'latest'"):
        project.synth(image="service:latest")


def test_a_manifest_that_the_cache_lost_is_made_again(project: Project, tmp_path: Path, loads: list[Path]) -> None:
    first = project.synth()
    largest = max((tmp_path / "cache").iterdir(), key=lambda path: path.stat().st_size)
    largest.unlink()
    assert project.synth() == first
    assert len(loads) == 2


def test_a_wrong_file_is_reported_each_time(project: Project) -> None:
    project.synth()
    project.file.write_text(TEXT.replace("name: one", "name: One"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(PlatformError, match="is not valid"):
            project.synth()


def test_files_that_are_there_already_are_not_written(project: Project, tmp_path: Path) -> None:
    project.synth()
    present = tmp_path / "out-1"
    assert project.synth(present=present) == ({}, project.synth()[1])
    project.synth(present=present)
    assert project.kept == {path.name: identity(path.stat()) for path in present.iterdir()}


@pytest.mark.parametrize("change", ["edit", "remove", "link"])
def test_a_file_that_is_not_as_it_was_is_written(project: Project, tmp_path: Path, change: str) -> None:
    files, _ = project.synth()
    file = tmp_path / "out-1" / "one.k8s.yaml"
    match change:
        case "edit":
            file.write_bytes(files[file.name].replace(b"service:1", b"service:2"))
        case "remove":
            file.unlink()
        case _:
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
    assert project.synth(present=file.parent)[0] == {file.name: files[file.name]}
    assert set(project.kept) == {"0-platform.k8s.yaml"}


def test_without_a_change_neither_the_model_nor_the_constructs_are_loaded(project: Project, tmp_path: Path) -> None:
    """They take most of the time of a synthesis without changes."""
    program = (
        "import sys; from pathlib import Path; from constructs_lib.project import synth; synth(Path(sys.argv[1])); "
        "print(sorted({'pydantic', 'jsii'} & sys.modules.keys()))"
    )
    environment = os.environ | {CACHE_ENV: str(tmp_path / "cache")}
    for expected in ("['jsii', 'pydantic']", "[]"):
        command = [sys.executable, "-c", program, str(project.file.parent)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


def test_the_folder_of_cdk8s_has_all_manifests_each_time(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("first", "again"):
        monkeypatch.setenv("CDK8S_OUTDIR", str(tmp_path / folder))
        synth(project.file.parent)
        assert filecmp.dircmp(tmp_path / folder, tmp_path / "dist").diff_files == []
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == ["0-platform.k8s.yaml", "one.k8s.yaml"]


def test_the_folder_of_cdk8s_may_be_the_one_that_is_replaced(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK8S_OUTDIR", str(tmp_path / "dist"))
    for _ in range(2):
        synth(project.file.parent)
        assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == ["0-platform.k8s.yaml", "one.k8s.yaml"]
