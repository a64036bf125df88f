"""platform.schema.json and docs/platform-yaml.md match the model."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from constructs_lib.platform.reference import platform_reference
from constructs_lib.platform.schema import platform_schema, platform_schema_text
from tests.paths import ROOT, TEMPLATE


def _accepts(document: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(platform_schema()).is_valid(document))


def test_the_committed_schema_matches_the_model() -> None:
    assert (ROOT / "platform.schema.json").read_text(encoding="utf-8") == platform_schema_text()


def test_the_committed_reference_matches_the_model() -> None:
    assert (ROOT / "docs" / "platform-yaml.md").read_text(encoding="utf-8") == platform_reference()


def test_the_reference_names_every_key() -> None:
    page = platform_reference()
    for definition in platform_schema()["$defs"].values():
        for key in definition.get("properties", {}):
            assert f"| `{key}` |" in page


def test_the_initial_file_names_the_schema() -> None:
    assert TEMPLATE.read_text("utf-8").startswith("# yaml-language-server: $schema=./platform.schema.json\n")


def test_the_initial_file_and_the_committed_one_match_the_schema() -> None:
    for text in (TEMPLATE.read_text("utf-8"), (ROOT / "platform.yaml").read_text(encoding="utf-8")):
        assert _accepts(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("tenant", "valid"),
    [
        ({"name": "a", "model": "s3://models/a/m"}, True),
        ({"name": "a", "model": "s3://models/a/m", "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}, True),
        ({"name": "a", "model": "s3://models/a/m", "receiver": {"type": "webhook", "secretName": "s"}}, True),
        ({"name": "a"}, False),
        ({"name": "A", "model": "s3://models/a/m"}, False),
        ({"name": "a", "model": "spam"}, False),
        ({"name": "a", "model": "s3://models/a/m", "autoscalling": {}}, False),
        ({"name": "a", "model": "s3://models/a/m", "resources": {"limits": {"cpu": "1 core"}}}, False),
        ({"name": "a", "model": "s3://models/a/m", "receiver": {"type": "pigeon", "secretName": "s"}}, False),
    ],
)
def test_the_schema_accepts_valid_tenants_and_rejects_invalid_ones(tenant: dict[str, Any], valid: bool) -> None:  # noqa: FBT001
    document = {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": "a/b:1"}, "tenants": [tenant]}
    assert _accepts(document) is valid


def test_every_key_is_documented() -> None:
    schema = json.loads(platform_schema_text())
    for name, definition in [("platform.yaml", schema), *schema["$defs"].items()]:
        for key, value in definition.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key} has no description"
