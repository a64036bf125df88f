"""The examples of README.md and docs/constructs/ are executed, and give what they say."""

import re
from pathlib import Path

import pytest

from constructs_lib.dist import write
from constructs_lib.platform import Platform
from tests.paths import ROOT

WRITTEN = "build/example"


def run_examples(name: str, folder: Path) -> tuple[str, str]:
    """The examples of a page as one text, and the file that they write; they write below `folder` instead."""
    page = (ROOT / name).read_text(encoding="utf-8")
    text = "".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    assert WRITTEN in text
    exec(text.replace(WRITTEN, str(folder / WRITTEN)), {})  # noqa: S102 - our own text
    return text, (folder / WRITTEN / "tenant-c.k8s.yaml").read_text(encoding="utf-8")


def test_the_examples_of_the_walls_run(tmp_path: Path) -> None:
    _, written = run_examples("docs/constructs/isolated-tenant.md", tmp_path)
    assert written.count("\n---\n") + 1 == 12


@pytest.mark.parametrize("page", ["README.md", "docs/constructs/monitored-inference.md"])
def test_ten_lines_of_python_give_what_platform_yaml_gives(tmp_path: Path, page: str) -> None:
    text, written = run_examples(page, tmp_path)
    assert len([line for line in text.splitlines() if line]) <= 10
    tenant = {"name": "tenant-c", "model": "s3://models/tenant-c/spam"}
    image = "vendettaopppp/ml-inference-service:0.1.0"
    file = {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": image}, "tenants": [tenant]}
    write(Platform.model_validate(file), tmp_path / "dist")
    assert written == (tmp_path / "dist" / "tenant-c.k8s.yaml").read_text(encoding="utf-8")
