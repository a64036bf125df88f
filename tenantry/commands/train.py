"""`tenantry train`: labelled texts in, a model artifact out."""

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from inference import contract
from tenantry.console import result, say, steps
from tenantry.errors import InputError
from tenantry.local.labelled import BUCKET, check_destination, read_labelled
from tenantry.options import (
    MODEL,
    EncodingOption,
    ExamplesOption,
    LabelOption,
    ModelOutputOption,
    NameOption,
    TextOption,
)

if TYPE_CHECKING:
    from inference.model.artifact import Artifact

_REPORTS: Final = f"s3://{contract.ARTIFACTS_BUCKET}/"

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="FILE",
        help=f".csv, .tsv or .jsonl, also with .gz, or .parquet; a file, {BUCKET}KEY, or - for standard input. "
        "Default: the SpamAssassin mails.",
    ),
]
HoldoutOption = Annotated[
    str | None,
    typer.Option("--holdout", metavar="FILE", help="Measure on this file instead of on a fifth of the rows."),
]
EstimatorOption = Annotated[
    Literal["multinomial", "complement", "logistic"],
    typer.Option("--estimator", help="Multinomial or complement naive Bayes, or logistic regression."),
]
AnalyzerOption = Annotated[
    Literal["word", "char", "char_wb"],
    typer.Option("--analyzer", help="N-grams of words, of characters, or of characters inside words."),
]
NgramsOption = Annotated[
    str | None,
    typer.Option("--ngrams", metavar="MIN-MAX", help="Sizes of the n-grams. Default: 1-2 words, 2-4 characters."),
]
BalancedOption = Annotated[
    bool, typer.Option("--balanced", help="Count every label the same, however many texts it has.")
]
SearchOption = Annotated[
    bool,
    typer.Option("--search", help="Choose estimator, analyzer and n-grams by cross-validation instead; takes longer."),
]
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
    estimator: EstimatorOption = "multinomial",
    analyzer: AnalyzerOption = "word",
    ngrams: NgramsOption = None,
    balanced: BalancedOption = False,
    search: SearchOption = False,
    examples: ExamplesOption = True,
    report: ReportOption = None,
) -> None:
    """Train a text classifier, measure it on texts held out, and write it as data.

    A CSV file has a header; its columns are separated by commas, semicolons or tabs. A JSONL file has one object per
    line. A fifth of the rows of each label is held out. The same rows give the same bytes.

    Example: tenantry train --data mails.csv --text body --label category --output build/models/mails
    """
    from inference.model.artifact import write
    from inference.training.corpus import DataError, Dataset, load_spam_assassin
    from inference.training.methods import Method
    from inference.training.reading import Reading
    from inference.training.report import summary
    from inference.training.train import train as fit
    from tenantry.local.corpus import corpus_folder

    folder = _report_folder(report)
    check_destination(name, output)
    method = Method(estimator=estimator, analyzer=analyzer, ngrams=_range(ngrams), balanced=balanced)
    reading = Reading(text=text, label=label, encoding=encoding)
    try:
        with steps() as begin:
            begin(f"reading {data or 'the SpamAssassin mails'}")
            dataset = Dataset.from_rows(*read_labelled(data, reading)) if data else load_spam_assassin(corpus_folder())
            test = Dataset.from_test_rows(*read_labelled(holdout, reading)) if holdout else None
            training = fit(
                dataset, name=name, holdout=test, method=method, choose=search, examples=examples, progress=begin
            )
    except DataError as error:
        raise InputError(str(error)) from error
    write(output, training.artifact)
    result(summary(training.metrics))
    for warning in training.warnings:
        say(f"warning: {warning}")
    result(f"{output}: version {training.artifact.version}")
    if folder:
        result(_write_report(folder, training.artifact))


def _range(ngrams: str | None) -> tuple[int, int] | None:
    """The sizes that the option names, as in 2-4 or 3."""
    from inference.training.methods import MAX_NGRAM

    if ngrams is None:
        return None
    found = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", ngrams)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most <= MAX_NGRAM:
        raise InputError(f"--ngrams {ngrams}: give two sizes from 1 to {MAX_NGRAM}, as in 2-4")
    return least, most


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
