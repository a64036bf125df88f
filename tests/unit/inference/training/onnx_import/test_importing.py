"""Importing ONNX files: what is sealed, and what is refused."""

from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from inference.errors import ConversionError
from inference.model import artifact as artifacts
from inference.model.artifact import Artifact
from inference.model.manifest import OnnxManifest
from inference.model.onnx_model import OnnxModel
from inference.training.child import Limits
from inference.training.onnx_import import graph as graphs
from inference.training.onnx_import.importing import Options, import_onnx
from tests import onnx_models
from tests.onnx_models import REAL


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def _import(file: Path, content: bytes, **options: object) -> tuple[Artifact, OnnxManifest]:
    file.write_bytes(content)
    artifact = import_onnx(file, name="model", options=Options(**options))  # type: ignore[arg-type] # test values
    assert isinstance(artifact.manifest, OnnxManifest)
    return artifact, artifact.manifest


@pytest.mark.parametrize("name", REAL)
def test_answers_of_an_imported_model_equal_the_original_librarys(name: str, file: Path) -> None:
    model = REAL[name]()
    baseline = onnx_models.write_csv(file.with_suffix(".csv"), model)
    artifact, manifest = _import(file, model.onnx, baseline=baseline)
    loaded = OnnxModel.from_artifact(artifacts.read(artifact.files(), expected_digest=artifact.digest))
    answers = loaded.run({manifest.inputs[0].name: model.rows})
    wanted = "probabilities" if manifest.labels else "value"
    place = next(index for index, spec in enumerate(manifest.outputs) if spec.meaning == wanted)
    relative = np.abs(answers[place] - model.expected) / np.maximum(1, np.abs(model.expected))
    assert relative.max() < 1e-5
    assert tuple(each.name for each in manifest.features) == model.names
    assert manifest.data.rows == len(model.rows)


def test_describes_the_outputs_and_the_labels_of_a_classifier(file: Path) -> None:
    _, manifest = _import(file, onnx_models.neural_network().onnx)
    assert manifest.labels == ("setosa", "versicolor", "virginica")
    assert [(each.datatype, each.shape, each.meaning) for each in manifest.outputs] == [
        ("BYTES", (-1,), "label"),
        ("FP32", (-1, 3), "probabilities"),
    ]
    assert 0 < manifest.memory_bytes < 2**28


def test_labels_can_be_renamed_in_the_order_of_the_probabilities(file: Path) -> None:
    _, manifest = _import(file, onnx_models.gradient_boosting().onnx, labels=("malignant", "benign"))
    assert manifest.labels == ("malignant", "benign")


def test_a_baseline_holds_missing_shares_ranges_and_values(file: Path) -> None:
    baseline = file.with_suffix(".csv")
    baseline.write_text("city;age;children;note\nWien;30;0;a\nGraz;;2;b\n;50;1;c\nWien;40;0;d\n", encoding="utf-8-sig")
    _, manifest = _import(file, onnx_models.credit(), baseline=baseline, labels=("no", "yes"))
    found = {each.name: each.baseline for each in manifest.features}
    age, children, city = found["age"], found["children"], found["city"]
    assert age
    assert children
    assert city
    assert (age.missing, age.low, age.high, age.values) == (0.25, 30, 50, None)
    assert (children.missing, children.low, children.high) == (0, 0, 2)
    assert (city.missing, city.low, city.values) == (0.25, None, ("Graz", "Wien"))
    assert manifest.test.inputs == {"age": [30.0, 40.0], "children": [0, 0], "city": ["Wien", "Wien"]}


def test_a_baseline_of_booleans_can_be_read_again(file: Path) -> None:
    baseline = file.with_suffix(".csv")
    baseline.write_text("x\ntrue\nfalse\n")
    flag = ("x", TensorProto.BOOL, ["n", 1])
    artifact, _ = _import(file, onnx_models.graph(_SAME, [flag], [("y", *flag[1:])]), baseline=baseline)
    (feature,) = OnnxModel.from_artifact(artifacts.read(artifact.files())).signature.features
    assert feature.baseline
    assert (feature.baseline.low, feature.baseline.high) == (0, 1)


def test_a_model_that_does_not_run_on_drawn_values_needs_a_baseline(file: Path) -> None:
    table = helper.make_tensor("table", TensorProto.FLOAT, [1], [0.5])
    lookup = helper.make_node("Gather", ["table", "x"], ["y"])
    index, found = ("x", TensorProto.INT64, ["n", 1]), ("y", TensorProto.FLOAT, ["n", 1])
    with pytest.raises(ConversionError, match=r"does not run on its test vector; give rows .* with --baseline FILE"):
        _import(file, onnx_models.graph([lookup], [index], [found], [table]))


def test_the_same_file_gives_the_same_digest(file: Path) -> None:
    first, _ = _import(file, onnx_models.random_forest().onnx)
    second, _ = _import(file, onnx_models.random_forest().onnx)
    assert first.weights == second.weights
    assert msgspec.json.decode(first.manifest_bytes) == msgspec.json.decode(second.manifest_bytes)


def test_external_data_becomes_part_of_the_sealed_file(tmp_path: Path) -> None:
    path = onnx_models.with_external_data(tmp_path)
    artifact = import_onnx(path, name="model")
    path.with_name("weights.bin").unlink()
    loaded = OnnxModel.from_artifact(artifact)
    assert loaded.run({"x": np.array([[1, 1]], np.float32)})[0].tolist() == [[5.0]]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("../weights.bin", "must be in the model's folder"),
        ("/etc/hostname", "must be in the model's folder"),
        ("missing.bin", r"'missing\.bin' is not there"),
    ],
)
def test_refuses_external_data_outside_the_models_folder_or_missing(
    tmp_path: Path, location: str, message: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = onnx_models.with_external_data(folder)
    (folder / "weights.bin").rename(tmp_path / "weights.bin")
    model = onnx.load_model(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConversionError, match=message):
        import_onnx(path, name="model")


def test_refuses_custom_operators_by_name_in_subgraphs_too(file: Path) -> None:
    custom = helper.make_node("Mystery", ["x"], ["y"], domain="acme")
    x, y = ("x", TensorProto.FLOAT, ["n", 1]), ("y", TensorProto.FLOAT, ["n", 1])
    with pytest.raises(ConversionError, match=r"custom operators, which need a library of code: acme\.Mystery"):
        _import(file, onnx_models.graph([custom], [x], [y], domains=("acme",)))
    branch = helper.make_graph(
        [custom], "branch", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])]
    )
    condition = helper.make_tensor("condition", TensorProto.BOOL, [1], [True])
    choice = helper.make_node("If", ["condition"], ["z"], then_branch=branch, else_branch=branch)
    with pytest.raises(ConversionError, match=r"acme\.Mystery"):
        _import(
            file, onnx_models.graph([choice], [x], [("z", TensorProto.FLOAT, ["n", 1])], [condition], domains=("acme",))
        )


def test_refuses_a_file_that_is_too_large(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(onnx_models.random_forest().onnx)
    monkeypatch.setattr(graphs, "MAX_BYTES", 1_000)
    with pytest.raises(ConversionError, match="bytes; a model has at most 1000"):
        graphs.load_whole(file)
    path = onnx_models.with_external_data(file.parent)
    monkeypatch.setattr(graphs, "MAX_BYTES", path.stat().st_size)
    path.with_name("weights.bin").write_bytes(bytes(10_000))
    with pytest.raises(ConversionError, match="bytes with its external data; a model has at most"):
        graphs.load_whole(path)


_X = ("x", TensorProto.FLOAT, ["n", 3])
_Y = ("y", TensorProto.FLOAT, ["n", 3])
_SAME = [helper.make_node("Identity", ["x"], ["y"])]
_TRANSPOSED = [helper.make_node("Transpose", ["x"], ["y"])]
_LOGARITHM = [helper.make_node("Neg", ["x"], ["z"]), helper.make_node("Log", ["z"], ["y"])]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"\x00not a model", {}, "is not an ONNX file"),
        (b"", {}, "is not an ONNX file"),
        (onnx_models.graph(_SAME, [("x", TensorProto.FLOAT, [1, 3])], [_Y]), {}, "first dimension must be free"),
        (onnx_models.graph(_SAME, [("x", TensorProto.FLOAT, [])], [("y", TensorProto.FLOAT, [])]), {}, "must be free"),
        (
            onnx_models.graph(_SAME, [("x", TensorProto.BFLOAT16, ["n"])], [("y", TensorProto.BFLOAT16, ["n"])]),
            {},
            "BFLOAT16; the protocol has no such type",
        ),
        (
            onnx_models.graph(_TRANSPOSED, [_X], [("y", TensorProto.FLOAT, [3, "n"])]),
            {},
            r"output 'y' has shape \[3, 1000\] for 1000 rows; its first dimension must be the number of rows",
        ),
        (onnx_models.graph(_SAME, [_X], [_Y]), {"labels": ("a", "b", "c")}, "not probabilities"),
        (onnx_models.graph(_SAME, [_X], [_Y]), {"labels": ("a", "b")}, "needs an output with a probability per label"),
        (onnx_models.graph(_SAME, [_X], [_Y]), {"labels": ("a", "a")}, "two or more distinct ones"),
        (onnx_models.graph(_SAME, [_X], [_Y]), {"features": ("a", "b")}, "names 2 columns, the model has 3"),
        (
            onnx_models.graph(_LOGARITHM, [_X], [_Y]),
            {},
            "not finite on the test vector",
        ),
    ],
)  # fmt: skip
def test_refuses_what_cannot_be_served(file: Path, content: bytes, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        _import(file, content, **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,children,town\n1,2,Wien\n", "no column 'city'; the columns are age, children, town"),
        ("age,children,city\n1,2.5,Wien\n", r"line 2, column 'children': '2\.5' is not a value of datatype INT64"),
        ("age,children,city\nold,2,Wien\n", "line 2, column 'age': 'old' is not a value of datatype FP32"),
        ("age,children,city\n1,2\n", "line 2: 2 fields, but the header has 3"),
        ("age,children,city\n", "has no rows"),
    ],
)
def test_refuses_a_baseline_that_does_not_fit(file: Path, text: str, message: str) -> None:
    baseline = file.with_suffix(".csv")
    baseline.write_text(text)
    with pytest.raises(ConversionError, match=message):
        _import(file, onnx_models.credit(), baseline=baseline)


@pytest.mark.parametrize("header", ["a,a,b", "a,,b", f"a,{'b' * 101},c"])
def test_refuses_names_of_features_that_no_pod_would_load(file: Path, header: str) -> None:
    baseline = file.with_suffix(".csv")
    baseline.write_text(f"{header}\n1,2,3\n")
    with pytest.raises(ConversionError, match="their names must be distinct and have 1 to 100 characters"):
        _import(file, onnx_models.graph(_SAME, [_X], [_Y]), baseline=baseline)


def test_a_matrix_takes_its_names_from_a_baseline_with_as_many_columns(file: Path) -> None:
    baseline = file.with_suffix(".csv")
    baseline.write_text("a,b,c,target\n1,2,3,0\n")
    with pytest.raises(ConversionError, match=r"has 4 columns .* 3 features; name the columns to use"):
        _import(file, onnx_models.graph(_SAME, [_X], [_Y]), baseline=baseline)
    _, manifest = _import(file, onnx_models.graph(_SAME, [_X], [_Y]), baseline=baseline, features=("c", "a", "b"))
    assert [each.name for each in manifest.features] == ["c", "a", "b"]
    assert manifest.test.inputs == {"x": [3.0, 1.0, 2.0]}


def test_loading_has_a_time_limit(file: Path) -> None:
    with pytest.raises(ConversionError, match=r"not loaded and converted after 0\.01 s"):
        _import(file, onnx_models.graph(_SAME, [_X], [_Y]), limits=Limits(timeout_seconds=0.01))
