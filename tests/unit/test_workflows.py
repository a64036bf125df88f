"""What the workflows promise: pinned actions, least rights, no secret near the scanner, nothing but our own targets."""

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tests.workflows import FOLDER, jobs_of, read_workflow

FILES = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def _steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in jobs_of(file).values() for step in job.get("steps", [])]


each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_the_workflows_are_these() -> None:
    assert {file.stem for file in FILES} == {"ci", "release", "rescan", "e2e", "update-imports", "package", "isolation"}


@each_file
def test_every_action_is_pinned_by_commit_and_says_its_version(file: Path) -> None:
    uses = re.findall(r"(?m)^\s*(?:- )?uses:\s*(.+)$", file.read_text())
    assert len(uses) == sum("uses" in step for step in _steps(file)) > 0
    assert [use for use in uses if not PINNED.fullmatch(use)] == []


def test_an_action_has_one_version_everywhere() -> None:
    found = defaultdict(set)
    for file in FILES:
        for action, pin in re.findall(r"uses:\s*([\w./-]+)@(.+)", file.read_text()):
            found[action].add(pin)
    assert {action: pins for action, pins in found.items() if len(pins) > 1} == {}


@each_file
def test_rights_are_given_job_by_job(file: Path) -> None:
    assert read_workflow(file)["permissions"] == {}
    for name, job in jobs_of(file).items():
        assert isinstance(job["permissions"], dict), name


@each_file
def test_nothing_runs_for_ever_or_twice_at_a_time(file: Path) -> None:
    assert read_workflow(file)["concurrency"]["group"]
    assert all(0 < job["timeout-minutes"] <= 75 for job in jobs_of(file).values())


@each_file
def test_no_stranger_starts_a_job_with_rights(file: Path) -> None:
    triggers = read_workflow(file)["on"]
    assert not {"pull_request_target", "workflow_run", "issue_comment", "issues"} & set(triggers)


@each_file
def test_no_expression_is_pasted_into_a_script(file: Path) -> None:
    scripts = [text for step in _steps(file) for text in (step.get("run"), step.get("with", {}).get("script")) if text]
    assert scripts
    assert [text for text in scripts if "${{" in text] == []


@each_file
def test_no_credential_stays_in_a_checkout(file: Path) -> None:
    for step in _steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_file
def test_scripts_call_targets_and_tools_that_exist(file: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):(?!=)", (ROOT / "Makefile").read_text()))
    for step in _steps(file):
        for line in step.get("run", "").splitlines():
            for arguments in re.findall(r"\bmake ((?:[a-z][\w-]*(?: |$))+)", line):
                assert set(arguments.split()) <= targets, line
            for tool in re.findall(r"\btools/[\w.-]+", line):
                assert os.access(ROOT / tool, os.X_OK), tool


def test_every_check_of_the_makefile_runs_somewhere() -> None:
    """A target that somebody adds to the lists of checks cannot be forgotten here."""
    lists = re.findall(r"(?m)^CHECKS\w* := (.*)$", (ROOT / "Makefile").read_text())
    run = set()
    for file in FILES:
        for job in jobs_of(file).values():
            run |= set(job.get("strategy", {}).get("matrix", {}).get("target", ()))
            for step in job["steps"]:
                run |= set(re.findall(r"\bmake ([a-z][\w-]*)", step.get("run", "")))
    # Applied and walked through by the whole suite, on a real cluster; the roots' tests begin with the modules'.
    covered = {"validate": "e2e", "e2e-smoke": "e2e", "terraform-test": "terraform-full"}
    assert {covered.get(target, target) for targets in lists for target in targets.split()} <= run


def test_the_required_check_waits_for_all_others() -> None:
    jobs = jobs_of(FOLDER / "ci.yml")
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required", "comment"}


def test_the_scanner_has_no_secret_and_no_permission() -> None:
    scanners = {
        f"{file.stem}/{name}": job
        for file in FILES
        for name, job in jobs_of(file).items()
        if any("trivy-action" in step.get("uses", "") for step in job["steps"])
    }
    assert set(scanners) == {"release/scan", "rescan/scan", "package/scan"}
    for job in scanners.values():
        assert job["permissions"] == {}
        assert "secrets." not in str(job)
        assert "github.token" not in str(job)


def test_each_secret_belongs_to_an_environment_that_owners_can_protect() -> None:
    holders = {
        f"{file.stem}/{name}": job.get("environment")
        for file in FILES
        for name, job in jobs_of(file).items()
        if "secrets." in str(job)
    }
    assert holders == {
        "release/push": "release",
        "release/deploy": "pull-requests",
        "update-imports/update": "pull-requests",
    }


def test_published_images_are_built_on_the_base_that_dependabot_updates() -> None:
    base = subprocess.run([ROOT / "tools" / "base-image"], capture_output=True, text=True, check=True).stdout.strip()
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", base)
    default = re.search(r"(?m)^ARG BASE=(.+)$", (ROOT / "Dockerfile").read_text())
    assert default is not None
    assert base.startswith(f"{default[1]}@"), "the default of BASE and the pinned base are the same image"
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {each["directory"] for each in updates if each["package-ecosystem"] == "docker"} == {"/.github/base-image"}
    builds = [
        step["with"]
        for file in FILES
        for step in _steps(file)
        if step.get("uses", "").startswith("docker/build-push-action@")
    ]
    assert len(builds) == 3
    assert all("BASE=" in build["build-args"] for build in builds)


def test_a_base_that_is_not_pinned_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    script = shutil.copy(ROOT / "tools" / "base-image", tmp_path / "tools" / "base-image")
    (tmp_path / ".github" / "base-image").mkdir(parents=True)
    (tmp_path / ".github" / "base-image" / "Dockerfile").write_text("FROM python:3.11-slim\n")
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "'python:3.11-slim' is not one image with tag and digest" in done.stderr
