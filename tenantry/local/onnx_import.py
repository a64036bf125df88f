"""`tenantry import` of an ONNX file: the options of that kind, and its report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.console import result, say, steps
from tenantry.errors import InputError
from tenantry.extras import require_extra
from tenantry.options import Format

if TYPE_CHECKING:
    from inference.model.artifact import Artifact
    from inference.model.manifest import OnnxManifest
    from inference.model.signature import TensorSignature

SUFFIX: Final = ".onnx"
_MEBIBYTE: Final = 2**20
_SHOWN: Final = 8

LabelsOption = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAMES",
        help="ONNX: the labels, in the order of the probabilities, as in ham,spam. Default: those of the file.",
    ),
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="NAMES",
        help="ONNX: names of the columns of its matrix, in their order, as in age,income. Default: the columns of "
        "--baseline, or f0, f1, ...",
    ),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="ONNX: training rows as CSV with a header. Drift is measured against them, and the first rows become the "
        "model's test vector.",
    ),
]


@dataclass(frozen=True)
class OnnxOptions:
    """What the command was given for an ONNX file."""

    labels: str | None
    features: str | None
    baseline: Path | None

    def check_unused(self, path: Path) -> None:
        """Refuse them for a file of another kind."""
        for name in ("labels", "features", "baseline"):
            if getattr(self, name) is not None:
                raise InputError(f"--{name} is for ONNX models; {path} does not end in {SUFFIX}")


def import_file(path: Path, *, name: str, output: Path, options: OnnxOptions, output_format: Format) -> None:
    """Import the ONNX file at `path`, write the artifact into `output`, and report."""
    require_extra("onnx")
    from inference.errors import ConversionError
    from inference.model.artifact import write
    from inference.training.onnx_import.importing import Options, import_onnx

    if options.baseline and not options.baseline.is_file():
        raise InputError(f"--baseline {options.baseline}: there is no such file")
    try:
        with steps() as begin:
            begin(f"checking {path} and running it once")
            artifact = import_onnx(
                path,
                name=name,
                options=Options(
                    labels=_names(options.labels), features=_names(options.features), baseline=options.baseline
                ),
            )
    except ConversionError as error:
        raise InputError(str(error)) from error
    write(output, artifact)
    _report(artifact, output, output_format)


def _names(given: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",")) if given else ()


def _report(artifact: "Artifact", output: Path, output_format: Format) -> None:
    from inference.model.manifest import OnnxManifest

    manifest = artifact.manifest
    assert isinstance(manifest, OnnxManifest)  # noqa: S101 - the kind that was imported
    if output_format is Format.JSON:
        document = {
            "output": str(output),
            "digest": f"sha256:{artifact.digest}",
            "labels": manifest.labels,
            "inputs": [_tensor(each) for each in manifest.inputs],
            "outputs": [{**_tensor(each), "meaning": each.meaning} for each in manifest.outputs],
            "features": [each.name for each in manifest.features],
            "memoryBytes": manifest.memory_bytes,
        }
        result(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for spec in manifest.inputs:
        result(f"input   {spec.name} {spec.datatype} {list(spec.shape)}")
    for spec in manifest.outputs:
        result(f"output  {spec.name} {spec.datatype} {list(spec.shape)}: {spec.meaning}")
    if manifest.labels:
        result(f"labels  {_some(manifest.labels)}")
    _report_features(manifest)
    mebibytes = -(-manifest.memory_bytes // _MEBIBYTE)
    result(f"peak memory {mebibytes} MiB for 1,000 rows; in platform.yaml: runtime: onnx, modelMemory: {mebibytes}Mi")
    result(f"{output}: version {artifact.version}")


def _report_features(manifest: "OnnxManifest") -> None:
    if not manifest.features:
        say("the inputs are not tabular: POST /predict takes tensors by the names of the inputs")
        return
    result(f"features {_some([each.name for each in manifest.features])}")
    if manifest.features[0].baseline is None:
        say("no --baseline: drift of the features is not measured")


def _tensor(spec: "TensorSignature") -> dict[str, object]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}


def _some(names: "list[str] | tuple[str, ...]") -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
