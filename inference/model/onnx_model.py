"""An ONNX model in memory: ONNX Runtime with one thread, checked against the manifest before it answers.

This module imports NumPy and ONNX Runtime, which only the image `onnx` contains.
"""

import os
from collections.abc import Mapping
from statistics import median
from time import perf_counter
from typing import Any, Final

import numpy as np

# ONNX Runtime sends usage data to its vendor unless this is set before its import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from inference.errors import ArtifactError, ModelInputError, excerpt
from inference.model.artifact import Artifact
from inference.model.interface import LoadedModel, TensorSpec
from inference.model.manifest import OnnxManifest
from inference.model.signature import FREE, Cell, OutputSignature, TensorSignature, fits

Array = np.ndarray[Any, Any]

DTYPES: Final[dict[str, type[np.generic] | type[object]]] = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": object,
}
"""The elements of an array, by datatype; those of BYTES are strings."""
RUNTIME_TYPES: Final = {
    "tensor(bool)": "BOOL",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
"""Datatypes, by ONNX Runtime's names."""
PLATFORM: Final = "tenantry_onnxruntime"
RELATIVE_TOLERANCE: Final = 1e-4
ABSOLUTE_TOLERANCE: Final = 1e-5
"""An output of the test vector may differ by so much: processors add in different orders."""
RUNTIME_VERSION: Final[str] = onnxruntime.__version__
_TIMED_RUNS: Final = 9
_TIMED_SECONDS: Final = 0.25
"""A measurement ends after so many runs or after this time: a slow model must not delay the start."""
_BATCH_ROWS: Final = 8
_BATCH_SHARE: Final = 0.5
"""Requests are batched if rows together take less than this share of the time that they take one by one."""
_BATCH_SECONDS: Final = 0.05
"""... and if a row takes less than this: with a slower model, each request would wait long for the rows of others."""
_ERRORS_ONLY: Final = 3


class OnnxModel(LoadedModel):
    """Runs the ONNX model of one artifact.

    Attributes:
        labels: In the order of the probabilities; empty unless the model is a classifier.
        signature: Inputs, outputs, features and test vector.
        probabilities: Name of the output that holds them; empty unless the model is a classifier.
        row_seconds: How long one row takes, measured when the model was loaded.
        batches: Whether rows of different requests are run together: it is faster, and changes no answer.
    """

    def __init__(self, artifact: Artifact) -> None:
        manifest = artifact.manifest
        if not isinstance(manifest, OnnxManifest):
            raise ArtifactError(f"'{manifest.name}' is a text model; serve it with runtime 'text'")
        self.manifest = self.signature = manifest
        self.name = manifest.name
        self.labels = manifest.labels
        self.digest = artifact.digest
        self.version = artifact.version
        self.platform = PLATFORM
        self.scorer_kind = f"onnxruntime {RUNTIME_VERSION}"
        self.inputs = tuple(TensorSpec(each.name, each.datatype, each.shape) for each in manifest.inputs)
        self.outputs = tuple(TensorSpec(each.name, each.datatype, each.shape) for each in manifest.outputs)
        self.probabilities = next((each.name for each in manifest.outputs if each.meaning == "probabilities"), "")
        self._names: Final = [each.name for each in manifest.outputs]
        self._session: Final = open_session(artifact.weights)
        self._check_signature()
        self._check_test_vector()
        self.row_seconds: Final = self._measure(1)
        self.batches: Final = (
            self.row_seconds < _BATCH_SECONDS
            and self._measure(_BATCH_ROWS) < _BATCH_SHARE * _BATCH_ROWS * self.row_seconds
            and self._rows_are_independent()
        )

    def warm_up(self) -> None:
        """Do nothing: loading has run the test vector."""

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "OnnxModel":
        """Load the model and check its answers to the test vector.

        Raises:
            ArtifactError: ONNX Runtime cannot load it, or it does not do what the manifest says.
        """
        return cls(artifact)

    def run(self, tensors: Mapping[str, Array]) -> list[Array]:
        """All outputs in the order of the signature.

        Args:
            tensors: One array per input, with its datatype and shape; all have the same number of rows.

        Raises:
            ModelInputError: The model cannot run on these values.
        """
        try:
            found: list[Array] = self._session.run(self._names, dict(tensors))
        except Exception as error:  # the runtime has a dozen classes without a common base
            raise ModelInputError(f"the model cannot run on these values: {excerpt(error)}") from error
        return found

    def test_inputs(self, rows: int | None = None) -> dict[str, Array]:
        """The inputs of the test vector, repeated or cut to `rows` rows; absent: as they are."""
        test = self.signature.test
        arrays = {each.name: self._array(each, test.inputs[each.name], test.rows) for each in self.signature.inputs}
        if rows is None:
            return arrays
        return {name: np.resize(array, (rows, *array.shape[1:])) for name, array in arrays.items()}

    def _array(self, spec: TensorSignature, values: list[Cell], rows: int) -> Array:
        shape = (rows, *(1 if size == FREE else size for size in spec.row_shape))
        try:
            return np.array(values, DTYPES[spec.datatype]).reshape(shape)
        except (ValueError, TypeError, OverflowError) as error:
            raise ArtifactError(f"the test vector's '{excerpt(spec.name)}' is not {spec.datatype} {shape}") from error

    def _check_signature(self) -> None:
        for what, described, found in (
            ("inputs", self.signature.inputs, self._session.get_inputs()),
            ("outputs", self.signature.outputs, self._session.get_outputs()),
        ):
            said = [(each.name, each.datatype) for each in described]
            has = [(each.name, RUNTIME_TYPES.get(each.type, each.type)) for each in found]
            if said != has:
                raise ArtifactError(f"the model has {what} {excerpt(has)}, the manifest says {excerpt(said)}")

    def _check_test_vector(self) -> None:
        test = self.signature.test
        try:
            answers = self.run(self.test_inputs())
        except ModelInputError as error:
            raise ArtifactError(f"the model does not run on its test vector: {error}") from error
        for spec, answer in zip(self.signature.outputs, answers, strict=True):
            check_answer(spec, answer, test.rows)
            expected = test.outputs[spec.name]
            if answer.size != len(expected):
                raise ArtifactError(
                    f"output '{spec.name}' has {answer.size} elements on the test vector, the manifest says"
                    f" {len(expected)}; import the model again"
                )
            if not _equal(answer.ravel(), expected):
                raise ArtifactError(
                    f"output '{spec.name}' is not what the import found on the test vector: the model or its runtime"
                    " was changed; import it again"
                )

    def _measure(self, rows: int) -> float:
        """How long the model takes for this number of rows of the test vector."""
        inputs = self.test_inputs(rows)
        seconds: list[float] = []
        while len(seconds) < _TIMED_RUNS and sum(seconds) < _TIMED_SECONDS:
            began = perf_counter()
            self.run(inputs)
            seconds.append(perf_counter() - began)
        return median(seconds)

    def _rows_are_independent(self) -> bool:
        """Whether each row of the test vector has the same outputs alone as with the others."""
        inputs = self.test_inputs()
        rows = self.signature.test.rows
        together = self.run(inputs)
        for row in range(rows):
            alone = self.run({name: array[row : row + 1] for name, array in inputs.items()})
            for found, all_rows in zip(alone, together, strict=True):
                if not _equal(found.ravel(), all_rows[row : row + 1].ravel().tolist()):
                    return False
        return rows > 1


def open_session(model: bytes) -> Any:
    """ONNX Runtime's session for an ONNX file, with one thread, on the processor.

    Raises:
        ArtifactError: it cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Memory of one large request is returned, instead of being kept for the next one.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ArtifactError(f"ONNX Runtime cannot load the model: {excerpt(error)}") from error


def check_answer(spec: OutputSignature, answer: Any, rows: int) -> None:
    """Check that an output has the datatype and the shape of its description.

    Raises:
        ArtifactError: it has not.
    """
    expected = DTYPES[spec.datatype]
    if not isinstance(answer, np.ndarray) or answer.dtype != np.dtype(expected):
        raise ArtifactError(f"output '{spec.name}' is not a tensor of {spec.datatype}")
    if not fits(answer.shape, spec.shape) or answer.shape[0] != rows:
        raise ArtifactError(f"output '{spec.name}' has shape {list(answer.shape)} for {rows} rows, not {spec.shape}")


def _equal(found: Array, expected: list[Cell]) -> bool:
    if found.dtype.kind != "f":
        return bool(found.tolist() == expected)
    try:
        wanted = np.array(expected, np.float64)
    except (ValueError, TypeError):
        return False
    return bool(np.allclose(found.astype(np.float64), wanted, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE))
