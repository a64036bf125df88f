"""dist/ is what platform.yaml and main.py give; `pytest --snapshot-update` accepts a change."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

ROOT = Path(__file__).resolve().parents[1]
SUFFIX = ".k8s.yaml"
NAMES = sorted(path.name.removesuffix(SUFFIX) for path in (ROOT / "dist").glob(f"*{SUFFIX}"))


class Manifest(SingleFileSnapshotExtension):
    """Reads the snapshot `tenant-a` from dist/tenant-a.k8s.yaml."""

    _write_mode = WriteMode.TEXT
    file_extension = SUFFIX.removeprefix(".")

    @classmethod
    def dirname(cls, *, test_location):
        return str(ROOT / "dist")

    @classmethod
    def get_snapshot_name(cls, *, test_location, index=0):
        return str(index)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new synthesis of this project."""
    folder = tmp_path_factory.mktemp("synth") / "dist"
    environment = os.environ | {"TENANTRY_OUTPUT": str(folder)}
    subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True)
    return folder


@pytest.mark.filterwarnings(r"ignore:\s*Can not relate snapshot:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_the_manifests_are_up_to_date(name: str, fresh: Path, snapshot: SnapshotAssertion) -> None:
    assert (fresh / f"{name}{SUFFIX}").read_text("utf-8") == snapshot.use_extension(Manifest)(name=name)


def test_dist_has_every_file(fresh: Path) -> None:
    assert sorted(path.name for path in fresh.iterdir()) == [f"{name}{SUFFIX}" for name in NAMES]
