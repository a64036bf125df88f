#!/usr/bin/env python3
"""Update imports/crds to the CRDs of the chart that terraform/platform installs.

    tools/update_crds.py            asks helm for the chart of terraform/platform/variables.tf
    tools/update_crds.py FILE...    reads definitions from files: those of other API groups, such as Gateway API

Only the definitions that are there already are replaced, without their descriptions: bindings need the shape alone.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CRDS = ROOT / "imports" / "crds"
VERSIONS = (
    "operator.prometheus.io/version",
    "gateway.networking.k8s.io/bundle-version",
    "policy.networking.k8s.io/bundle-version",
)
"""Annotations of definitions that contain their version."""
VARIABLES = ROOT / "terraform" / "platform" / "variables.tf"


def main(files: list[str]) -> None:
    """Rewrite the files and the version on the page beside them; a missing CRD is an error."""
    texts = [Path(file).read_text(encoding="utf-8") for file in files] or [_from_chart()]
    found = {document["metadata"]["name"]: document for text in texts for document in _load(text)}
    groups = {_group(name) for name in found}
    kept = {
        path: names
        for path in sorted(CRDS.glob("*.yaml"))
        if _group((names := [each["metadata"]["name"] for each in _load(path.read_text(encoding="utf-8"))])[0])
        in groups
    }
    if not kept:
        sys.exit(f"none of the {len(found)} definitions that were read is of an API group of {CRDS.relative_to(ROOT)}")
    missing = [name for names in kept.values() for name in names if name not in found]
    if missing:
        sys.exit(f"{', '.join(missing)}: not among the {len(found)} definitions that were read")
    for path, names in kept.items():
        path.write_text(yaml.safe_dump_all([_shape(found[name]) for name in names]), encoding="utf-8")
        _write_version(path, found[names[0]])


def _group(name: str) -> str:
    return name.partition(".")[2]


def _write_version(path: Path, definition: dict[str, Any]) -> None:
    """Write the version of a file's definitions (from their annotations) and of the chart into the page."""
    page = CRDS / "README.md"
    text = page.read_text(encoding="utf-8")
    annotations = definition["metadata"].get("annotations", {})
    if version := next((annotations[each] for each in VERSIONS if each in annotations), ""):
        row = re.compile(rf"(\| `{re.escape(path.name)}` .*)v\d+\.\d+\.\d+")
        text = row.sub(rf"\g<1>v{version.removeprefix('v')}", text)
    text = re.sub(r"(kube-prometheus-stack )\d+\.\d+\.\d+", rf"\g<1>{_chart()['version']}", text)
    page.write_text(text, encoding="utf-8")


class _Loader(yaml.SafeLoader):
    """Reads a bare `=`, which the type of a matcher contains, as a string, as YAML 1.2 does."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _loader, node: str(node.value))


def _load(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.load_all(text, _Loader) if document]


def _chart() -> dict[str, str]:
    """Return the chart that Terraform installs, in its pinned version."""
    block = VARIABLES.read_text(encoding="utf-8").split('variable "kube_prometheus_stack"')[1]
    return dict(re.findall(r'(repository|chart|version)\s+= optional\(string, "([^"]+)"\)', block)[:3])


def _from_chart() -> str:
    chart = _chart()
    command = ["helm", "show", "crds", chart["chart"], "--repo", chart["repository"], "--version", chart["version"]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _shape(document: dict[str, Any]) -> dict[str, Any]:
    kept = {key: document[key] for key in ("apiVersion", "kind", "spec")}
    shape: dict[str, Any] = _without_descriptions({**kept, "metadata": {"name": document["metadata"]["name"]}})
    return shape


def _without_descriptions(node: Any) -> Any:
    if isinstance(node, dict):
        # A property named `description` is a mapping, and is kept.
        kept = {key: value for key, value in node.items() if not (key == "description" and isinstance(value, str))}
        return {key: _without_descriptions(value) for key, value in kept.items()}
    return [_without_descriptions(item) for item in node] if isinstance(node, list) else node


if __name__ == "__main__":
    main(sys.argv[1:])
