"""The examples that a model holds come from its hold-out."""

from inference.model.artifact import read
from inference.training.corpus import Dataset, Row
from inference.training.examples import LONGEST, choose_examples
from inference.training.train import train


def test_takes_the_text_of_median_length_of_the_most_frequent_labels() -> None:
    rows = [Row("a" * length, "first") for length in (5, 1, 3)]
    rows += [Row(f"{label} text", label) for label in ("b", "c", "d", "e")]
    assert [(each.text, each.label) for each in choose_examples(rows)] == [
        ("aaa", "first"), ("b text", "b"), ("c text", "c"), ("d text", "d"),
    ]  # fmt: skip


def test_leaves_out_texts_that_are_too_long() -> None:
    rows = [Row("x" * (LONGEST + 1), "long"), Row("x" * LONGEST, "fits")]
    assert [each.label for each in choose_examples(rows)] == ["fits"]


def test_a_model_holds_texts_of_its_hold_out_unless_told_otherwise(tiny_dataset: Dataset) -> None:
    training = train(tiny_dataset)
    held_out = {(row.text, row.label) for row in training.holdout}
    assert training.artifact.manifest.examples
    assert {(each.text, each.label) for each in training.artifact.manifest.examples} <= held_out
    without = train(tiny_dataset, examples=False).artifact
    assert without.manifest.examples == ()
    assert b"examples" not in without.manifest_bytes
    assert read(without.files()).manifest == without.manifest
