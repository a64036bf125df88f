"""The compiled code for models of format 2 gives the same scores, occurrences and probabilities as the reference."""

import re
from array import array
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.model.classifier import compiled_ngrams, compiled_score
from inference.model.linear import TextNgrams, python_score
from inference.model.linear_weights import LinearWeights
from inference.model.links import Calibrators
from inference.model.manifest import CalibratedMembers, Hashing, NgramFeatures
from inference.model.ngrams import Ngrams, NgramWeights
from inference.model.words import WordNgrams

WORDS = ["free", "money", "now", "ünï", "你好", "a_word_of_more_than_sixteen_letters"]
SCORES = 2
score_values = st.one_of(st.floats(-5, 5), st.sampled_from([0.0, -0.0, 1e-300, -800.0, 800.0, -1e9, 1e9]))
texts = st.lists(st.sampled_from([*WORDS, "FREE", "x", "unseen", "the", "!"]), max_size=300).map(" ".join)


def features(analyzer: str = "word", **changes: object) -> NgramFeatures:
    """A vectorizer of words, with these changes."""
    default: dict[str, object] = {
        "lowercase": True,
        "strip_accents": None,
        "pattern": None,
        "stop_words": ("the",),
        "ngram_range": (1, 1),
        "binary": False,
        "sublinear_tf": False,
        "norm": "l2",
        "terms": 1,
    }
    return NgramFeatures(analyzer=analyzer, **default | changes)  # type: ignore[arg-type] # each has its type


def named(terms: list[str], settings_: NgramFeatures) -> NgramWeights:
    """A vectorizer with these terms, and numbers that differ for each of them."""
    ends, end = array("I"), 0
    for term in terms:
        end += len(term)
        ends.append(end)
    numbers = [1 + 0.1 * index for index in range(len(terms) * SCORES)]
    idf = array("d", numbers[: len(terms)])
    return NgramWeights(settings_, "".join(terms), ends, idf, array("d", numbers), SCORES, None)


def assert_same(part: NgramWeights, text: str) -> None:
    """The compiled n-grams, or the reference once more, read the text as the reference does."""
    fast, reference = (compiled_ngrams() or Ngrams)(part), Ngrams(part)
    ours, theirs = array("d", [0.5] * SCORES), array("d", [0.5] * SCORES)
    assert fast.add(text, ours) == reference.add(text, theirs)
    assert list(ours) == pytest.approx(list(theirs), rel=1e-12, abs=1e-12)
    (found, values), (expected, expected_values) = fast.occurrences(text), reference.occurrences(text)
    assert sorted(found) == sorted(expected)
    assert {key: values[key] for key in expected_values} == pytest.approx(expected_values)


@settings(max_examples=300)
@given(
    terms=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), min_size=1, unique=True),
    least=st.integers(1, 4),
    more=st.integers(0, 4),
    text=texts,
)
def test_n_grams_of_up_to_many_words_are_found(terms: list[str], least: int, more: int, text: str) -> None:
    """Also if their beginnings are not terms, beyond a group of words, and with stop words between them."""
    part = named(terms, features(ngram_range=(least, least + more), terms=len(terms)))
    assert_same(part, text)


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_n_grams_are_found_across_the_ends_of_groups_of_words(most: int) -> None:
    """The compiled code handles 64 words together."""
    terms = [" ".join([*WORDS, *WORDS][first : first + most]) for first in range(len(WORDS))]
    part = named(terms, features(ngram_range=(most, most), terms=len(terms)))
    assert_same(part, " ".join(WORDS * 40))


def test_n_grams_of_four_words_are_read_by_the_fastest_code_and_longer_ones_are_not() -> None:
    make = compiled_ngrams()
    if make is None:
        return
    for most, fastest in ((4, True), (5, False)):
        ngrams: TextNgrams = make(named(["free money"], features(ngram_range=(1, most))))
        assert isinstance(ngrams, WordNgrams) == fastest


@settings(max_examples=200)
@given(
    analyzer=st.sampled_from(["word", "char", "char_wb"]),
    hashing=st.builds(
        Hashing, buckets=st.sampled_from([1, 7, 1_000]), alternate_sign=st.booleans(), unseen=st.booleans()
    ),
    least=st.integers(1, 3),
    more=st.integers(0, 3),
    text=st.one_of(texts, st.text(max_size=40)),
)
def test_hashed_n_grams_fall_into_the_same_buckets(
    analyzer: str, hashing: Hashing, least: int, more: int, text: str
) -> None:
    rows = 3
    part = NgramWeights(
        features(
            analyzer,
            stop_words=("the",) if analyzer == "word" else (),
            ngram_range=(least, least + more),
            terms=rows,
            hashing=hashing,
        ),
        "",
        array("I", [bucket % rows for bucket in range(hashing.buckets)]),
        array("d", [1.0, 2.0, 3.0]),
        array("d", [1.0, -2.0, 3.0, 0.5, 0.25, -7.0]),
        SCORES,
        None,
    )
    assert_same(part, text)


@st.composite
def links(draw: st.DrawFn) -> LinearWeights:
    """A model without terms, and its scores as the bias."""
    labels, link = (
        draw(st.integers(2, 4)),
        draw(st.sampled_from(["softmax", "sigmoid", "modified_huber", "calibrated"])),
    )
    calibrators = draw(calibrations(labels)) if link == "calibrated" else None
    width = {"softmax": labels - 1, "sigmoid": labels}.get(link, 1 if labels == SCORES else labels)
    if calibrators:
        width = calibrators.calibration.members * calibrators.calibration.scores(labels)
    bias = draw(st.lists(score_values, min_size=width, max_size=width))
    return LinearWeights((), array("d", bias), link, labels, calibrators)


@st.composite
def calibrations(draw: st.DrawFn, labels: int) -> Calibrators:
    """Calibrators of one to three members."""
    calibration = CalibratedMembers(
        members=draw(st.integers(1, 3)),
        base=draw(st.sampled_from(["scores", "softmax"])),
        method=draw(st.sampled_from(["sigmoid", "isotonic"])),
    )
    x, y, ends = array("d"), array("d"), array("I")
    for _ in range(calibration.members * calibration.calibrators(labels)):
        if calibration.method == "sigmoid":
            x.append(draw(st.floats(-5, 5)))
            y.append(draw(st.floats(-5, 5)))
        else:
            points = sorted(draw(st.sets(st.integers(-6, 6), min_size=1, max_size=5)))
            x.extend(map(float, points))
            y.extend(sorted(draw(st.floats(0, 1)) for _ in points))
        ends.append(len(x))
    return Calibrators(calibration, labels, x, y, ends)


@settings(max_examples=500)
@given(weights=links(), added=st.floats(-3, 3))
def test_links_give_the_same_probabilities(weights: LinearWeights, added: float) -> None:
    """Words are counted as the first vectorizer sees them, and the scores of all vectorizers are added."""

    def add(count: int) -> Callable[[str, "array[float]"], tuple[int, int]]:
        def change(_: str, scores: "array[float]") -> tuple[int, int]:
            scores[0] += added
            return count, 1

        return change

    adds = [add(7), add(8)]
    fast = (compiled_score() or python_score)(weights, adds)
    for _ in range(2):  # the bias stays what it is
        ours, theirs = fast("text"), python_score(weights, adds)("text")
        assert ours.probabilities == pytest.approx(theirs.probabilities, rel=0, abs=1e-15)
        assert ours[1:] == theirs[1:] == (7, 1)


@pytest.mark.parametrize("most", [4, 5])
@pytest.mark.parametrize("scores", [array("d"), array("d", [0.0] * 3), array("f", [0.0] * SCORES)])
def test_refuses_another_array_of_scores(most: int, scores: "array[float]") -> None:
    """The compiled code writes into it."""
    make = compiled_ngrams()
    if make is None:
        return
    with pytest.raises(ValueError, match="an array of 2 doubles is required"):
        make(named(["free"], features(ngram_range=(1, most)))).add("free", scores)


def test_refuses_scores_that_do_not_fit_the_labels() -> None:
    make = compiled_score()
    if make is None:
        return
    with pytest.raises(ValueError, match=re.escape("1 scores cannot give the probabilities of 3 labels")):
        make(LinearWeights((), array("d", [0.0]), "softmax", 3), [])


def test_the_compiled_answer_is_there_wherever_the_compiled_n_grams_are() -> None:
    assert (compiled_score() is None) == (compiled_ngrams() is None), "run `pip install --no-build-isolation -e .`"
