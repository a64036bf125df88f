"""Terraform's files keep the habits that a linter would ask for; no provider and no Terraform needed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import hcl

FOLDERS = (*hcl.ROOTS, *hcl.MODULES)
EITHER_WAY = {"kubeconfig_path", "kubelet_insecure_tls", "tenants", "prometheus_labels"}
"""Variables whose type says all that there is to check, or that the roots have checked before."""


def _id(folder: Path) -> str:
    return folder.name


@pytest.fixture(params=FOLDERS, ids=_id)
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def blocks(folder: Path) -> dict[str, list[Any]]:
    return hcl.read(folder)


def test_every_file_parses_and_there_are_some(folder: Path, blocks: dict[str, list[Any]]) -> None:
    assert list(folder.glob("*.tf"))
    assert {"terraform", "output", "variable"} <= set(blocks)


def test_every_variable_is_typed_and_described(blocks: dict[str, list[Any]]) -> None:
    for name, variable in hcl.named(blocks, "variable").items():
        assert variable.get("type"), f"variable {name} has no type"
        assert len(variable.get("description", "")) > 10, f"variable {name} has no description"


@pytest.mark.parametrize("root", hcl.ROOTS, ids=_id)
def test_every_variable_of_a_root_is_validated(root: Path) -> None:
    variables = hcl.named(hcl.read(root), "variable")
    unchecked = {name for name, variable in variables.items() if not variable.get("validation")}
    assert unchecked <= EITHER_WAY
    for name, variable in variables.items():
        for rule in variable.get("validation", []):
            assert rule["error_message"].endswith("."), f"the message of {name} is not a sentence"


def test_every_output_is_described(blocks: dict[str, list[Any]]) -> None:
    for name, output in hcl.named(blocks, "output").items():
        assert output.get("description", "").endswith("."), f"output {name} has no sentence that describes it"


def test_every_name_is_snake_case(blocks: dict[str, list[Any]]) -> None:
    names = [name for kind in ("variable", "output", "module") for name in hcl.named(blocks, kind)]
    names += [name for _, name, _ in hcl.resources(blocks)]
    names += [name for group in blocks.get("locals", []) for name in group]
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


@pytest.mark.parametrize(("kind", "prefix"), [("variable", "var"), ("locals", "local")])
def test_what_is_declared_is_used_and_what_is_used_is_declared(folder: Path, kind: str, prefix: str) -> None:
    blocks = hcl.read(folder)
    declared = (
        {name for group in blocks.get("locals", []) for name in group}
        if kind == "locals"
        else set(hcl.named(blocks, kind))
    )
    used = set(re.findall(rf"\b{prefix}\.([a-z0-9_]+)", hcl.source(folder)))
    assert declared == used


@pytest.mark.parametrize("root", hcl.ROOTS, ids=_id)
def test_every_provider_is_declared_with_a_version_and_used(root: Path) -> None:
    blocks = hcl.read(root)
    declared = blocks["terraform"][0]["required_providers"][0]
    for name, provider in declared.items():
        assert re.fullmatch(r"~> \d+\.\d+", provider["version"]), f"{name} is not pinned to a release line"
    kinds = {kind.split("_")[0] for kind, _, _ in hcl.resources(blocks)} - {"terraform"}
    assert kinds == set(declared)


def test_every_folder_says_which_terraform_it_needs(blocks: dict[str, list[Any]]) -> None:
    assert blocks["terraform"][0]["required_version"] == ">= 1.9"


@pytest.mark.parametrize("module", hcl.MODULES, ids=_id)
def test_a_module_needs_no_provider(module: Path) -> None:
    blocks = hcl.read(module)
    assert "required_providers" not in blocks["terraform"][0]
    assert not {"resource", "data", "provider", "module"} & set(blocks)


@pytest.mark.parametrize("module", hcl.MODULES, ids=_id)
def test_a_module_has_tests_that_refuse_or_assert(module: Path) -> None:
    tests = [file.read_text(encoding="utf-8") for file in module.glob("tests/*.tftest.hcl")]
    assert sum(text.count("\n  assert {") + text.count("expect_failures") for text in tests) >= 4


def test_kubernetes_objects_are_of_the_versioned_kinds() -> None:
    kinds = {
        kind for kind, _, _ in hcl.resources(hcl.read(hcl.TERRAFORM / "platform")) if kind.startswith("kubernetes")
    }
    assert {kind for kind in kinds if not kind.endswith("_v1")} == set()


def test_no_instance_reads_all_instances_of_another_resource() -> None:
    """Terraform makes an object of all of them for each `resource.name[each.value]`: memory grows with the square."""
    for root in hcl.ROOTS:
        kinds = {kind for kind, _, _ in hcl.resources(hcl.read(root))}
        assert not re.findall(rf"\b(?:{'|'.join(kinds)})\.\w+\[each\.", hcl.source(root))


def test_no_secret_is_written_down() -> None:
    for root in hcl.ROOTS:
        for line in hcl.source(root).splitlines():
            assert not re.search(r'(password|secret_key|token)\w*"?\s*=\s*"[^"$]+"', line, re.IGNORECASE), line


def test_no_lock_or_state_is_committed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "terraform"], cwd=hcl.TERRAFORM.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert listed
    assert [name for name in listed if ".terraform" in name or ".tfstate" in name] == []


def test_the_tables_of_the_readmes_are_up_to_date() -> None:
    script = hcl.TERRAFORM.parent / "tools" / "terraform_docs.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
