"""Import an ONNX file: inspect it, run it once, and seal what was found.

ONNX is data, but its graph may be hostile: it is parsed and run in child processes with bounded time and memory.
"""

import hashlib
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from inference.address import check_name
from inference.errors import ConversionError, excerpt
from inference.model.artifact import Artifact, from_manifest, sealed
from inference.model.manifest import ONNX_FILE, Data, OnnxManifest
from inference.model.signature import (
    FREE,
    MAX_NAME,
    Cell,
    Feature,
    OutputSignature,
    TensorSignature,
    TestVector,
    default_features,
)
from inference.settings import Settings
from inference.training.child import Limits, run_module
from inference.training.onnx_import.baseline import TrainingRows, read_baseline
from inference.training.onnx_import.description import Description
from inference.training.onnx_import.inspect_file import DESCRIPTION
from inference.training.onnx_import.run_once import ANSWER, QUESTION, Output, Question, Run

_ROWS: Final = 3
_SEED: Final = 20
_MEMORY_UNIT: Final = 16 * 2**20
_PROBABILITY_TOLERANCE: Final = 1e-3
_PACKAGE: Final = __package__


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user says about a model that the file does not.

    Args:
        labels: of a classifier, in the order of its probabilities; empty: those in the file.
        features: names of the columns of its one matrix, in its order; empty: those of the baseline, or `f0`, `f1`, ...
        baseline: training rows as CSV, for drift and for the test vector.
    """

    labels: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    baseline: Path | None = None
    limits: Limits = field(default_factory=Limits)


def import_onnx(path: Path, *, name: str, options: Options = Options()) -> Artifact:
    """Check an ONNX file, run it once, and seal it.

    Args:
        path: an ONNX file; its external data is beside it.
        name: of the model.
        options: what the file does not say.

    Raises:
        ConversionError: the file cannot be served, or an option does not fit it.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise ConversionError(str(error)) from error
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run_module(f"{_PACKAGE}.inspect_file", path, [path.resolve(), folder], options.limits)
        described = msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Description)
        features, training = _features(path, described.inputs, options)
        question = _question(described.inputs, features, training)
        (folder / QUESTION).write_bytes(msgspec.json.encode(question))
        run_module(f"{_PACKAGE}.run_once", path, [folder], options.limits)
        run = msgspec.json.decode((folder / ANSWER).read_bytes(), type=Run)
        model = (folder / ONNX_FILE).read_bytes()
    labels = _labels(path, described, options.labels)
    outputs = _outputs(path, described.outputs, run.outputs, labels, question.rows)
    _check_probabilities(path, outputs, run.outputs, labels, renamed=bool(options.labels))
    manifest = OnnxManifest(
        format=3,
        name=name,
        labels=labels,
        weights=sealed(ONNX_FILE, model),
        data=Data(
            source=options.baseline.name if options.baseline else path.name,
            fingerprint=hashlib.sha256(options.baseline.read_bytes() if options.baseline else model).hexdigest(),
            rows=training.rows if training else 0,
            train_rows=training.rows if training else 0,
        ),
        metrics=None,
        baseline=None,
        versions={"onnxruntime": run.runtime},
        inputs=described.inputs,
        outputs=outputs,
        features=features,
        test=TestVector(
            rows=question.rows,
            inputs=question.values,
            outputs={each.name: _finite(path, each) for each in run.outputs},
        ),
        # Rounded up, because it differs a little from run to run, and the same file should give the same digest.
        memory_bytes=-(-run.memory_bytes // _MEMORY_UNIT) * _MEMORY_UNIT,
    )
    return from_manifest(manifest, model)


def _features(
    path: Path, inputs: tuple[TensorSignature, ...], options: Options
) -> tuple[tuple[Feature, ...], TrainingRows | None]:
    """The features, named by the options, the baseline or the inputs, and the training rows if there are any."""
    features = default_features(inputs)
    if (options.features or options.baseline) and not features:
        raise ConversionError(f"{path}: its inputs are not tabular; --features and --baseline do not apply to it")
    names = options.features
    if names:
        if len(names) != len(features):
            raise ConversionError(f"{path}: --features names {len(names)} columns, the model has {len(features)}")
        features = tuple(msgspec.structs.replace(each, name=name) for name, each in zip(names, features, strict=True))
    training = None
    if options.baseline:
        named = bool(names) or all(each.row_elements == 1 for each in inputs)
        training = read_baseline(options.baseline, features, inputs, named=named)
        features = training.features
    _check_names(path, [each.name for each in features])
    return features, training


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) != len(names) or not all(0 < len(name) <= MAX_NAME for name in names):
        raise ConversionError(
            f"{path}: the features are {excerpt(', '.join(map(repr, names)))}; their names must be distinct and have 1"
            f" to {MAX_NAME} characters"
        )


def _question(
    inputs: tuple[TensorSignature, ...], features: tuple[Feature, ...], training: TrainingRows | None
) -> Question:
    most_rows = int(Settings.model_fields["max_texts"].default)
    if training and training.examples:
        rows = len(training.examples)
        values: dict[str, list[Cell]] = {each.name: [] for each in inputs}
        for example in training.examples:
            for feature, cell in zip(features, example, strict=True):
                values[feature.input].append(cell)
        return Question(inputs, values, rows, most_rows)
    generator = random.Random(_SEED)  # noqa: S311 - the same file, the same artifact
    drawn = {each.name: [_drawn(each.datatype, generator) for _ in range(_ROWS * each.row_elements)] for each in inputs}
    return Question(inputs, drawn, _ROWS, most_rows)


def _drawn(datatype: str, generator: random.Random) -> Cell:
    if datatype == "BYTES":
        return "a"
    if datatype == "BOOL":
        return generator.random() < 0.5  # noqa: PLR2004 - a coin
    return round(generator.uniform(0, 1), 3) if datatype.startswith("FP") else generator.randint(0, 1)


def _labels(path: Path, described: Description, given: tuple[str, ...]) -> tuple[str, ...]:
    labels = given or described.labels
    if given and described.labels and len(given) != len(described.labels):
        raise ConversionError(
            f"{path}: --labels names {len(given)} labels, the model has {len(described.labels)}"
            f" ({excerpt(', '.join(described.labels))})"
        )
    if len(set(labels)) != len(labels) or len(labels) == 1:
        raise ConversionError(f"{path}: labels {excerpt(list(labels))}; two or more distinct ones are required")
    return labels


def _outputs(
    path: Path, declared: Sequence[TensorSignature], found: Sequence[Output], labels: tuple[str, ...], rows: int
) -> tuple[OutputSignature, ...]:
    """The outputs as they are: what is declared, corrected by the shapes of the answers."""
    outputs = []
    for spec, output in zip(declared, found, strict=True):
        if not output.shape or output.shape[0] != rows:
            raise ConversionError(
                f"{path}: output '{excerpt(output.name)}' has shape {output.shape} for {rows} rows; its first dimension"
                " must be the number of rows"
            )
        fixed = spec.row_shape if len(spec.shape) == len(output.shape) else (FREE,) * (len(output.shape) - 1)
        outputs.append(OutputSignature(name=spec.name, datatype=spec.datatype, shape=(FREE, *fixed), meaning="value"))
    return _with_meanings(path, tuple(outputs), found, labels)


def _with_meanings(
    path: Path, outputs: tuple[OutputSignature, ...], found: Sequence[Output], labels: tuple[str, ...]
) -> tuple[OutputSignature, ...]:
    if not labels:
        return outputs
    columns = (len(labels),)
    candidates = [
        spec.name
        for spec, output in zip(outputs, found, strict=True)
        if spec.datatype.startswith("FP") and tuple(output.shape[1:]) == columns
    ]
    if not candidates:
        shapes = excerpt(", ".join(f"{each.name} {each.shape}" for each in found))
        raise ConversionError(
            f"{path}: a classifier of {len(labels)} labels needs an output with a probability per label; the outputs"
            f" are {shapes}"
        )
    label = next((each.name for each in outputs if not each.datatype.startswith("FP") and len(each.shape) == 1), None)
    meanings: dict[str | None, str] = {label: "label", candidates[0]: "probabilities"}
    return tuple(
        msgspec.structs.replace(
            each,
            meaning=meanings.get(each.name, "value"),
            shape=(FREE, *columns) if each.name == candidates[0] else each.shape,
        )
        for each in outputs
    )


def _check_probabilities(
    path: Path, outputs: tuple[OutputSignature, ...], found: Sequence[Output], labels: tuple[str, ...], *, renamed: bool
) -> None:
    """Check on the test vector that the probabilities are some, in the order of the labels."""
    if not labels:
        return
    by_meaning = {spec.meaning: output for spec, output in zip(outputs, found, strict=True)}
    cells = [float(cell) if cell is not None else float("nan") for cell in by_meaning["probabilities"].values]
    rows = [cells[start : start + len(labels)] for start in range(0, len(cells), len(labels))]
    for row in rows:
        if not abs(sum(row) - 1) <= _PROBABILITY_TOLERANCE or min(row) < -_PROBABILITY_TOLERANCE:
            raise ConversionError(
                f"{path}: output '{by_meaning['probabilities'].name}' holds {row[:5]}, which are not probabilities:"
                " they must be 0 to 1 with the sum 1; end the model with Softmax, or import it without --labels"
            )
    if "label" in by_meaning and not renamed:
        said = [str(cell) for cell in by_meaning["label"].values]
        expected = [labels[row.index(max(row))] for row in rows]
        if said != expected:
            raise ConversionError(
                f"{path}: output '{by_meaning['label'].name}' says {said[:5]}, but the most probable labels are"
                f" {expected[:5]}; give the labels in the order of the probabilities with --labels"
            )


def _finite(path: Path, output: Output) -> list[Cell]:
    cells = [cell for cell in output.values if cell is not None]
    if len(cells) != len(output.values):
        raise ConversionError(
            f"{path}: output '{excerpt(output.name)}' has values that are not finite on the test vector; give rows on"
            " which the model works with --baseline FILE"
        )
    return cells
