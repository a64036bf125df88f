"""Sealed ONNX models for the tests of the service, made once per run."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.model.artifact import Artifact, write
from inference.model.onnx_model import OnnxModel
from inference.training.onnx_import.importing import Options, import_onnx
from tests import onnx_models

_TRAINING_ROWS = "age,children,city\n20,0,Wien\n35,2,Graz\n60,1,Wien\n,0,Graz\n"


@cache
def credit() -> Artifact:
    """A classifier of records, with a baseline: a number, an integer and a string, each an input of its own."""
    return imported(onnx_models.credit(), "credit", labels=("no", "yes"), baseline=_TRAINING_ROWS)


@cache
def echo() -> Artifact:
    """Two columns of every datatype, each of which is an output, too."""
    return imported(onnx_models.echo(), "echo")


@cache
def diabetes() -> Artifact:
    """A random forest, a regression of a matrix."""
    return imported(onnx_models.random_forest().onnx, "diabetes", features=onnx_models.random_forest().names)


@cache
def pictures() -> Artifact:
    """A picture of any height per row, which is its output, too: not tabular."""
    return imported(onnx_models.pictures(), "pictures")


def loaded(artifact: Artifact) -> OnnxModel:
    """The model in memory."""
    return OnnxModel.from_artifact(artifact)


def written(artifact: Artifact, folder: Path) -> Path:
    """The folder that holds the model."""
    write(folder, artifact)
    return folder


def imported(
    content: bytes, name: str, *, labels: tuple[str, ...] = (), features: tuple[str, ...] = (), baseline: str = ""
) -> Artifact:
    """Import an ONNX file, with the text of a CSV file as its baseline."""
    with TemporaryDirectory() as temporary:
        path, rows = Path(temporary, "model.onnx"), Path(temporary, "rows.csv")
        path.write_bytes(content)
        rows.write_text(baseline)
        options = Options(labels=labels, features=features, baseline=rows if baseline else None)
        return import_onnx(path, name=name, options=options)
