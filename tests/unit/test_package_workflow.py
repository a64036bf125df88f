"""The workflow that publishes the package: built once, scanned and tested as files, published without a token."""

import re
import subprocess
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.platform.runtime import runtime_image
from inference import contract
from tests.paths import ROOT
from tests.workflows import FOLDER, jobs_of, read_workflow, run, script
from tools import build_package

WORKFLOW = read_workflow(FOLDER / "package.yml")
JOBS = jobs_of(FOLDER / "package.yml")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = ["3.11", "3.12", "3.13"]


def scripts(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def uses(job: str) -> list[str]:
    return [step["uses"].partition("@")[0] for step in JOBS[job]["steps"] if "uses" in step]


def test_only_a_tag_with_a_version_on_main_is_published() -> None:
    """A manual run is a rehearsal."""
    assert WORKFLOW["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}, "workflow_dispatch": None}
    assert JOBS["publish"]["if"] == "github.event_name == 'push'"
    assert JOBS["verify"]["needs"] == ["sdist", "collect", "publish"]
    checks = scripts("sdist")
    assert 'test "$GITHUB_REF_NAME" = "v$VERSION"' in checks
    assert 'git merge-base --is-ancestor "$GITHUB_SHA" origin/main' in checks
    assert '"## [$VERSION]" CHANGELOG.md' in checks


def test_pypi_trusts_the_workflow_instead_of_a_token() -> None:
    """The identity is available to one job, whose environment owners can protect; there are no secrets at all."""
    assert "secrets." not in str(JOBS)
    holders = {name: job["permissions"] for name, job in JOBS.items() if "id-token" in job["permissions"]}
    assert holders == {"publish": {"id-token": "write"}}
    assert [name for name, job in JOBS.items() if "environment" in job] == ["publish"]
    assert JOBS["publish"]["environment"] == "pypi"


def test_the_publishing_job_runs_no_code_of_the_repository() -> None:
    assert uses("publish") == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    publish = JOBS["publish"]["steps"][-1]["with"]
    assert publish == {"packages-dir": "distributions", "attestations": True, "print-hash": True}


def test_what_is_published_was_scanned_and_tested() -> None:
    """The same artifact is scanned, tested, compared with its checksums and published; nothing is built again."""
    assert set(JOBS["publish"]["needs"]) == {"collect", "scan", "test"}
    for job in ("scan", "test", "publish"):
        (download,) = (step for step in JOBS[job]["steps"] if "download-artifact" in step.get("uses", ""))
        assert download["with"]["name"] == "package", job
        assert not re.search(r"cibuildwheel|build_package|pip wheel", scripts(job)), job
    assert "sha256sum --check --strict" in JOBS["publish"]["steps"][1]["run"]
    assert JOBS["publish"]["steps"][1]["env"] == {"CHECKSUMS": "${{ needs.collect.outputs.checksums }}"}
    assert "make wheel-test DISTRIBUTIONS=build/package" in scripts("test")


def test_the_scan_stops_at_fixable_high_and_critical() -> None:
    gate = JOBS["scan"]["steps"][-1]["with"]
    assert (gate["severity"], gate["ignore-unfixed"], gate["exit-code"]) == ("HIGH,CRITICAL", True, "1")
    assert gate["scan-ref"] == "unpacked"


def test_there_is_a_wheel_for_each_python_that_the_metadata_names() -> None:
    named = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", each)]
    assert named == PYTHONS
    assert PROJECT["tool"]["cibuildwheel"]["build"].split() == [f"cp{each.replace('.', '')}-*" for each in PYTHONS]
    assert JOBS["test"]["strategy"]["matrix"]["python"] == PYTHONS


def test_every_compiled_module_is_imported_from_every_compiled_wheel() -> None:
    """A module that cannot be compiled is left out silently by setup.py."""
    commands = " ".join(PROJECT["tool"]["cibuildwheel"]["test-command"])
    modules = {
        ".".join(["tenantry", *file.relative_to(ROOT).with_suffix("").parts])
        for file in (ROOT / "inference").rglob("*.pyx")
    }
    assert set(re.findall(r"tenantry(?:\.\w+)+", commands)) == modules


FILES = [
    "tenantry-1.0.0.tar.gz",
    "tenantry-1.0.0-py3-none-any.whl",
    *(
        f"tenantry-1.0.0-{python}-{python}-{platform}.whl"
        for python, platform in product(
            ("cp311", "cp312", "cp313"),
            (
                "manylinux2014_x86_64.manylinux_2_17_x86_64",
                "manylinux2014_aarch64.manylinux_2_17_aarch64",
                "macosx_11_0_arm64",
                "macosx_10_13_x86_64",
            ),
        )
    ),
]


@pytest.mark.parametrize("missing", [None, "you/service:1.0.0", "you/service:1.0.0-onnx"])
def test_a_version_without_both_images_is_not_released(tmp_path: Path, missing: str | None) -> None:
    """The step that looks for the images, run as it is written."""
    (look,) = (step for step in JOBS["sdist"]["steps"] if "skopeo" in step.get("run", ""))
    log = tmp_path / "log"
    script(
        tmp_path / "skopeo",
        f'for last; do :; done; echo "$last" >> {log}; test "$last" != docker://docker.io/{missing}',
    )
    done = run(look, tmp_path, IMAGE="you/service", VERSION="1.0.0")
    assert (done.returncode == 0) == (missing is None)
    if missing is None:
        assert log.read_text().splitlines() == [
            f"docker://docker.io/{runtime_image('you/service:1.0.0', runtime)}" for runtime in contract.RUNTIMES
        ]


@pytest.mark.parametrize("missing", [None, *FILES])
def test_a_missing_file_stops_the_release(tmp_path: Path, missing: str | None) -> None:
    """The step that collects the files, run as it is written."""
    (tmp_path / "distributions").mkdir()
    for name in FILES:
        (tmp_path / "distributions" / name).write_text(name)
    if missing:
        (tmp_path / "distributions" / missing).rename(tmp_path / "distributions" / "other.whl")
    done = run(JOBS["collect"]["steps"][1], tmp_path, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert (done.returncode == 0) == (missing is None)


def test_a_changed_or_additional_file_is_not_published(tmp_path: Path) -> None:
    """The step that compares the files, run as it is written."""
    (tmp_path / "distributions").mkdir()
    (tmp_path / "distributions" / "a.whl").write_text("a")
    listed = subprocess.run(["sha256sum", "a.whl"], cwd=tmp_path / "distributions", capture_output=True, check=True)

    def code() -> int:
        return run(JOBS["publish"]["steps"][1], tmp_path, CHECKSUMS=listed.stdout.decode().strip()).returncode

    assert code() == 0
    (tmp_path / "distributions" / "b.whl").write_text("b")
    assert code() == 1
    (tmp_path / "distributions" / "b.whl").unlink()
    (tmp_path / "distributions" / "a.whl").write_text("changed")
    assert code() == 1


def test_two_builds_that_differ_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without SOURCE_DATE_EPOCH."""

    def fake(_python: str, _source: Path, kind: str, folder: Path, **_variables: str) -> Path:
        folder.mkdir()
        (folder / f"made.{kind}").write_text(folder.name)
        return folder / f"made.{kind}"

    monkeypatch.setattr(build_package, "build", fake)
    monkeypatch.setattr(build_package, "unpack", lambda _sdist, folder: folder)
    with pytest.raises(SystemExit, match=r"two builds of made\.wheel differ"):
        build_package.main(tmp_path / "target")
