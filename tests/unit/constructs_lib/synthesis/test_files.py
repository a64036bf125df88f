"""A file that has not changed is not read again; everything that matters is part of the question."""

from pathlib import Path

import pytest

from constructs_lib.errors import PropsError
from constructs_lib.names import CACHE_ENV
from constructs_lib.platform import Platform, PlatformError
from constructs_lib.synthesis import synth_file
from tests.certificates import Authority

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

    def synth(self, image: str | None = None) -> tuple[dict[str, bytes], list[str]]:
        self._count += 1
        said: list[str] = []
        outdir = self._folder / f"out-{self._count}"
        synth_file(self.file, outdir, image=image, model=None, extend=None, warn=said.append)
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
