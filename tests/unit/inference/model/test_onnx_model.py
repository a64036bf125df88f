"""An ONNX model in memory: it answers only if every part is what was sealed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import ArtifactError, ModelInputError
from inference.model import artifact as artifacts
from inference.model import onnx_model
from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.model.onnx_model import DTYPES, OnnxModel
from inference.training.onnx_import.importing import Options, import_onnx
from tests import onnx_models

_BASELINE = {"missing": 0, "low": None, "high": None, "values": None}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def credit(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    path = tmp_path_factory.mktemp("credit") / "credit.onnx"
    path.write_bytes(onnx_models.credit())
    return import_onnx(path, name="credit", options=Options(labels=("no", "yes")))


def _load(files: dict[str, bytes], digest: str | None = None) -> OnnxModel:
    return OnnxModel.from_artifact(artifacts.read(files, expected_digest=digest))


def _changed(artifact: Artifact, change: Change, weights: bytes | None = None) -> dict[str, bytes]:
    """The files of an artifact whose manifest was changed by someone who seals it again."""
    manifest = json.loads(artifact.manifest_bytes)
    content = artifact.weights if weights is None else weights
    manifest["weights"] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    change(manifest)
    return {"manifest.json": json.dumps(manifest).encode(), "model.onnx": content}


def test_runs_several_inputs_with_any_number_of_rows(credit: Artifact) -> None:
    model = _load(credit.files(), credit.digest)
    for rows in (1, 2, 500):
        inputs: dict[str, Any] = {
            "age": np.full((rows, 1), 30, np.float32),
            "children": np.full((rows, 1), 2, np.int64),
            "city": np.full((rows, 1), "Wien", object),
        }
        (probabilities,) = model.run(inputs)
        assert probabilities.shape == (rows, 2)
        assert probabilities.sum(axis=1) == pytest.approx(1)
    assert model.row_seconds > 0


@pytest.mark.parametrize("row_seconds", [0.001, 0.028, 0.049, 0.4])
def test_measuring_a_model_delays_the_start_by_less_than_a_second(
    credit: Artifact, monkeypatch: pytest.MonkeyPatch, row_seconds: float
) -> None:
    """On a clock on which a row takes so many seconds; the check of the test vector is not counted."""
    clock, run = [0.0], OnnxModel.run
    ended: list[float] = []

    def slow(model: OnnxModel, tensors: dict[str, Any]) -> list[Any]:
        found = run(model, tensors)
        clock[0] += row_seconds * len(tensors["age"])
        ended.append(clock[0])
        return found

    monkeypatch.setattr(OnnxModel, "run", slow)
    monkeypatch.setattr(onnx_model, "perf_counter", lambda: clock[0])
    model = _load(credit.files())
    assert model.row_seconds == pytest.approx(row_seconds)
    assert clock[0] - ended[0] < 1


def test_runs_every_datatype(tmp_path: Path) -> None:
    path = tmp_path / "echo.onnx"
    path.write_bytes(onnx_models.echo())
    model = OnnxModel.from_artifact(import_onnx(path, name="echo"))
    inputs = model.test_inputs()
    for spec, answer in zip(model.signature.outputs, model.run(inputs), strict=True):
        assert answer.dtype == np.dtype(DTYPES[spec.datatype])
        assert answer.tolist() == inputs[spec.name.replace("out", "in")].tolist()


def test_an_input_that_the_model_cannot_take_is_the_requests_fault(credit: Artifact) -> None:
    model = _load(credit.files())
    with pytest.raises(ModelInputError, match="the model cannot run on these values"):
        model.run({"age": np.zeros((1, 1), np.float32)})


@pytest.mark.parametrize("place", [0, 1, 40, -1])
def test_refuses_every_changed_byte(credit: Artifact, place: int) -> None:
    for name, content in credit.files().items():
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(ArtifactError):
            _load({**credit.files(), name: bytes(changed)}, credit.digest)
        with pytest.raises(ArtifactError):
            _load({**credit.files(), name: content[:-1]}, credit.digest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found["inputs"].pop(), "features that are not the columns of its inputs"),
        (lambda found: found["inputs"].reverse(), "features that are not the columns of its inputs"),
        (lambda found: found["inputs"][0].update(name="years"), "features that are not the columns of its inputs"),
        (lambda found: found["inputs"][0].update(datatype="FP64"), "the model has inputs .* the manifest says"),
        (lambda found: found["inputs"][0].update(datatype="DATE"), "cannot be read"),
        (lambda found: found["inputs"][0].update(shape=[1, 1]), "describes a fixed number of rows"),
        (lambda found: found["inputs"][0].update(shape=[-1, 2]), "features that are not the columns"),
        (lambda found: found["outputs"][0].update(name="odds"), "a test vector for other outputs"),
        (lambda found: found["outputs"][0].update(meaning="value"), "labels without probabilities"),
        (lambda found: found["outputs"][0].update(shape=[-1, 3]), r"has shape \[3, 2\] for 3 rows"),
        (lambda found: found["labels"].clear(), "labels without probabilities"),
        (lambda found: found["labels"].append("yes"), "two or more distinct ones"),
        (lambda found: found["features"][0].update(column=1), "features that are not the columns"),
        (lambda found: found["features"][0].update(name="city"), "two features of one name"),
        (lambda found: found["features"][0].update(baseline=_BASELINE), "a baseline of some features only"),
        (lambda found: found["test"]["inputs"].pop("age"), "a test vector for other inputs"),
        (lambda found: found["test"]["inputs"]["age"].pop(), "a test vector of another size"),
        (lambda found: found["test"]["inputs"].update(age=["x", "y", "z"]), "the test vector's 'age' is not FP32"),
        (lambda found: found["test"]["inputs"].update(age=[1, 99, 3]), "is not what the import found"),
        (lambda found: found["test"]["outputs"].update(probabilities=[0.5] * 6), "is not what the import found"),
        (lambda found: found["test"]["outputs"].update(probabilities=["a"] * 6), "is not what the import found"),
        (lambda found: found["test"]["outputs"]["probabilities"].pop(), "has 6 elements on the test vector"),
        (lambda found: found.pop("memory_bytes"), "cannot be read"),
        (lambda found: found["weights"].update(file="weights.safetensors"), "names the file weights.safetensors"),
        (lambda found: found["weights"].update(file="../secret"), "cannot be read"),
    ],
)
def test_refuses_a_manifest_that_does_not_describe_the_model(credit: Artifact, change: Change, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        _load(_changed(credit, change))


def test_refuses_another_model_under_the_same_manifest(credit: Artifact) -> None:
    def unchanged(_: dict[str, Any]) -> None:
        pass

    assert _load(_changed(credit, unchanged)).name == "credit"
    with pytest.raises(ArtifactError, match="ONNX Runtime cannot load the model"):
        _load(_changed(credit, unchanged, b"not a model"))
    with pytest.raises(ArtifactError, match="the model has inputs"):
        _load(_changed(credit, unchanged, onnx_models.echo()))


def test_each_runtime_refuses_the_other_kind_of_model(credit: Artifact, tiny_artifact: Artifact) -> None:
    with pytest.raises(ArtifactError, match="'credit' is an ONNX model; serve it with runtime 'onnx'"):
        TextClassifier.from_artifact(credit)
    with pytest.raises(ArtifactError, match=r"is a text model; serve it with runtime 'text'"):
        OnnxModel.from_artifact(tiny_artifact)
