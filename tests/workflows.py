"""The workflows as they are read, and their steps, run as they are written with stand-ins for what they call."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.paths import ROOT

FOLDER = ROOT / ".github" / "workflows"


def read_workflow(file: Path) -> dict[str, Any]:
    """Return a workflow."""
    workflow: dict[Any, Any] = yaml.safe_load(file.read_text())
    return {"on": workflow.pop(True), **workflow}  # YAML 1.1 reads the key `on` as true


def jobs_of(file: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow."""
    jobs: dict[str, dict[str, Any]] = read_workflow(file)["jobs"]
    return jobs


def script(file: Path, body: str) -> None:
    """Write an executable shell script."""
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def run(step: dict[str, Any], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a step in `folder`, whose programs come first, as GitHub does: bash stops at an error."""
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
