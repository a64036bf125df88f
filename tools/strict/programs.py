"""The outside programs: their pinned versions, how each is run, and how its output is read."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tools.strict.findings import Finding
from tools.strict.schemas import kubernetes_versions, write_crd_schemas, write_kubernetes_schemas

DIST, TERRAFORM, CRDS = Path("dist"), Path("terraform"), Path("imports/crds")
SCHEMAS: Final = Path("build/strict/schemas")
PYTHON: Final = Path("build/strict/bin")
"""The environment of programs from PyPI, made by `make strict` from tools/strict/requirements.lock."""


class ProgramError(Exception):
    """A program cannot be installed, or did not do its work."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One outside program.

    Attributes:
        name: Its name.
        version: Its pinned version.
        checks: What it checks here, for people.
        module: Its Go package; None: it comes from PyPI.
        run: Runs it, given its path, and yields its findings.
    """

    name: str
    version: str
    checks: str
    module: str | None = None
    run: Callable[[str], Iterator[Finding]]

    def locate(self) -> str:
        """Return the path of the program, building it once if necessary.

        Raises:
            ProgramError: It cannot be installed; the message is the installer's.
        """
        if self.module is None:
            return str(PYTHON / self.name)
        done = subprocess.run(
            ["tools/go-program", self.name, f"{self.module}@{self.version}"],
            stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ProgramError(f"{self.name} {self.version} cannot be installed from {self.module}")
        return str(Path(done.stdout.strip()) / self.name)


def _json(command: Sequence[str], *, codes: Sequence[int] = (0, 1)) -> Any:
    """What a program prints as JSON.

    Raises:
        ProgramError: It ended with another code or printed something else.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise ProgramError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise ProgramError(
            f"{' '.join(command)} printed no JSON: {done.stdout[:200]!r}; {done.stderr[-2000:]}"
        ) from error


def _files(folder: Path) -> list[str]:
    files = sorted(str(file) for file in folder.glob("*.yaml"))
    if not files:
        raise ProgramError(f"{folder}/ contains no manifests: run make synth")
    return files


def _object(kind: str, namespace: str | None, name: str) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def kubeconform(program: str) -> Iterator[Finding]:
    """Validate every object against the oldest supported and the newest known Kubernetes, and against the CRDs."""
    write_crd_schemas(CRDS, SCHEMAS / "crds")
    files = _files(DIST)
    expected = sum(1 for file in files for document in yaml.safe_load_all(Path(file).read_text()) if document)
    for version in kubernetes_versions():
        write_kubernetes_schemas(version, SCHEMAS / version)
        result = _json([
            program, "-strict", "-summary", "-output", "json",
            "-schema-location", f"{SCHEMAS / version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            "-schema-location", f"{SCHEMAS / 'crds'}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
            *files,
        ])  # fmt: skip
        if sum(result["summary"].values()) != expected:
            raise ProgramError(f"kubeconform read {result['summary']} of {expected} objects")
        for each in result["resources"]:
            yield Finding(
                program="kubeconform", check=f"schema {version}", object=_object(each["kind"], None, each["name"]),
                message=each["msg"],
            )  # fmt: skip


def kube_score(program: str) -> Iterator[Finding]:
    """Score every object, with the optional tests."""
    yield from read_kube_score(
        _json(
            [program, "score", "--all-default-optional", "--kubernetes-version", "v1.30", "-o", "json", *_files(DIST)]
        )
    )


def read_kube_score(objects: Iterable[Any]) -> Iterator[Finding]:
    """The checks that do not have the full grade."""
    full_grade = 10
    for each in objects:
        metadata = each["object_meta"]
        name = _object(each["type_meta"]["kind"], metadata.get("namespace"), metadata["name"])
        for check in each["checks"] or []:
            if not check["skipped"] and check["grade"] < full_grade:
                comments = "; ".join(comment["summary"] for comment in check["comments"] or [])
                yield Finding(program="kube-score", check=check["check"]["id"], object=name, message=comments)


def kube_linter(program: str) -> Iterator[Finding]:
    """Lint every object with all built-in checks but the one that downloads schemas, which kubeconform replaces."""
    yield from read_kube_linter(
        _json([program, "lint", "--add-all-built-in", "--exclude", "schema-validation", "--format", "json", str(DIST)])
    )


def read_kube_linter(result: Any) -> Iterator[Finding]:
    """The reports."""
    for each in result["Reports"] or []:
        found = each["Object"]["K8sObject"]
        name = _object(found["GroupVersionKind"]["Kind"], found["Namespace"], found["Name"])
        yield Finding(program="kube-linter", check=each["Check"], object=name, message=each["Diagnostic"]["Message"])


def polaris(program: str) -> Iterator[Finding]:
    """Audit every object with polaris' default configuration."""
    yield from read_polaris(_json([program, "audit", "--audit-path", str(DIST), "--format", "json"]))


def read_polaris(result: Any) -> Iterator[Finding]:
    """The results that are no success, of objects, pods and containers."""
    for each in result["Results"]:
        name = _object(each["Kind"], each.get("Namespace"), each["Name"])
        pod = each.get("PodResult") or {}
        parts = [each, pod, *(pod.get("ContainerResults") or [])]
        for found in (found for part in parts for found in (part.get("Results") or {}).values()):
            if not found["Success"]:
                yield Finding(program="polaris", check=found["ID"], object=name, message=found["Message"])


def checkov(program: str) -> Iterator[Finding]:
    """Check the manifests and Terraform."""
    for folder, framework in ((DIST, "kubernetes"), (TERRAFORM, "terraform")):
        yield from read_checkov(
            _json([program, "--directory", str(folder), "--framework", framework, "--output", "json", "--compact"])
        )


def read_checkov(result: Any) -> Iterator[Finding]:
    """The failed checks; files that cannot be parsed are an error."""
    for report in result if isinstance(result, list) else [result]:
        if report["summary"]["parsing_errors"] or not report["summary"]["passed"]:
            raise ProgramError(f"checkov did not read everything: {report['summary']}")
        for each in report["results"]["failed_checks"]:
            kind, *rest = each["resource"].split(".")
            manifest = report["check_type"] == "kubernetes"
            name = _object(kind, rest[0], ".".join(rest[1:])) if manifest else each["resource"]
            yield Finding(program="checkov", check=each["check_id"], object=name, message=each["check_name"])


def tflint(program: str) -> Iterator[Finding]:
    """Lint every Terraform module with all rules of the bundled ruleset."""
    yield from read_tflint(
        _json([program, "--chdir", str(TERRAFORM), "--recursive", "--format", "json", "--config",
               str(Path("tools/strict/tflint.hcl").absolute())], codes=(0, 2))
    )  # fmt: skip


def read_tflint(result: Any) -> Iterator[Finding]:
    """The issues; errors of the program are errors."""
    if result["errors"]:
        raise ProgramError(f"tflint failed: {result['errors'][0]['message']}")
    for each in result["issues"]:
        yield Finding(
            program="tflint", check=each["rule"]["name"], object=each["range"]["filename"], message=each["message"]
        )


PROGRAMS: Final = (
    Program(
        name="kubeconform", version="v0.8.0", module="github.com/yannh/kubeconform/cmd/kubeconform",
        checks="`dist/` against the schemas of the oldest supported and the newest Kubernetes and of the CRDs, strict",
        run=kubeconform,
    ),
    Program(
        name="kube-score", version="v1.20.0", module="github.com/zegl/kube-score/cmd/kube-score",
        checks="`dist/`, with the optional tests", run=kube_score,
    ),
    Program(
        name="kube-linter", version="v0.8.3", module="golang.stackrox.io/kube-linter/cmd/kube-linter",
        checks="`dist/`, with all built-in checks but `schema-validation`, which downloads schemas", run=kube_linter,
    ),
    Program(
        name="polaris", version="10.2.2", module="github.com/fairwindsops/polaris",
        checks="`dist/`, with its default checks", run=polaris,
    ),
    Program(name="checkov", version="3.3.30", checks="`dist/` and `terraform/`", run=checkov),
    Program(
        name="tflint", version="v0.64.0", module="github.com/terraform-linters/tflint",
        checks="`terraform/`, with all rules of the bundled ruleset", run=tflint,
    ),
)  # fmt: skip
