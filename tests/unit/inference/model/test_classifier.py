"""What a model answers, and why."""

import math

import pytest

from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.model.scorer import Scorer

MAIL = "Win FREE money!\nThe meeting at noon is free; click here, here, now"


@pytest.fixture(params=["fastest", "python"])
def model(request: pytest.FixtureRequest, tiny_artifact: Artifact) -> TextClassifier:
    """The tiny model, in both scorers."""
    return TextClassifier(tiny_artifact, make_scorer=Scorer if request.param == "python" else None)


def test_knows_what_it_is(model: TextClassifier, tiny_artifact: Artifact) -> None:
    assert (model.name, model.labels) == ("spam", ("ham", "spam"))
    assert (model.digest, model.version) == (tiny_artifact.digest, tiny_artifact.version)
    assert model.manifest is tiny_artifact.manifest


def test_predicts_the_most_probable_label(model: TextClassifier) -> None:
    spam, ham = model.predict("free money, click here"), model.predict("the patch fixes the build")
    assert (spam.label, ham.label) == ("spam", "ham")
    assert spam.confidence == max(spam.probabilities) == spam.probabilities[1] > 0.8
    assert ham.confidence == max(ham.probabilities) == ham.probabilities[0] > 0.8
    assert sum(spam.probabilities) == pytest.approx(1, abs=1e-12)


def test_counts_words_and_unknown_words(model: TextClassifier) -> None:
    prediction = model.predict("free money xyzzy a")
    assert (prediction.words, prediction.unknown_words) == (3, 1)


def test_answers_a_text_without_words_by_the_prior(model: TextClassifier) -> None:
    for text in ("", " ", "a b c", "\x00", "\ud800"):
        assert model.predict(text).probabilities == pytest.approx((0.5, 0.5), abs=0.1)
        assert model.explain(text, 10) == []


def test_explanation_adds_up_to_the_log_odds(model: TextClassifier) -> None:
    prediction = model.predict(MAIL)
    prior = model.predict("").probabilities
    label = model.labels.index(prediction.label)
    odds = math.log(prediction.probabilities[label] / prediction.probabilities[1 - label])
    prior_odds = math.log(prior[label] / prior[1 - label])
    assert prior_odds + sum(each.weight for each in model.explain(MAIL, 1_000)) == pytest.approx(odds, abs=1e-9)


def test_explanation_begins_with_the_strongest_and_keeps_to_its_limit(model: TextClassifier) -> None:
    everything = model.explain(MAIL, 1_000)
    assert [abs(each.weight) for each in everything] == sorted((abs(each.weight) for each in everything), reverse=True)
    assert model.explain(MAIL, 3) == everything[:3]
    assert model.explain(MAIL, 0) == []


def test_explanation_names_each_occurrence_where_it_stands(model: TextClassifier) -> None:
    spans = {(each.term, MAIL[each.start : each.end]) for each in model.explain(MAIL, 1_000)}
    assert {("free", "FREE"), ("free money", "FREE money"), ("free", "free"), ("here", "here")} <= spans
    assert len({each.start for each in model.explain(MAIL, 1_000) if each.term == "here"}) == 2


@pytest.mark.parametrize("before", ["İİİ ", "ΌΣΟΣ ", "𐐀 ", "\ud800 ", "İ"])
def test_explanation_points_into_the_text_as_it_was_given(model: TextClassifier, before: str) -> None:
    text = f"{before} Free MONEY {before}"
    for each in model.explain(text, 1_000):
        assert text[each.start : each.end].lower() == each.term


def test_weights_point_towards_the_label_that_was_predicted(model: TextClassifier) -> None:
    weights = {each.term: each.weight for each in model.explain(MAIL, 1_000)}
    assert model.predict(MAIL).label == "spam"
    assert weights["money"] > 0 > weights["meeting"]
