"""Read labelled texts from CSV, JSONL and Parquet files, and report every mistake with its line or row."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.errors import excerpt
from inference.training.corpus import DataError, Row, label_problem
from inference.training.parquet import read_columns

_DELIMITERS: Final = ",;\t"
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file of labelled texts is read.

    Args:
        text: column or key of the text.
        label: column or key of the label.
        encoding: of the file; None: UTF-8, or UTF-16 with a byte order mark.
    """

    text: str = "text"
    label: str = "label"
    encoding: str | None = None


def read_file(path: Path, reading: Reading = Reading()) -> list[Row]:
    """The labelled texts of a `.csv`, `.tsv` or `.jsonl` file, with or without `.gz`, or of a `.parquet` file.

    Raises:
        DataError: the file cannot be read or decoded, or rows are wrong: all of them are listed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return parse(content, str(path), reading)


def parse(content: bytes, source: str, reading: Reading = Reading()) -> list[Row]:
    """The labelled texts in the `content` of a file; the name `source` says which kind, as `read_file` expects it.

    Without a suffix, as for standard input, content that begins with a brace is JSON Lines and any other is CSV.

    Raises:
        DataError: as `read_file`.
    """
    kind = next((suffix for suffix in reversed(Path(source).suffixes) if suffix.lower() != ".gz"), "").lower()
    if kind not in {".csv", ".tsv", ".jsonl", ".parquet", ""}:
        raise DataError(
            f"{source}: unknown kind {kind!r}; give a .csv, .tsv or .jsonl file, with or without .gz, or a"
            " .parquet file"
        )
    problems: list[str] = []
    unit = "row" if kind == ".parquet" else "line"
    rows = []
    for line, text_value, label in _records(content, source, kind, reading, problems):
        found = _value_problem(reading.text, text_value) or _value_problem(reading.label, label)
        found = found or label_problem(str(label).strip())
        if found:
            problems.append(f"{unit} {line}: {found}")
        else:
            rows.append(Row(str(text_value), str(label).strip()))
    if problems:
        raise DataError.from_problems(source, problems)
    return rows


def _records(
    content: bytes, source: str, kind: str, reading: Reading, problems: list[str]
) -> Iterator[tuple[int, object, object]]:
    if kind == ".parquet":
        columns = read_columns(content, source, (reading.text, reading.label))
        return ((row, text, _label(label)) for row, text, label in columns)
    text = _decode(_decompressed(content, source), source, reading.encoding)
    jsonl = text.lstrip().startswith("{") if not kind else kind == ".jsonl"
    return _jsonl_records(text, reading, problems) if jsonl else _csv_records(text, source, reading, problems)


def _label(value: object) -> object:
    """Integers are labels, too."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _decompressed(content: bytes, source: str) -> bytes:
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source}: cannot be decompressed: {error}") from error


def _decode(content: bytes, source: str, encoding: str | None) -> str:
    name = encoding or next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(name).removeprefix("\ufeff")
    except LookupError as error:
        raise DataError(
            f"{source}: unknown encoding {name!r}; use a name that Python knows, such as latin-1"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{source}, line {line}: byte 0x{content[error.start]:02x} is not {name.upper()};"
            " name the encoding of the file, for example --encoding latin-1"
        ) from error


_Record = tuple[int, object, object]
"""The line on which a row begins, its text and its label."""


def _csv_records(text: str, source: str, reading: Reading, problems: list[str]) -> Iterator[_Record]:
    csv.field_size_limit(max(len(text), csv.field_size_limit()))  # of the whole process: never lower it
    delimiter, columns = _header(text, source, reading)
    places = columns.index(reading.text), columns.index(reading.label)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            problems.append(
                f"line {line}: {error}; put texts with quotes or line breaks in quotes, and double each quote"
            )
            continue
        if fields is None:
            return
        if len(fields) == len(columns):
            yield line, fields[places[0]], fields[places[1]]
        elif fields:
            problems.append(
                f"line {line}: {len(fields)} fields, but the header has {len(columns)}; put texts that contain"
                f" {delimiter!r} in quotes"
            )


def _header(text: str, source: str, reading: Reading) -> tuple[str, list[str]]:
    """The delimiter and the columns that the first row names."""
    candidates = []
    for delimiter in _DELIMITERS:
        try:
            first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        columns = [column.strip() for column in first]
        if reading.text in columns and reading.label in columns:
            return delimiter, columns
        candidates.append(columns)
    columns = max(candidates, key=len, default=[])
    missing = reading.label if reading.text in columns else reading.text
    found = excerpt(", ".join(map(repr, columns))) or "none"
    raise DataError(
        f"{source}, line 1: no column {missing!r}; the columns are {found}; name yours with --text and --label"
    )


def _jsonl_records(text: str, reading: Reading, problems: list[str]) -> Iterator[_Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(f"line {number}: not JSON ({excerpt(error)}); write one object per line")
            continue
        if not isinstance(record, dict):
            problems.append(f'line {number}: not an object; write {{"{reading.text}": ..., "{reading.label}": ...}}')
        elif missing := [name for name in (reading.text, reading.label) if name not in record]:
            keys = excerpt(", ".join(map(repr, record))) or "none"
            problems.append(
                f"line {number}: no key {missing[0]!r}; the keys are {keys}; name yours with --text and --label"
            )
        else:
            yield number, record[reading.text], _label(record[reading.label])


def _value_problem(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        return f"{name!r} is {excerpt(repr(value))}; it must be a string"
    return None if value.strip() else f"{name!r} is empty; fill it in or delete the row"
