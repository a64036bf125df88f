"""Training data of a tabular model: its features' names, how often they are missing, and their range."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from inference.errors import ConversionError, excerpt
from inference.model.signature import Cell, Feature, FeatureBaseline, TensorSignature

MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""What a field without a value holds, in lower case."""
MAX_VALUES: Final = 100
"""A column of strings with more distinct values has no range."""
_EXAMPLES: Final = 5
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass
class _Column:
    """What one feature is in the rows read so far."""

    is_text: bool
    missing: int = 0
    low: float = math.inf
    high: float = -math.inf
    values: set[str] = field(default_factory=set)

    def add(self, cell: Cell) -> None:
        if isinstance(cell, str):
            if len(self.values) <= MAX_VALUES:
                self.values.add(cell)
        else:
            self.low, self.high = min(self.low, float(cell)), max(self.high, float(cell))

    def summary(self, rows: int) -> FeatureBaseline:
        known = not self.is_text and self.low <= self.high
        return FeatureBaseline(
            missing=self.missing / rows,
            low=self.low if known else None,
            high=self.high if known else None,
            values=tuple(sorted(self.values)) if self.is_text and len(self.values) <= MAX_VALUES else None,
        )


@dataclass(frozen=True)
class TrainingRows:
    """What a file of training rows says.

    Args:
        features: with their baselines.
        examples: the first rows without a missing value, a cell per feature.
        rows: how many rows the file has.
    """

    features: tuple[Feature, ...]
    examples: list[list[Cell]]
    rows: int


def read_baseline(
    path: Path, features: tuple[Feature, ...], inputs: Sequence[TensorSignature], *, named: bool
) -> TrainingRows:
    """Read a CSV file, plain or gzip, whose header names the features; other columns are ignored.

    Args:
        path: the file.
        features: of the signature, without baselines.
        inputs: of the signature.
        named: whether the features' names are the user's; otherwise the columns of the file name them, in their order.

    Raises:
        ConversionError: a feature is not in the header, or a field is not of its datatype.
    """
    datatypes = {each.name: each.datatype for each in inputs}
    opened: TextIO
    with (
        gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8-sig", newline="") as opened
    ):
        try:
            rows = _rows(path, opened)
            header = next(rows)[1]
            names = _names(path, header, features, named=named)
            places = [header.index(name) for name in names]
            columns = [_Column(is_text=datatypes[each.input] == "BYTES") for each in features]
            examples: list[list[Cell]] = []
            count = 0
            for line, fields in rows:
                count += 1
                cells = [
                    _cell(f"{path}, line {line}, column '{name}'", fields[place], datatypes[feature.input])
                    for name, place, feature in zip(names, places, features, strict=True)
                ]
                for column, cell in zip(columns, cells, strict=True):
                    if cell is None:
                        column.missing += 1
                    else:
                        column.add(cell)
                complete = [cell for cell in cells if cell is not None]
                if len(examples) < _EXAMPLES and len(complete) == len(cells):
                    examples.append(complete)
        except (csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
            raise ConversionError(f"{path} cannot be read as CSV: {excerpt(error)}") from error
    if not count:
        raise ConversionError(f"{path} has no rows")
    described = tuple(
        Feature(name=name, input=each.input, column=each.column, baseline=column.summary(count))
        for name, each, column in zip(names, features, columns, strict=True)
    )
    return TrainingRows(described, examples, count)


def _rows(path: Path, opened: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The header and then each row, with the line on which it ends."""
    first = opened.readline()
    delimiter = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    yield 1, [name.strip() for name in header]
    reader = csv.reader(opened, delimiter=delimiter, strict=True)
    for fields in reader:
        if not fields:
            continue
        if len(fields) != len(header):
            raise ConversionError(
                f"{path}, line {reader.line_num + 1}: {len(fields)} fields, but the header has {len(header)}"
            )
        yield reader.line_num + 1, fields


def _names(path: Path, header: list[str], features: tuple[Feature, ...], *, named: bool) -> list[str]:
    if not named:
        if len(header) != len(features):
            raise ConversionError(
                f"{path} has {len(header)} columns ({excerpt(', '.join(header))}), the model has {len(features)}"
                " features; name the columns to use, in the model's order, with --features"
            )
        return header
    missing = [feature.name for feature in features if feature.name not in header]
    if missing:
        raise ConversionError(
            f"{path}, line 1: no column '{excerpt(missing[0])}'; the columns are {excerpt(', '.join(header))}"
        )
    return [feature.name for feature in features]


def _cell(where: str, text: str, datatype: str) -> Cell | None:
    """A field as a cell of `datatype`; None if it is missing."""
    found = text.strip()
    if found.lower() in MISSING:
        return None
    try:
        if datatype == "BYTES":
            return found
        if datatype == "BOOL":
            return _BOOLEANS[found.lower()]
        number = float(found)
        if not datatype.startswith("FP"):
            return int(found) if number == int(number) else _reject()
        return number if math.isfinite(number) else None
    except (ValueError, KeyError, OverflowError) as error:
        raise ConversionError(f"{where}: '{excerpt(text)}' is not a value of datatype {datatype}") from error


def _reject() -> int:
    raise ValueError
