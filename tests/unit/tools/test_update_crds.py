"""The definitions that the bindings are made from follow the chart that Terraform installs."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
NAME = Path("imports/crds/monitoring.coreos.com.yaml")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the script reads and writes, somewhere else."""
    for name in (Path("tools/update_crds.py"), Path("terraform/platform/variables.tf"), NAME):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _update(tree: Path, *files: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(tree / "tools" / "update_crds.py"), *map(str, files)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def _documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def test_the_same_definitions_give_the_same_bytes(tree: Path) -> None:
    before = (tree / NAME).read_bytes()
    assert _update(tree, tree / NAME).returncode == 0
    assert (tree / NAME).read_bytes() == before


def test_helm_is_asked_for_the_chart_that_terraform_pins(tree: Path) -> None:
    """New fields arrive; descriptions, statuses and definitions that nobody here uses do not."""
    monitor, rule = _documents(tree / NAME)
    properties = monitor["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["brandNew"] = {"type": "object", "description": "Said at length.", "properties": {}}
    properties["brandNew"]["properties"]["description"] = {"type": "string"}
    monitor["metadata"]["annotations"] = {"made-by": "somebody"}
    other = {**rule, "metadata": {"name": "others.monitoring.coreos.com"}}
    (tree / "chart.yaml").write_text(
        f"type: =\nmetadata: {{name: x}}\n---\n{yaml.safe_dump_all([other, rule, monitor])}"
    )
    helm = tree / "bin" / "helm"
    helm.parent.mkdir()
    helm.write_text(f'#!/bin/sh\necho "$*" > {tree}/asked\ncat {tree}/chart.yaml\n')
    helm.chmod(0o755)

    done = _update(tree, PATH=f"{helm.parent}{os.pathsep}{os.environ['PATH']}")

    assert done.returncode == 0, done.stderr
    asked = (tree / "asked").read_text().split()
    assert asked[:4] == ["show", "crds", "kube-prometheus-stack", "--repo"]
    assert f'"{asked[6]}"' in (tree / "terraform/platform/variables.tf").read_text()
    properties["brandNew"].pop("description")
    monitor["metadata"].pop("annotations")
    assert _documents(tree / NAME) == [monitor, rule]


def test_a_definition_that_is_gone_is_an_error(tree: Path) -> None:
    monitor, _ = _documents(tree / NAME)
    (tree / "chart.yaml").write_text(yaml.safe_dump(monitor))
    before = (tree / NAME).read_bytes()
    done = _update(tree, tree / "chart.yaml")
    assert done.returncode == 1
    assert "prometheusrules.monitoring.coreos.com: not among the 1 definitions" in done.stderr
    assert (tree / NAME).read_bytes() == before
