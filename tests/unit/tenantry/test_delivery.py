"""`tenantry delivery`: objects of Argo CD and Flux, as their CRDs require them."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from tenantry.cli import app

HEAD = "apiVersion: tenantry.dev/v1alpha1\nplatform: {image: registry.example/service:1}\n"
ONE = HEAD + "tenants: [{name: tenant-a, model: s3://models/tenant-a/spam}]\n"
TWO = (
    HEAD
    + "clusters: [east, west]\n"
    + "tenants:\n"
    + "  - {name: tenant-a, model: s3://models/tenant-a/spam, cluster: east}\n"
    + "  - {name: tenant-b, model: s3://models/tenant-b/spam, cluster: west}\n"
)
REPOSITORY = "https://git.example.org/platform.git"


def _closed(schema: Any) -> Any:
    """The schema without room for unknown fields."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        result.setdefault("additionalProperties", False)
    return result


def _schemas() -> dict[tuple[str, str], Any]:
    found = {}
    for path in (Path(__file__).parent / "crds").glob("*.yaml"):
        for crd in yaml.safe_load_all(path.read_text("utf-8")):
            for version in crd["spec"]["versions"]:
                schema = _closed(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]] = schema
    return found


SCHEMAS = _schemas()


def _printed(tmp_path: Path, text: str, tool: str, *options: str) -> list[Any]:
    (tmp_path / "platform.yaml").write_text(text, "utf-8")
    command = ["delivery", tool, "--repository", REPOSITORY, "--file", str(tmp_path / "platform.yaml"), *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("text", [ONE, TWO], ids=["one cluster", "two clusters"])
@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_every_object_follows_its_crd(tmp_path: Path, text: str, tool: str) -> None:
    """Unknown fields are errors."""
    made = _printed(tmp_path, text, tool)
    assert made
    for each in made:
        jsonschema.Draft202012Validator(SCHEMAS[each["apiVersion"], each["kind"]]).validate(each)


def test_an_unknown_field_would_be_found() -> None:
    """So the test above proves something."""
    schema = SCHEMAS["argoproj.io/v1alpha1", "Application"]
    item = {"metadata": {}, "spec": {"project": "default", "destination": {"cluster": "east"}}}
    assert not jsonschema.Draft202012Validator(schema).is_valid(item)


def test_argo_cd_applies_the_folder_of_each_cluster_to_the_cluster_of_this_name(tmp_path: Path) -> None:
    made = _printed(tmp_path, TWO, "argocd", "--revision", "live", "--path", "clusters/")
    assert [each["spec"]["destination"] for each in made] == [{"name": "east"}, {"name": "west"}]
    assert [each["spec"]["source"]["path"] for each in made] == ["clusters/east", "clusters/west"]
    assert {each["spec"]["source"]["targetRevision"] for each in made} == {"live"}


def test_flux_reaches_each_cluster_by_a_kubeconfig_of_its_own(tmp_path: Path) -> None:
    source, *made = _printed(tmp_path, TWO, "flux")
    assert (source["kind"], source["spec"]["url"]) == ("GitRepository", REPOSITORY)
    assert [each["spec"]["path"] for each in made] == ["./dist/east", "./dist/west"]
    secrets = [each["spec"]["kubeConfig"]["secretRef"]["name"] for each in made]
    assert secrets == ["east-kubeconfig", "west-kubeconfig"]


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_one_cluster_is_the_one_in_which_the_tool_runs(tmp_path: Path, tool: str) -> None:
    made = _printed(tmp_path, ONE, tool)[-1]["spec"]
    assert made.get("destination", {}) in ({}, {"server": "https://kubernetes.default.svc"})
    assert "kubeConfig" not in made
    assert (made.get("path") or made["source"]["path"]).removeprefix("./") == "dist"


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_nothing_is_deleted_because_it_left_git(tmp_path: Path, tool: str) -> None:
    """A tenant's Namespace holds its pods and its keys."""
    for each in _printed(tmp_path, TWO, tool):
        spec = each["spec"]
        automated = spec.get("syncPolicy", {}).get("automated", {})
        assert each["kind"] == "GitRepository" or spec.get("prune", automated.get("prune")) is False
