"""Which files labelled texts are read from, and how mistakes in them are reported."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from inference.training.corpus import DataError, Row
from inference.training.reading import Reading, parse, read_file

ROWS = [Row("one", "ham"), Row('a "quoted", text; with\ttabs\nof two lines', "spam"), Row("Grüße, 你好", "ham")]


def _csv(rows: list[Row], delimiter: str = ",") -> str:
    quoted = (f'"{text.replace(chr(34), chr(34) * 2)}"{delimiter}{label}\r\n' for text, label in rows)
    return f"text{delimiter}label\r\n" + "".join(quoted)


def _jsonl(rows: list[Row]) -> str:
    return "\n".join(json.dumps(row._asdict()) for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", _csv(ROWS).encode()),
        ("a.csv", _csv(ROWS).encode("utf-8-sig")),
        ("a.csv", _csv(ROWS, ";").encode()),
        ("a.csv", _csv(ROWS, "\t").encode()),
        ("a.tsv", _csv(ROWS, "\t").encode()),
        ("A.CSV", _csv(ROWS).encode("utf-16")),
        ("a.csv", b"\xfe\xff" + _csv(ROWS).encode("utf-16-be")),
        ("a.jsonl", _jsonl(ROWS).encode() + b"\n\n"),
        ("a.jsonl", _jsonl(ROWS).encode("utf-8-sig")),
        ("a.csv.gz", gzip.compress(_csv(ROWS).encode())),
        ("a.jsonl.gz", gzip.compress(_jsonl(ROWS).encode())),
        ("standard input", _csv(ROWS).encode()),
        ("standard input", _jsonl(ROWS).encode()),
        ("standard input", gzip.compress(_jsonl(ROWS).encode())),
    ],
)
def test_reads_the_same_rows_from_every_kind_of_file(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_file(tmp_path / name) == parse(content, name) == ROWS


def test_reads_the_columns_that_are_named_wherever_they_are() -> None:
    content = 'id;Kategorie; Nachricht\n1;ham;hallo\n2;spam;"kauf; jetzt"\n'
    reading = Reading(text="Nachricht", label="Kategorie")
    assert parse(content.encode(), "a.csv", reading) == [Row("hallo", "ham"), Row("kauf; jetzt", "spam")]
    line = json.dumps({"Nachricht": "hallo", "Kategorie": "ham", "id": 1})
    assert parse(line.encode(), "a.jsonl", reading) == [Row("hallo", "ham")]


def test_reads_integer_labels_and_nothing_else_that_is_not_a_string() -> None:
    lines = [{"text": "a", "label": 1}, {"text": "b", "label": -2}]
    assert parse("\n".join(map(json.dumps, lines)).encode(), "a.jsonl") == [Row("a", "1"), Row("b", "-2")]
    for label in ("true", "1.5", "null", "[1]"):
        with pytest.raises(DataError, match=r"line 1: 'label' is .*; it must be a string"):
            parse(f'{{"text": "a", "label": {label}}}'.encode(), "a.jsonl")


def _parquet(texts: list[str | None], labels: list[str] | list[int]) -> bytes:
    kind = DataType.string() if isinstance(labels[0], str) else DataType.int64()
    columns: dict[str, Any] = {
        "text": Array(texts, DataType.string()),
        "label": Array(labels, kind),
        "more": Array(texts, DataType.string()),
    }
    content = io.BytesIO()
    write_parquet(Table.from_pydict(columns), content, compression="zstd(3)", max_row_group_size=2)
    return content.getvalue()


def test_reads_parquet_with_several_row_groups_and_integer_labels() -> None:
    texts: list[str | None] = ["free money", "noon, 你好", "line\nbreak"]
    expected = list(zip(texts, ["1", "2", "1"], strict=True))
    assert parse(_parquet(texts, ["1", "2", "1"]), "a.parquet") == expected
    assert parse(_parquet(texts, [1, 2, 1]), "A.PARQUET") == expected


def test_names_the_row_of_every_mistake_in_parquet() -> None:
    content = _parquet(["fine", None, " "], ["a", "b", "c"])
    with pytest.raises(DataError, match=r"(?s)row 2: 'text' is None; it must be a string.*row 3: 'text' is empty"):
        parse(content, "a.parquet")
    with pytest.raises(DataError, match="no column 'body'; the columns are 'text', 'label', 'more'; name yours"):
        parse(content, "a.parquet", Reading(text="body"))


def test_refuses_damaged_parquet() -> None:
    content = _parquet(["fine", "good"], ["a", "b"])
    with pytest.raises(DataError, match=r"a\.parquet: not a Parquet file, or not all of it"):
        parse(content[:-1], "a.parquet")
    damaged = content[:-12] + b"\xff" * 4 + content[-8:]
    for each in (b"PAR1PAR1", b"PAR1" + b"\xff" * 20 + b"PAR1", damaged):
        with pytest.raises(DataError, match=r"a\.parquet: the Parquet file cannot be read"):
            parse(each, "a.parquet")


def test_names_the_extra_that_reads_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    with pytest.raises(DataError, match=r"pip install 'tenantry\[parquet\]'"):
        parse(b"PAR1PAR1", "a.parquet")


def test_reads_latin_1_only_when_it_is_named() -> None:
    content = _csv([Row("café", "ham")]).encode("latin-1")
    with pytest.raises(DataError, match=r"a\.csv, line 2: byte 0xe9 is not UTF-8; .* for example --encoding latin-1"):
        parse(content, "a.csv")
    assert parse(content, "a.csv", Reading(encoding="latin-1")) == [Row("café", "ham")]
    with pytest.raises(DataError, match="unknown encoding 'klingon'"):
        parse(content, "a.csv", Reading(encoding="klingon"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"a\.txt: unknown kind '\.txt'; give a \.csv, \.tsv or \.jsonl file"),
        ("a.csv", b"", r"line 1: no column 'text'; the columns are none; name yours with --text and --label"),
        (
            "a.csv",
            b"text,class\nhello,ham\n",
            r"line 1: no column 'label'; the columns are 'text', 'class'; name yours",
        ),
        ("a.csv", b"a;b;c\n", r"line 1: no column 'text'; the columns are 'a', 'b', 'c'"),
        ("a.csv", b"text,label\nhello\n", r"line 2: 1 fields, but the header has 2"),
        (
            "a.csv",
            b"text,label\nHello, world,spam\n",
            r"line 2: 3 fields, but the header has 2; put texts that contain ','",
        ),
        ("a.csv", b'text,label\n"hello,ham\n', r"line 2: unexpected end of data; put texts"),
        ("a.csv", b"text,label\n ,ham\n", r"line 2: 'text' is empty; fill it in or delete the row"),
        ("a.csv", b"text,label\nhi,\n", r"line 2: 'label' is empty"),
        ("a.csv", b"text,label\nhi,a\x00\n", r"line 2: label 'a\\x00' contains a control character"),
        ("a.csv.gz", b"\x1f\x8bnot gzip", r"a\.csv\.gz: cannot be decompressed"),
        ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text"', r"line 2: not JSON .*; write one object per line"),
        ("a.jsonl", b"[" * 100_000, r"line 1: not JSON"),
        ("a.jsonl", b"[1]", r"line 1: not an object; write"),
        (
            "a.jsonl",
            b'{"text": "a", "class": "b"}',
            r"line 1: no key 'label'; the keys are 'text', 'class'; name yours",
        ),
        ("a.jsonl", b'{"text": 1, "label": "ham"}', r"line 1: 'text' is 1; it must be a string"),
    ],
)
def test_names_line_rule_and_fix_of_a_mistake(name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse(content, name)


def test_reports_all_mistakes_of_a_file_with_the_line_on_which_each_row_begins() -> None:
    content = b'text,label\n"two\nlines",ham\na,b,c\n"three\n\nlines",\n\nx,y\n,z\n'
    with pytest.raises(DataError) as caught:
        parse(content, "a.csv")
    assert [line.partition(";")[0] for line in str(caught.value).splitlines()] == [
        "a.csv: 3 problems",
        "  line 4: 3 fields, but the header has 2",
        "  line 5: 'label' is empty",
        "  line 10: 'text' is empty",
    ]


def test_shows_the_first_of_many_mistakes_and_their_number() -> None:
    with pytest.raises(DataError) as caught:
        parse(b"text,label\n" + b"a,b,c\n" * 100, "a.csv")
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("a.csv: 100 problems", "  and 80 more", 22)


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: No such file or directory"):
        read_file(tmp_path / "none.csv")
