"""How a model may be trained, how a method is chosen, and what is said against a model that misleads."""

import random

import numpy as np
import pytest

from inference.model.classifier import TextClassifier
from inference.training.corpus import DataError, Dataset, Row
from inference.training.methods import CANDIDATES, Analyzer, Estimator, Method, search
from inference.training.train import train

TOPICS = {"体育": "足球比赛球员进球冠军联赛", "财经": "股票市场经济银行投资利率"}


def chinese() -> Dataset:
    numbers = random.Random(1)  # noqa: S311 - no secret
    rows = [
        Row("".join(numbers.choices(characters, k=30)), label)
        for label, characters in TOPICS.items()
        for _ in range(30)
    ]
    return Dataset.from_rows(rows, "chinese")


def rare() -> Dataset:
    """Texts whose labels only their number tells apart."""
    numbers = random.Random(2)  # noqa: S311 - no secret
    counts = {"common": 500, "rare": 10}
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    rows = [Row(" ".join(numbers.choices(words, k=8)), label) for label, count in counts.items() for _ in range(count)]
    return Dataset.from_rows(rows, "rare")


@pytest.mark.parametrize("estimator", ["multinomial", "complement", "logistic"])
@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("balanced", [False, True])
def test_every_method_gives_a_model_that_answers_as_scikit_learn_does(
    tiny_dataset: Dataset, estimator: Estimator, analyzer: Analyzer, *, balanced: bool
) -> None:
    method = Method(estimator=estimator, analyzer=analyzer, ngrams=(1, 3), balanced=balanced)
    training = train(tiny_dataset, method=method)
    model = TextClassifier(training.artifact)
    texts = ["free money", "the meeting at noon", ""]
    answers = [model.predict(text).probabilities for text in texts]
    np.testing.assert_allclose(answers, training.pipeline.predict_proba(texts), rtol=0, atol=1e-9)
    assert train(tiny_dataset, method=method).artifact.digest == training.artifact.digest


def test_balance_counts_every_label_the_same() -> None:
    plain, balanced = (train(rare(), method=Method(balanced=balanced)) for balanced in (False, True))
    prior, equal = (TextClassifier(each.artifact).predict("").probabilities for each in (plain, balanced))
    assert prior[0] > 0.95
    assert equal == pytest.approx((0.5, 0.5))


def test_a_search_takes_the_method_with_the_highest_score_and_reports_each() -> None:
    said: list[str] = []
    rows = list(chinese().rows)
    chosen = search(rows, "chinese", Method(balanced=True), said.append)
    assert (chosen.analyzer, chosen.balanced) == ("char_wb", True)
    assert len(said) == len(CANDIDATES)
    assert any("macro F1 1.000 in 3-fold cross-validation" in line for line in said)
    assert any("no word of two letters" in line for line in said)
    assert train(chinese(), choose=True).method == search(train_rows(), "chinese", Method(), said.append)


def train_rows() -> list[Row]:
    from inference.training.train import split  # noqa: PLC0415

    return split(chinese())[0]


def test_a_search_in_which_no_method_can_be_trained_says_so() -> None:
    rows = [Row(chr(0x4E00 + number), label) for label in ("one", "two") for number in range(100, 110)]
    with pytest.raises(DataError, match="x: no method finds a term that occurs in 2 of the texts"):
        search(rows[:10] + [Row(chr(0x5E00 + number), "two") for number in range(10)], "x", Method(), lambda _: None)


def test_warns_of_a_label_that_is_never_predicted_and_of_no_gain() -> None:
    never, gain = train(rare()).warnings
    assert never.startswith("never predicted on the hold-out: 'rare'; --balanced counts every label the same;")
    assert gain.startswith("accuracy 0.980 is hardly a gain over always giving the most frequent label (0.980);")


def test_warns_of_a_label_that_is_seldom_recognized() -> None:
    rows = [Row(f"meeting number {number} at noon", "ham") for number in range(400)]
    rows += [
        Row(f"free money {number}" if number % 5 == 0 else f"meeting number {number + 500} at noon", "spam")
        for number in range(20)
    ]
    warnings = train(Dataset.from_rows(rows, "rare")).warnings
    assert any(
        warning.startswith("recognized in less than half of its hold-out texts: 'spam' in 1 of 4; --balanced counts")
        for warning in warnings
    ), warnings


def test_names_the_cause_of_a_bad_model_first() -> None:
    rows = [Row(f"{chr(0x4E00 + number)}{chr(0x5E00 + number)}", label) for label in "ab" for number in range(200)]
    rows += [Row(f"sport {number}", "b") for number in range(200)]
    first, *others = train(Dataset.from_rows(rows, "mixed")).warnings
    assert "a script without spaces between words" in first
    assert others


def test_does_not_name_an_option_that_is_already_given() -> None:
    training = train(rare(), method=Method(balanced=True))
    assert not any("--balanced" in warning for warning in training.warnings)


def test_warns_of_texts_without_spaces_between_words() -> None:
    rows = [*chinese().rows, *(Row(f"sport {number} goal goal", "体育") for number in range(20))]
    rows += [Row(f"bank {number} rate rate", "财经") for number in range(20)]
    dataset = Dataset.from_rows(rows, "mixed")
    assert any("a script without spaces between words" in warning for warning in train(dataset).warnings)
    assert train(dataset, method=Method(analyzer="char")).warnings == ()


def test_warns_of_texts_without_a_known_term() -> None:
    rows = [
        Row(f"{text} {number}", label) for label, text in (("good", "😀 yes"), ("bad", "😡 no")) for number in range(20)
    ]
    rows += [Row("😀" * number, "good") for number in range(1, 21)] + [
        Row("😡" * number, "bad") for number in range(1, 21)
    ]
    (warning,) = train(Dataset.from_rows(rows, "emoji")).warnings
    assert (
        "hold-out texts have no known term, so their answer is the prior; --analyzer char reads characters" in warning
    )


def test_does_not_warn_of_a_good_model(tiny_dataset: Dataset) -> None:
    rows = [Row(f"{row.text} {number}", row.label) for row in tiny_dataset.rows for number in range(4)]
    assert train(Dataset.from_rows(rows, "good")).warnings == ()
