"""A change of the code that makes manifests changes the fingerprint, so that no old manifest is used."""

from pathlib import Path

import pytest

from constructs_lib.synthesis import fingerprint
from constructs_lib.synthesis.fingerprint import FOLDERS, distributions, of
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


def test_an_option_of_cdk8s_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.fingerprint.__wrapped__()
    monkeypatch.setenv("CDK8S_DISABLE_SORT", "1")
    assert fingerprint.fingerprint.__wrapped__() != before


def test_it_covers_what_the_constructs_import() -> None:
    assert set(FOLDERS) == {ROOT / "constructs_lib", ROOT / "imports", ROOT / "inference"}
    assert any(path.suffix == ".tgz" for path in (ROOT / "imports").rglob("*"))
