"""`tenantry import` and `publish` with ONNX models, as their user calls them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from inference.model.artifact import Artifact, from_manifest, write
from inference.model.manifest import OnnxManifest
from tenantry.cli import app
from tests import onnx_artifacts, onnx_models
from tests.models import write_tiny_model

PLATFORM = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: example/image:1
tenants:
  - {name: texts, model: "s3://models/texts/spam"}
  - {name: rows, model: "s3://models/rows/credit", runtime: onnx}
"""


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_imports_an_onnx_file_and_reports_what_it_takes_and_gives(tmp_path: Path) -> None:
    file = tmp_path / "credit.onnx"
    file.write_bytes(onnx_models.credit())
    output = tmp_path / "model"
    found = _run("import", file, "--name", "credit", "--labels", "no, yes", "--output", output)
    assert found.exit_code == 0, found.output
    assert "input   age FP32 [-1, 1]" in found.stdout
    assert "output  probabilities FP32 [-1, 2]: probabilities" in found.stdout
    assert "labels  no, yes" in found.stdout
    assert "runtime: onnx, modelMemory: " in found.stdout
    report = _run("import", file, "--labels", "no,yes", "--output", output, "--format", "json")
    assert json.loads(report.stdout)["features"] == ["age", "children", "city"]
    assert (output / "model.onnx").is_file()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("credit.onnx", ["--labels", "a,b,c"], "needs an output with a probability per label"),
        ("credit.onnx", ["--baseline", "nowhere.csv"], "--baseline nowhere.csv: there is no such file"),
        ("credit.onnx", ["--trust"], "--check and --trust are for scikit-learn pipelines"),
        ("credit.skops", ["--labels", "a,b"], "--labels is for ONNX models"),
    ],
)
def test_refuses_options_that_do_not_fit_the_file(tmp_path: Path, name: str, options: list[str], message: str) -> None:
    file = tmp_path / name
    file.write_bytes(onnx_models.credit())
    found = _run("import", file, "--output", tmp_path / "model", *options)
    assert found.exit_code == 2
    assert message in " ".join(found.output.split())
    assert not (tmp_path / "model").exists()


def _publish(folder: Path, tenant: str, model: Path) -> Result:
    file = folder / "platform.yaml"
    file.write_text(PLATFORM)
    return _run("publish", tenant, "--model", model, "--file", file, "--endpoint", "http://127.0.0.1:9")


def test_publish_refuses_a_model_of_the_other_kind(tmp_path: Path) -> None:
    text = write_tiny_model(tmp_path / "text")
    onnx = onnx_artifacts.written(onnx_artifacts.credit(), tmp_path / "onnx")
    found = _publish(tmp_path, "texts", onnx)
    assert found.exit_code == 2
    assert "'credit' needs runtime 'onnx', and texts has 'text'" in " ".join(found.output.split())
    found = _publish(tmp_path, "rows", text)
    assert found.exit_code == 2
    assert "needs runtime 'text', and rows has 'onnx'" in " ".join(found.output.split())


def test_publish_refuses_a_model_that_does_not_fit_the_memory_limit(tmp_path: Path) -> None:
    write(tmp_path / "large", _taking(onnx_artifacts.credit(), 400 * 2**20))
    found = _publish(tmp_path, "rows", tmp_path / "large")
    assert found.exit_code == 2
    assert "rows has a memory limit of 512Mi; raise resources.limits.memory" in " ".join(found.output.split())


def test_plan_names_pods_that_may_take_more_memory_than_they_request(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(PLATFORM.replace("runtime: onnx", "runtime: onnx, modelMemory: 64Mi"))
    found = _run("plan", "--file", file)
    assert found.exit_code == 0, found.output
    assert "rows: a pod with its model can take " in found.stderr
    assert "texts: a pod" not in found.stderr


def _taking(artifact: Artifact, memory_bytes: int) -> Artifact:
    import msgspec  # noqa: PLC0415 - only here

    manifest = artifact.manifest
    assert isinstance(manifest, OnnxManifest)
    return from_manifest(msgspec.structs.replace(manifest, memory_bytes=memory_bytes), artifact.weights)
