"""The definitions that the bindings are made from follow the chart that Terraform installs."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

CRDS = Path("imports/crds")
NAME = CRDS / "monitoring.coreos.com.yaml"
ROUTES = CRDS / "alertmanagerconfig.yaml"
PAGE = CRDS / "README.md"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the script reads and writes, somewhere else."""
    for name in (Path("tools/update_crds.py"), Path("terraform/platform/variables.tf"), NAME, ROUTES, PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _update(tree: Path, *files: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(tree / "tools" / "update_crds.py"), *map(str, files)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def _documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def test_the_same_definitions_give_the_same_bytes(tree: Path) -> None:
    files = (NAME, ROUTES, PAGE)
    before = [(tree / name).read_bytes() for name in files]
    assert _update(tree, tree / NAME, tree / ROUTES).returncode == 0
    assert [(tree / name).read_bytes() for name in files] == before


def test_helm_is_asked_for_the_chart_that_terraform_pins(tree: Path) -> None:
    """New fields arrive; descriptions, statuses and definitions that nobody here uses do not."""
    monitor, rule = _documents(tree / NAME)
    properties = monitor["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["brandNew"] = {"type": "object", "description": "Said at length.", "properties": {}}
    properties["brandNew"]["properties"]["description"] = {"type": "string"}
    (routes,) = _documents(tree / ROUTES)
    for each in (monitor, routes):
        each["metadata"]["annotations"] = {"operator.prometheus.io/version": "9.8.7"}
    other = {**rule, "metadata": {"name": "others.monitoring.coreos.com"}}
    (tree / "chart.yaml").write_text(
        f"type: =\nmetadata: {{name: x}}\n---\n{yaml.safe_dump_all([other, routes, rule, monitor])}"
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
    for each in (monitor, routes):
        each["metadata"].pop("annotations")
    assert _documents(tree / NAME) == [monitor, rule]
    assert _documents(tree / ROUTES) == [routes]
    assert (tree / PAGE).read_text().count("| v9.8.7") == 2


def test_the_page_names_the_chart_that_terraform_pins(tree: Path) -> None:
    variables = tree / "terraform" / "platform" / "variables.tf"
    variables.write_text(re.sub(r'"\d+\.\d+\.\d+"', '"99.8.7"', variables.read_text(), count=1))
    assert _update(tree, tree / NAME, tree / ROUTES).returncode == 0
    assert "of chart kube-prometheus-stack 99.8.7" in (tree / PAGE).read_text()


def test_a_definition_that_is_gone_is_an_error(tree: Path) -> None:
    monitor, _ = _documents(tree / NAME)
    (tree / "chart.yaml").write_text(yaml.safe_dump_all([monitor, *_documents(tree / ROUTES)]))
    before = (tree / NAME).read_bytes()
    done = _update(tree, tree / "chart.yaml")
    assert done.returncode == 1
    assert "prometheusrules.monitoring.coreos.com: not among the 2 definitions" in done.stderr
    assert (tree / NAME).read_bytes() == before
