"""The examples of README.md and docs/constructs/ run, and give what the text says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tests.kube import Object, by_kind
from tests.paths import ROOT

WRITTEN = "build/example"
EXTENDED = "build/extended"
FILE = "tenant-c.k8s.yaml"


def run_examples(name: str, folder: Path) -> list[str]:
    """Run the examples of a page, which write below `folder`; their texts."""
    page = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert WRITTEN in blocks[0]
    exec("".join(blocks).replace("build/", f"{folder}/build/"), {})  # noqa: S102 - our own text
    return blocks


def objects(folder: Path, output: str) -> list[Object]:
    documents: list[Any] = list(yaml.safe_load_all((folder / output / FILE).read_text(encoding="utf-8")))
    return documents


def test_the_examples_of_isolated_tenant_run(tmp_path: Path) -> None:
    run_examples("docs/constructs/isolated-tenant.md", tmp_path)
    plain, extended = (objects(tmp_path, output) for output in (WRITTEN, EXTENDED))
    assert len(plain) == 12
    assert extended[:12] == plain
    assert [(each["kind"], each["metadata"]["name"]) for each in extended[12:]] == [
        ("NetworkPolicy", "allow-proxy"),
        ("NetworkPolicy", "allow-database"),
    ]


def test_the_examples_of_monitored_inference_run(tmp_path: Path) -> None:
    run_examples("docs/constructs/monitored-inference.md", tmp_path)
    plain, extended = (objects(tmp_path, output) for output in (WRITTEN, EXTENDED))
    alerts, own = (by_kind(each, "PrometheusRule")["spec"]["groups"] for each in (extended, plain))
    assert alerts[:-1] == own
    assert [rule["alert"] for rule in alerts[-1]["rules"]] == ["SpamShareIsHigh"]
    environment = by_kind(extended, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert environment[-1] == {"name": "INFERENCE_MAX_IN_FLIGHT", "value": "64"}


@pytest.mark.parametrize("page", ["README.md", "docs/constructs/monitored-inference.md"])
def test_ten_lines_of_python_give_what_platform_yaml_gives(tmp_path: Path, page: str) -> None:
    first, *_ = run_examples(page, tmp_path)
    assert len([line for line in first.splitlines() if line]) <= 10
    tenant = {"name": "tenant-c", "model": "s3://models/tenant-c/spam"}
    image = "vendettaopppp/ml-inference-service:0.1.0"
    file = {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": image}, "tenants": [tenant]}
    write(Platform.model_validate(file), tmp_path / "dist")
    assert (tmp_path / WRITTEN / FILE).read_text(encoding="utf-8") == (tmp_path / "dist" / FILE).read_text("utf-8")
