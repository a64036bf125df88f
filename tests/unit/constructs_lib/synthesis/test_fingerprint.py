"""A change of the code that makes manifests changes the fingerprint, so that no old manifest is used."""

import re
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from constructs_lib.synthesis import fingerprint
from constructs_lib.synthesis.fingerprint import FOLDERS, OPTIONS, distributions, of
from tests.paths import ROOT


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.py").write_text("a = 1\n", encoding="utf-8")
    (folder / "deep" / "two.py").write_text("b = 2\n", encoding="utf-8")
    return folder


def test_the_same_code_has_the_same_fingerprint(code: Path) -> None:
    before = of([code], ["1"])
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "one.pyc").write_bytes(b"compiled")
    assert of([code], ["1"]) == before


@pytest.mark.parametrize("change", ["edit", "add", "remove", "move"])
def test_any_change_of_a_source_file_changes_it(code: Path, change: str) -> None:
    before = of([code], ["1"])
    two = code / "deep" / "two.py"
    match change:
        case "edit":
            two.write_text("b = 3\n", encoding="utf-8")
        case "add":
            (code / "deep" / "three.py").write_text("", encoding="utf-8")
        case "remove":
            two.unlink()
        case _:
            two.rename(code / "two.py")
    assert of([code], ["1"]) != before


def test_another_version_of_a_package_changes_it(code: Path, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    (site / "cdk8s-1.0.dist-info").mkdir(parents=True)
    before = of([code], distributions([str(site)]))
    (site / "cdk8s-1.0.dist-info").rename(site / "cdk8s-1.1.dist-info")
    assert of([code], distributions([str(site)])) != before


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_cdk8s_changes_it(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    before = fingerprint.fingerprint.__wrapped__()
    monkeypatch.setenv(option, "1")
    assert fingerprint.fingerprint.__wrapped__() != before


def test_it_covers_the_options_of_cdk8s_that_change_manifests() -> None:
    """The other options name the folder, and add a file that is not a manifest."""
    spec = find_spec("cdk8s")
    assert spec is not None
    assert spec.origin is not None
    (package,) = Path(spec.origin).parent.glob("_jsii/*.tgz")
    with tarfile.open(package) as archive:
        sources = [archive.extractfile(each) for each in archive if each.name.startswith("package/lib/")]
        code = b"".join(each.read() for each in sources if each)
    options = {each.decode() for each in re.findall(rb"process\.env\.(CDK8S_\w+)", code)}
    assert options == {*OPTIONS, "CDK8S_OUTDIR", "CDK8S_RECORD_CONSTRUCT_METADATA"}


def test_it_covers_what_the_constructs_import() -> None:
    assert set(FOLDERS) == {ROOT / "constructs_lib", ROOT / "imports", ROOT / "inference"}
    assert any(path.suffix == ".tgz" for path in (ROOT / "imports").rglob("*"))
