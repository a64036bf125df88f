"""A fresh synth gives the committed files of `dist/`."""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from constructs_lib.dist import write
from constructs_lib.names import PLATFORM_CHART, SUFFIX
from constructs_lib.platform import Platform
from tests.paths import ROOT

PLATFORM = Platform.load(ROOT / "platform.yaml")
NAMES = [PLATFORM_CHART, *(tenant.name for tenant in PLATFORM.tenants)]


class DistExtension(SingleFileSnapshotExtension):
    """Stores the snapshot `tenant-a` as `dist/tenant-a.k8s.yaml`, so that a pull request shows YAML."""

    _write_mode = WriteMode.TEXT
    file_extension = SUFFIX.removeprefix(".")

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        del test_location
        return str(ROOT / "dist")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:
        del test_location
        return str(index)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests of the current platform.yaml."""
    folder = tmp_path_factory.mktemp("synth") / "dist"
    write(PLATFORM, folder)
    return folder


# syrupy expects the test's name in the name of the file, which dist/ determines here.
@pytest.mark.filterwarnings(r"ignore:\s*Can not relate snapshot:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_synth_gives_the_committed_files(name: str, fresh: Path, snapshot: SnapshotAssertion) -> None:
    committed = snapshot.use_extension(DistExtension)(name=name)
    assert (fresh / f"{name}{SUFFIX}").read_text(encoding="utf-8") == committed


def test_dist_has_a_file_for_the_platform_and_one_for_each_tenant(fresh: Path) -> None:
    expected = sorted(f"{name}{SUFFIX}" for name in NAMES)
    assert sorted(path.name for path in fresh.iterdir()) == expected
    assert sorted(path.name for path in (ROOT / "dist").iterdir()) == expected


def test_a_second_synth_writes_the_same_bytes(fresh: Path, tmp_path: Path) -> None:
    again = tmp_path / "dist"
    write(PLATFORM, again)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in fresh.iterdir()
    }
