"""Training: the same bytes every time, an honest report, and a model that answers as scikit-learn does."""

import numpy as np
import pytest

from inference.model.classifier import TextClassifier
from inference.model.scorer import Scorer
from inference.training.corpus import DataError, Dataset, Row
from inference.training.train import Training, split, train


def test_answers_equal_predict_proba_on_the_holdout(training: Training) -> None:
    texts = [row.text for row in training.holdout]
    expected = training.pipeline.predict_proba(texts)
    model = TextClassifier.from_artifact(training.artifact)
    reference = TextClassifier(training.artifact, make_scorer=Scorer)
    for each in (model, reference):
        answers = [each.predict(text) for text in texts]
        np.testing.assert_allclose([answer.probabilities for answer in answers], expected, rtol=0, atol=1e-9)
        assert [answer.label for answer in answers] == list(training.pipeline.predict(texts))


def test_the_model_is_as_good_as_it_was(training: Training) -> None:
    metrics = training.metrics
    assert metrics.holdout_rows == len(training.holdout) > 1_000
    assert metrics.accuracy > 0.975
    assert metrics.labels["spam"].f1 > 0.96
    assert metrics.calibration.expected_error < 0.02


def test_report_agrees_with_the_answers_that_it_reports(training: Training) -> None:
    manifest = training.artifact.manifest
    model = TextClassifier.from_artifact(training.artifact)
    answers = [model.predict(row.text) for row in training.holdout]
    pairs = [(row.label, answer.label) for row, answer in zip(training.holdout, answers, strict=True)]
    confusion = [[pairs.count((truth, guess)) for guess in manifest.labels] for truth in manifest.labels]
    assert [list(line) for line in training.metrics.confusion] == confusion
    assert training.metrics.accuracy == pytest.approx(sum(a == b for a, b in pairs) / len(pairs), abs=1e-6)
    assert sum(each.texts for each in training.metrics.calibration.bins) == len(pairs)
    assert training.baseline.confidence == pytest.approx(np.mean([answer.confidence for answer in answers]), abs=1e-6)
    unknown = np.mean([answer.unknown_words / max(answer.words, 1) for answer in answers])
    assert training.baseline.unknown_words_ratio == pytest.approx(unknown, abs=1e-6)
    lengths = [len(row.text) for row in training.holdout]
    assert training.baseline.length_characters == pytest.approx(np.mean(lengths), abs=1e-6)


def test_the_same_rows_give_the_same_bytes(tiny_training: Training, tiny_dataset: Dataset) -> None:
    assert train(tiny_dataset).artifact.files() == tiny_training.artifact.files()


def test_holds_out_a_fifth_of_every_label_and_nothing_twice(spam_assassin: Dataset) -> None:
    rows, holdout = split(spam_assassin)
    assert set(rows) | set(holdout) == set(spam_assassin.rows)
    assert not set(rows) & set(holdout)
    for label in ("ham", "spam"):
        share = sum(row.label == label for row in holdout) / sum(row.label == label for row in spam_assassin.rows)
        assert share == pytest.approx(0.2, abs=0.01)


def test_more_than_two_labels_answer_as_scikit_learn_does() -> None:
    words = {"red": "apple cherry rose", "green": "grass leaf lime", "blue": "sky sea ice", "grey": "fog ash rat"}
    rows = [Row(f"{text} number {count}{count}", label) for label, text in words.items() for count in range(12)]
    training = train(Dataset.from_rows(rows, "colours"))
    texts = ["apple leaf", "sky sky sea", "", "nothing known", "fog on grass near the sea", *(row.text for row in rows)]
    for make_scorer in (None, Scorer):
        model = TextClassifier(training.artifact, make_scorer=make_scorer)
        answers = [model.predict(text).probabilities for text in texts]
        np.testing.assert_allclose(answers, training.pipeline.predict_proba(texts), rtol=0, atol=1e-12)


def test_refuses_texts_of_which_no_two_share_a_word() -> None:
    rows = [Row(f"{label}{count}", label) for label in ("one", "two") for count in range(10)]
    with pytest.raises(
        DataError,
        match="no word of two letters or more occurs in 2 of the texts; give more texts, or try --analyzer char",
    ):
        train(Dataset.from_rows(rows, "x"))


def test_a_separate_file_is_the_hold_out(tiny_dataset: Dataset) -> None:
    holdout = Dataset.from_test_rows(
        [Row("free pills", "spam"), Row("lunch", "ham"), Row("free pills", "spam")], "test"
    )
    training = train(tiny_dataset, holdout=holdout)
    manifest = training.artifact.manifest
    assert training.holdout == list(holdout.rows)
    assert (manifest.data.train_rows, manifest.data.rows, training.metrics.holdout_rows) == (24, 26, 2)
    assert manifest.data.fingerprint not in {tiny_dataset.fingerprint, holdout.fingerprint}


def test_refuses_a_hold_out_that_cannot_measure(tiny_dataset: Dataset) -> None:
    rows = [Row("new", "eggs"), Row(tiny_dataset.rows[0].text, "ham")]
    with pytest.raises(
        DataError, match=r"test: 2 problems\n  label 'eggs' is not in tiny\n  1 of 2 texts are in tiny too"
    ):
        train(tiny_dataset, holdout=Dataset.from_test_rows(rows, "test"))
    with pytest.raises(DataError, match="test: no rows"):
        Dataset.from_test_rows([], "test")


@pytest.mark.parametrize("name", ["a model", "a/b", "", "Spam", ".", "spam_"])
def test_refuses_a_name_that_the_protocol_cannot_reach(tiny_dataset: Dataset, name: str) -> None:
    with pytest.raises(DataError, match=f"a model's name is a-z, .* but not '{name}'"):
        train(tiny_dataset, name=name)
