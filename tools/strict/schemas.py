"""JSON Schemas for kubeconform: of Kubernetes, from a locked package, and of the CRDs in `imports/`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

KUBERNETES = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"


def kubernetes_versions() -> list[str]:
    """The oldest version that the platform supports, and the newest one that the package knows."""
    known = sorted(
        tuple(int(part) for part in folder.name.removeprefix("v").removesuffix("-local-strict").split("."))
        for folder in KUBERNETES.glob("v*-local-strict")
    )
    return ["1.30.0", ".".join(map(str, known[-1]))]


def write_kubernetes_schemas(version: str, folder: Path) -> None:
    """Write the schemas of one version of Kubernetes, each with the definitions that it refers to.

    kubeconform does not follow the package's references to a shared file of definitions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = KUBERNETES / f"v{version}-local-strict"
    definitions = _local(json.loads((source / "_definitions.json").read_text()))["$defs"]
    for file in source.glob("*-*.json"):
        schema = _local(json.loads(file.read_text()))
        needed = _reachable(schema, definitions)
        (folder / file.name).write_text(json.dumps(schema | {"$defs": needed}))


def _local(value: Any) -> Any:
    """The same schema, whose references stay inside it."""
    if isinstance(value, dict):
        inside = {key: _local(each) for key, each in value.items()}
        reference = inside.get("$ref")
        return inside | (
            {"$ref": reference.removeprefix("/api/_definitions.json")} if isinstance(reference, str) else {}
        )
    return [_local(each) for each in value] if isinstance(value, list) else value


def _reachable(schema: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    open_names = _references(schema)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found[name] = definitions[name]
            open_names |= _references(definitions[name])
    return found


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].rpartition("/")[2]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(each) for each in value.values()))
    return set().union(*(_references(each) for each in value)) if isinstance(value, list) else set()


def write_crd_schemas(crds: Path, folder: Path) -> None:
    """Write a schema per kind and version of the CustomResourceDefinitions, strict about unknown fields."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(crds.glob("*.yaml")):
        for crd in filter(None, yaml.safe_load_all(file.read_text())):
            kind = crd["spec"]["names"]["kind"].lower()
            for version in crd["spec"]["versions"]:
                schema = _strict(version["schema"]["openAPIV3Schema"])
                (folder / f"{kind}_{version['name']}.json").write_text(json.dumps(schema))


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, which refuses fields that it does not name."""
    strict = dict(schema)
    if "properties" in strict:
        strict["properties"] = {name: _strict(value) for name, value in strict["properties"].items()}
        if "additionalProperties" not in strict and not strict.get("x-kubernetes-preserve-unknown-fields"):
            strict["additionalProperties"] = False
    if isinstance(strict.get("items"), dict):
        strict["items"] = _strict(strict["items"])
    if isinstance(strict.get("additionalProperties"), dict):
        strict["additionalProperties"] = _strict(strict["additionalProperties"])
    return strict
