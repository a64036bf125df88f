"""`tenantry import`: a fitted scikit-learn pipeline or an ONNX file in, a model artifact out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.console import result, say, steps
from tenantry.errors import InputError
from tenantry.local import onnx_import
from tenantry.local.labelled import check_destination, read_labelled
from tenantry.options import (
    EncodingOption,
    ExamplesOption,
    Format,
    FormatOption,
    LabelOption,
    ModelOutputOption,
    NameOption,
    TextOption,
)

if TYPE_CHECKING:
    from inference.training.importing import Imported

PipelineArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A .skops or .onnx file; or a .joblib or .pickle file with --trust."),
]
TrustOption = Annotated[
    bool,
    typer.Option("--trust", help="Load a pickle, which runs the code in it; only for files that you made."),
]
CheckOption = Annotated[
    str | None,
    typer.Option(
        "--check",
        metavar="FILE",
        help="Labelled texts that the pipeline was not fitted on: answers are compared on them too, and the model is "
        "measured. Without them it has no hold-out metrics and no baseline for drift.",
    ),
]


def import_model(
    pipeline: PipelineArgument,
    *,
    output: ModelOutputOption,
    name: NameOption = "model",
    check: CheckOption = None,
    text: TextOption = "text",
    label: LabelOption = "label",
    encoding: EncodingOption = None,
    trust: TrustOption = False,
    examples: ExamplesOption = True,
    labels: onnx_import.LabelsOption = None,
    features: onnx_import.FeaturesOption = None,
    baseline: onnx_import.BaselineOption = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Convert a fitted scikit-learn text pipeline, or seal an ONNX file, into a model that this platform serves.

    The pipeline is loaded in a process of its own. Its answers and the model's are compared on some texts in many
    scripts, and on those of --check; a difference above 1e-9 is an error. docs/models.md lists what can be converted.
    An ONNX file is checked, run once in a process of its own, and sealed with its signature and its peak memory.

    Example: tenantry import pipeline.skops --output build/models/topics --name topics --check test.csv

    Example: tenantry import churn.onnx --output build/models/churn --name churn --baseline train.csv
    """
    from inference.errors import ConversionError
    from inference.model.artifact import write
    from inference.training.corpus import DataError, Dataset
    from inference.training.importing import import_pipeline
    from inference.training.reading import Reading

    check_destination(name, output)
    if not pipeline.is_file():
        raise InputError(f"{pipeline}: there is no such file")
    onnx_options = onnx_import.OnnxOptions(labels, features, baseline)
    if pipeline.suffix == onnx_import.SUFFIX:
        if check or trust:
            raise InputError("--check and --trust are for scikit-learn pipelines; an ONNX file runs no code")
        onnx_import.import_file(pipeline, name=name, output=output, options=onnx_options, output_format=output_format)
        return
    onnx_options.check_unused(pipeline)
    reading = Reading(text=text, label=label, encoding=encoding)
    try:
        with steps() as begin:
            test = Dataset.from_test_rows(*read_labelled(check, reading)) if check else None
            begin(f"loading and converting {pipeline}")
            imported = import_pipeline(pipeline, name=name, trust=trust, check=test, examples=examples)
    except (ConversionError, DataError) as error:
        raise InputError(str(error)) from error
    write(output, imported.artifact)
    for warning in imported.warnings:
        say(f"warning: {warning}")
    if not check:
        say("no --check: the model has no hold-out metrics, so publish cannot compare it and drift has no baseline")
    _report(imported, output, output_format)


def _report(imported: "Imported", output: Path, output_format: Format) -> None:
    from inference.training.report import summary

    artifact = imported.artifact
    metrics = artifact.manifest.metrics
    if output_format is Format.JSON:
        document = {
            "output": str(output),
            "digest": f"sha256:{artifact.digest}",
            "labels": artifact.manifest.labels,
            "compared": imported.compared,
            "largest_difference": imported.largest_difference,
            "accuracy": metrics.accuracy if metrics else None,
        }
        result(json.dumps(document, indent=2, ensure_ascii=False))
        return
    if metrics:
        result(summary(metrics))
    result(f"largest difference from predict_proba {imported.largest_difference:.1e} on {imported.compared:,} texts")
    result(f"{output}: version {artifact.version}")
