"""Real ONNX models for the tests, built from data that scikit-learn ships, and small graphs built by hand."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier

DATATYPES = {
    "BOOL": TensorProto.BOOL,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class RealModel:
    """A fitted model, as ONNX and as the original library has it.

    Attributes:
        onnx: The file's content.
        rows: Rows of the data set, FP32.
        names: Of the columns.
        expected: The original's answers to the rows: probabilities, or values in one column.
    """

    onnx: bytes
    rows: Array
    names: tuple[str, ...]
    expected: Array


@cache
def gradient_boosting() -> RealModel:
    """scikit-learn's, on ten columns of the breast cancer data; labels 0 and 1, without ZipMap."""
    from skl2onnx import to_onnx  # noqa: PLC0415 - slow

    data = load_breast_cancer()
    rows = data.data[:, :10].astype(np.float32)
    model = GradientBoostingClassifier(n_estimators=20, random_state=1).fit(rows, data.target)
    exported = to_onnx(model, rows[:1], options={"zipmap": False})
    return RealModel(exported.SerializeToString(), rows, _names(data.feature_names[:10]), model.predict_proba(rows))


@cache
def random_forest() -> RealModel:
    """scikit-learn's, a regression on the diabetes data."""
    from skl2onnx import to_onnx  # noqa: PLC0415 - slow

    data = load_diabetes()
    rows = data.data.astype(np.float32)
    # Thresholds of float32, so that ONNX's comparisons are those of the original.
    model = RandomForestRegressor(10, max_depth=6, random_state=1).fit(rows, data.target)
    exported = to_onnx(model, rows[:1])
    return RealModel(exported.SerializeToString(), rows, _names(data.feature_names), model.predict(rows).reshape(-1, 1))


@cache
def lightgbm() -> RealModel:
    """LightGBM's, on iris, with ZipMap as its converter makes it."""
    import lightgbm as library  # noqa: PLC0415 - slow
    from onnxmltools import convert_lightgbm  # noqa: PLC0415

    return _iris(library.LGBMClassifier(n_estimators=10, verbose=-1), convert_lightgbm)


@cache
def xgboost() -> RealModel:
    """XGBoost's, on iris."""
    import xgboost as library  # noqa: PLC0415 - slow
    from onnxmltools import convert_xgboost  # noqa: PLC0415

    return _iris(library.XGBClassifier(n_estimators=10), convert_xgboost)


@cache
def neural_network() -> RealModel:
    """scikit-learn's multi-layer perceptron, on iris with the names of the flowers as labels."""
    from skl2onnx import to_onnx  # noqa: PLC0415 - slow

    data = load_iris()
    rows = data.data.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPClassifier((8,), max_iter=200, random_state=1).fit(rows, data.target_names[data.target])
    exported = to_onnx(model, rows[:1])
    return RealModel(exported.SerializeToString(), rows, _names(data.feature_names), model.predict_proba(rows))


def _iris(model: Any, convert: Callable[..., Any]) -> RealModel:
    from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: PLC0415 - slow

    data = load_iris()
    rows = data.data.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, data.target)
        exported = convert(model, initial_types=[("input", FloatTensorType([None, rows.shape[1]]))])
        expected = model.predict_proba(rows)
    return RealModel(exported.SerializeToString(), rows, _names(data.feature_names), expected)


def _names(names: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


REAL = {
    "gradient boosting": gradient_boosting,
    "random forest": random_forest,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "neural network": neural_network,
}


def echo() -> bytes:
    """A graph with an input and an output of every datatype; each output is its input."""
    tensors = list(DATATYPES.items())
    return graph(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name, _ in tensors],
        [(f"in_{name}", kind, ["n", 2]) for name, kind in tensors],
        [(f"out_{name}", kind, ["n", 2]) for name, kind in tensors],
    )


def pictures() -> bytes:
    """A graph whose one input has three dimensions: rows, height and width, which is 4."""
    shape: list[Any] = ["n", "height", 4]
    return graph(
        [helper.make_node("Identity", ["pixels"], ["same"])],
        [("pixels", TensorProto.FLOAT, shape)],
        [("same", TensorProto.FLOAT, shape)],
    )


def credit() -> bytes:
    """A classifier of records: a number, an integer and a string, each an input of its own; age may be missing."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2, 2], [-0.1, 0.1, 0.5, -0.5])
    offset = helper.make_tensor("offset", TensorProto.FLOAT, [2], [4.0, -4.0])
    known = helper.make_node(
        "LabelEncoder",
        ["city"],
        ["code"],
        domain="ai.onnx.ml",
        keys_strings=["Graz", "Salzburg", "Wien"],
        values_floats=[0.0, 1.0, 2.0],
        default_float=-1.0,
    )
    imputed = helper.make_node(
        "Imputer",
        ["age"],
        ["known_age"],
        domain="ai.onnx.ml",
        imputed_value_floats=[40.0],
        replaced_value_float=float("nan"),
    )
    nodes = [
        known,
        imputed,
        helper.make_node("Cast", ["children"], ["children_float"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["known_age", "children_float"], ["years"]),
        helper.make_node("Concat", ["years", "code"], ["columns"], axis=1),
        helper.make_node("Gemm", ["columns", "weights", "offset"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    inputs = [("age", TensorProto.FLOAT), ("children", TensorProto.INT64), ("city", TensorProto.STRING)]
    return graph(
        nodes,
        [(name, kind, ["n", 1]) for name, kind in inputs],
        [("probabilities", TensorProto.FLOAT, ["n", 2])],
        [weights, offset],
    )


def graph(
    nodes: list[Any],
    inputs: list[tuple[str, int, list[Any]]],
    outputs: list[tuple[str, int, list[Any]]],
    constants: list[Any] | None = None,
    domains: tuple[str, ...] = ("ai.onnx.ml",),
) -> bytes:
    """An ONNX file of `nodes`."""
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        constants or [],
    )
    versions = {"": 17, "ai.onnx.ml": 3}
    opsets = [helper.make_opsetid(domain, versions.get(domain, 1)) for domain in ("", *domains)]
    content: bytes = helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()
    return content


def write_csv(path: Path, model: RealModel) -> Path:
    """The rows of `model` as a CSV file with a header."""
    lines = [",".join(model.names), *(",".join(map(repr, map(float, row))) for row in model.rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def with_external_data(folder: Path) -> Path:
    """A graph whose weights are in a file of their own: the sum of the two columns, weighted 2 and 3."""
    content = graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        [("x", TensorProto.FLOAT, ["n", 2])],
        [("y", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [2, 1], np.array([2, 3], np.float32).tobytes(), raw=True)],
    )
    model = onnx.load_from_string(content)
    path = folder / "external.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path
