"""`tenantry train`: labelled texts in, a model artifact out."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from inference import contract
from tenantry.console import result, steps
from tenantry.errors import InputError
from tenantry.options import MODEL, OutputOption

if TYPE_CHECKING:
    from inference.model.artifact import Artifact
    from inference.training.corpus import Dataset

_BUCKET: Final = f"s3://{contract.DATASETS_BUCKET}/"
_MAX_DATA_BYTES: Final = 2**32
_REPORTS: Final = f"s3://{contract.ARTIFACTS_BUCKET}/"

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="FILE",
        help=f".csv or .jsonl with text and label, here or as {_BUCKET}KEY; absent: the SpamAssassin mails.",
    ),
]
NameOption = Annotated[str, typer.Option("--name", help="The model's name in the Open Inference Protocol.")]
ReportOption = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="URI", help=f"Where the hold-out report goes, too: {_REPORTS}TENANT, as that tenant may."
    ),
]


def train(
    data: DataOption = None, output: OutputOption = MODEL, name: NameOption = "spam", report: ReportOption = None
) -> None:
    """Train a text classifier, measure it on texts held out, and write it as data.

    A CSV file has the columns text and label; a JSONL file has an object with both on each line. A fifth of the rows is
    held out. The same rows give the same bytes.

    Example: tenantry train --data mails.csv --output build/models/mails
    """
    from inference.model.artifact import write
    from inference.training.corpus import DataError
    from inference.training.report import summary
    from inference.training.train import train as fit

    folder = _report_folder(report)
    try:
        with steps() as begin:
            begin(f"reading {data or 'the SpamAssassin mails'}")
            training = fit(_read(data), name=name, progress=begin)
    except DataError as error:
        raise InputError(str(error)) from error
    write(output, training.artifact)
    result(summary(training.artifact.manifest.metrics))
    result(f"{output}: version {training.artifact.version}")
    if folder:
        result(_write_report(folder, training.artifact))


def _read(data: str | None) -> "Dataset":
    """The labelled texts of a file, of an object in the datasets' bucket, or of the corpus that the locks bring."""
    from inference.store.bucket import Bucket
    from inference.training.corpus import load_file, load_spam_assassin

    if data is None:
        return load_spam_assassin()
    if "://" not in data:
        return load_file(Path(data))
    key = urlsplit(data).path.lstrip("/")
    if not data.startswith(_BUCKET) or not key:
        raise InputError(f"--data {data}: data is read from a file or from {_BUCKET}KEY")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(key).name
        copy.write_bytes(Bucket.open(contract.DATASETS_BUCKET).get(key, max_bytes=_MAX_DATA_BYTES))
        return load_file(copy)


def _report_folder(uri: str | None) -> str | None:
    """The folder of the artifacts' bucket that the option names."""
    folder = uri and uri.removeprefix(_REPORTS).strip("/")
    if uri and (not uri.startswith(_REPORTS) or not folder):
        raise InputError(f"--report {uri}: reports go to {_REPORTS}TENANT")
    return folder


def _write_report(folder: str, artifact: "Artifact") -> str:
    """Put the manifest, which is the whole report, beside those of other versions; gives back where."""
    from inference.store.bucket import Bucket

    key = f"{folder}/{artifact.manifest.name}/{artifact.digest}/report.json"
    Bucket.open(contract.ARTIFACTS_BUCKET).put(key, artifact.manifest_bytes)
    return f"{_REPORTS}{key}"
