"""`tenantry train`: labelled texts in, a model artifact out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from inference import contract
from tenantry.console import result, steps
from tenantry.errors import InputError
from tenantry.options import MODEL

if TYPE_CHECKING:
    from inference.model.artifact import Artifact
    from inference.training.corpus import Row
    from inference.training.reading import Reading

_BUCKET: Final = f"s3://{contract.DATASETS_BUCKET}/"
_MAX_DATA_BYTES: Final = 2**32
_REPORTS: Final = f"s3://{contract.ARTIFACTS_BUCKET}/"

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="FILE",
        help=f".csv, .tsv or .jsonl, also with .gz; a file, {_BUCKET}KEY, or - for standard input. "
        "Default: the SpamAssassin mails.",
    ),
]
HoldoutOption = Annotated[
    str | None,
    typer.Option("--holdout", metavar="FILE", help="Measure on this file instead of on a fifth of the rows."),
]
TextOption = Annotated[str, typer.Option("--text", metavar="COLUMN", help="Column or key of the text.")]
LabelOption = Annotated[str, typer.Option("--label", metavar="COLUMN", help="Column or key of the label.")]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="Of the files, as in latin-1. Default: UTF-8, or UTF-16 with a byte order mark."),
]
ModelOutputOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to write; created if missing.")]
NameOption = Annotated[str, typer.Option("--name", help="The model's name in the Open Inference Protocol.")]
ReportOption = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="URI", help=f"Write the hold-out report to {_REPORTS}TENANT too, with that tenant's keys."
    ),
]


def train(
    data: DataOption = None,
    *,
    output: ModelOutputOption = MODEL,
    name: NameOption = "spam",
    text: TextOption = "text",
    label: LabelOption = "label",
    encoding: EncodingOption = None,
    holdout: HoldoutOption = None,
    report: ReportOption = None,
) -> None:
    """Train a text classifier, measure it on texts held out, and write it as data.

    A CSV file has a header; its columns are separated by commas, semicolons or tabs. A JSONL file has one object per
    line. A fifth of the rows of each label is held out. The same rows give the same bytes.

    Example: tenantry train --data mails.csv --text body --label category --output build/models/mails
    """
    from inference.model.artifact import write
    from inference.training.corpus import DataError, Dataset, load_spam_assassin
    from inference.training.reading import Reading
    from inference.training.report import summary
    from inference.training.train import train as fit
    from tenantry.local.corpus import corpus_folder

    folder = _report_folder(report)
    check_destination(name, output)
    reading = Reading(text=text, label=label, encoding=encoding)
    try:
        with steps() as begin:
            begin(f"reading {data or 'the SpamAssassin mails'}")
            dataset = Dataset.from_rows(*_read(data, reading)) if data else load_spam_assassin(corpus_folder())
            test = Dataset.from_test_rows(*_read(holdout, reading)) if holdout else None
            training = fit(dataset, name=name, holdout=test, progress=begin)
    except DataError as error:
        raise InputError(str(error)) from error
    write(output, training.artifact)
    result(summary(training.artifact.manifest.metrics))
    result(f"{output}: version {training.artifact.version}")
    if folder:
        result(_write_report(folder, training.artifact))


def check_destination(name: str, output: Path) -> None:
    """Refuse a name or a folder that a model cannot have, before the work that makes the model."""
    from inference.address import check_name
    from inference.errors import ArtifactError
    from inference.model.artifact import check_output

    try:
        check_name(name)
    except ValueError as error:
        raise InputError(f"--name {name}: {error}") from error
    try:
        check_output(output)
    except ArtifactError as error:
        raise InputError(f"--output {output}: {error}") from error


def _read(data: str, reading: "Reading") -> "tuple[list[Row], str]":
    """The labelled texts of a file, of standard input or of an object in the bucket for data, and the source's name."""
    from inference.store.bucket import Bucket
    from inference.training.reading import parse, read_file

    if data == "-":
        return parse(sys.stdin.buffer.read(), "standard input", reading), "standard input"
    if "://" not in data:
        return read_file(Path(data), reading), Path(data).name
    key = urlsplit(data).path.lstrip("/")
    if not data.startswith(_BUCKET) or not key:
        raise InputError(f"--data {data}: data is read from a file, from {_BUCKET}KEY, or from - (standard input)")
    content = Bucket.open(contract.DATASETS_BUCKET).get(key, max_bytes=_MAX_DATA_BYTES)
    return parse(content, data, reading), Path(key).name


def _report_folder(uri: str | None) -> str | None:
    """The folder that the option names in the bucket for artifacts."""
    folder = uri and uri.removeprefix(_REPORTS).strip("/")
    if uri and (not uri.startswith(_REPORTS) or not folder):
        raise InputError(f"--report {uri}: reports go to {_REPORTS}TENANT")
    return folder


def _write_report(folder: str, artifact: "Artifact") -> str:
    """Put the manifest, which is the whole report, next to those of other versions; return its address."""
    from inference.store.bucket import Bucket

    key = f"{folder}/{artifact.manifest.name}/{artifact.digest}/report.json"
    Bucket.open(contract.ARTIFACTS_BUCKET).put(key, artifact.manifest_bytes)
    return f"{_REPORTS}{key}"
