"""The model of records, its rows, and the systems that serve it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import joblib
import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

from bench.serving.systems import HOST, OURS, PEERS, PORT, System, mlserver_folder, protocol_answer
from bench.serving.work import Expected
from inference.model.artifact import write
from inference.training.onnx_import.importing import Options, import_onnx

RECORDS: Final = OURS
TENSORS: Final = "tenantry-infer"
NAME: Final = "cancer"


@dataclass(frozen=True)
class Work:
    """The model in both forms.

    Attributes:
        artifact: Folder of the sealed ONNX model.
        joblib: File of the fitted scikit-learn model.
        names: Of the features.
        rows: One request each: a list of numbers, as JSON.
        expected: The answers of `predict_proba`.
    """

    artifact: Path
    joblib: Path
    names: list[str]
    rows: list[str]
    expected: list[Expected]


def prepare(folder: Path) -> Work:
    """Fit gradient boosting (100 trees) on scikit-learn's breast cancer data, and write it in both forms."""
    data = load_breast_cancer()
    rows = data.data.astype(np.float32)
    model = GradientBoostingClassifier(random_state=1).fit(rows, data.target)
    file = folder / "tabular.onnx"
    file.write_bytes(to_onnx(model, rows[:1], options={"zipmap": False}).SerializeToString())
    names = [str(name) for name in data.feature_names]
    artifact = folder / NAME
    write(artifact, import_onnx(file, name=NAME, options=Options(labels=("0", "1"), features=tuple(names))))
    saved = folder / "tabular.joblib"
    joblib.dump(model, saved)
    probabilities = model.predict_proba(rows)
    expected = [Expected(str(row.argmax()), float(row.max())) for row in probabilities]
    return Work(artifact, saved, names, [json.dumps(row.tolist()) for row in rows], expected)


def systems(work: Work, folder: Path) -> list[System]:
    """All systems, in the order in which they take turns; `folder` contains the peers' environments."""
    model = str(work.joblib.absolute())
    ours = {
        "INFERENCE_MODEL_URI": work.artifact.absolute().as_uri(),
        "INFERENCE_RUNTIME": "onnx",
        "INFERENCE_HOST": HOST,
        "INFERENCE_PORT": str(PORT),
        "INFERENCE_DRAIN_NOTICE_SECONDS": "0",
    }
    mlserver = mlserver_folder(folder, NAME, "tabular.Tabular", model)
    return [
        System(
            name="mlserver",
            title="MLServer, adaptive batching",
            command=(str(folder / "mlserver" / "bin" / "mlserver"), "start", str(mlserver)),
            path=f"/v2/models/{NAME}/infer",
            body=lambda row: _tensor("rows", row),
            understand=protocol_answer,
            peer=True,
        ),
        System(
            name="bentoml",
            title="BentoML, batching",
            command=(
                str(folder / "bentoml" / "bin" / "python"), "-m", "bentoml", "serve", "tabular:Tabular",
                "--working-dir", str(PEERS / "bentoml"), "--host", HOST, "--port", str(PORT),
            ),
            path="/predict",
            environment={"PIPELINE": model, "BENTOML_DO_NOT_TRACK": "True"},
            body=lambda row: {"rows": [json.loads(row)]},
            understand=lambda answer: Expected(answer[0]["prediction"], answer[0]["confidence"]),
            peer=True,
        ),
        System(
            name=RECORDS,
            title="Tenantry, records on POST /predict",
            command=(sys.executable, "-m", "inference"),
            path="/predict",
            environment=ours,
            body=lambda row: {"inputs": dict(zip(work.names, json.loads(row), strict=True))},
        ),
        System(
            name=TENSORS,
            title="Tenantry, tensors on infer",
            command=(sys.executable, "-m", "inference"),
            path=f"/v2/models/{NAME}/infer",
            environment=ours,
            body=lambda row: _tensor("X", row),
            understand=protocol_answer,
        ),
    ]  # fmt: skip


def _tensor(name: str, row: str) -> object:
    data = json.loads(row)
    return {"inputs": [{"name": name, "shape": [1, len(data)], "datatype": "FP32", "data": data}]}
