"""The compiled scorer and the reference give the same answers, whatever the text; so does scikit-learn."""

import random
import re
import shutil
import sys
import sysconfig
from array import array
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.model.classifier import TextClassifier, compiled_scorer
from inference.model.scorer import TOKEN, Score, Scorer, Weights
from inference.model.tfidf import TextScorer
from inference.training.corpus import Dataset
from inference.training.methods import Method, vectorizer
from inference.training.train import Training

WORDS = [
    "the", "free", "money", "a_b", "x2", "straße", "ὀδυσσεύς", "οδος", "i̇stanbul", "kelvin", "naïve", "你好", "𐐨𐐩",
    "ß²", "sixteen_letters_", "seventeen_letters", "a_word_of_more_than_thirty_two_letters",
    "ünïcödé_öf_möré_thän_thïrtý",
]  # fmt: skip
"""Words of one to four bytes a character, on both sides of what a slot of the compiled table holds."""
PAIRS = [
    "free money",
    "the free",
    "money money",
    "你好 𐐨𐐩",
    "sixteen_letters_ seventeen_letters",
    "gone free",
    "the gone",
]
"""`gone` is not a term of its own, as when a training keeps only the most frequent terms."""
ODD = [
    "İ", "\u017f", "\u212a", "Å", "ﬁ", "ς", "Σ", "ǅ", "\ud800", "\x00", "\uff12", "²", "ⅷ", "٣", "_", "-", "\u0307",
    "\u200d", "é", "e\u0301",
]  # fmt: skip
"""Capitals that grow, shrink or end a word in lower case, digits of all kinds, and characters that are not letters."""


def odd_weights(labels: int = 3) -> Weights:
    """A model of the odd words, with numbers that tell every term from every other."""
    terms = sorted(WORDS + PAIRS)
    numbers = random.Random(1)  # noqa: S311 - no secret
    return Weights(
        terms="\n".join(terms).encode(),
        idf=array("d", [numbers.uniform(1, 9) for _ in terms]),
        pushes=array("d", [numbers.uniform(-5, 5) for _ in range(len(terms) * (labels - 1))]),
        priors=array("d", [numbers.uniform(-1, 1) for _ in range(labels - 1)]),
        bigrams=True,
    )


CASES: list[Callable[[str], str]] = [str, str.upper, str.title]
MakeScorer = Callable[[Weights], TextScorer]

ODD_WEIGHTS = odd_weights()
REFERENCE = Scorer(ODD_WEIGHTS)

pieces = st.one_of(st.sampled_from([*WORDS, *PAIRS, *ODD, "gone"]), st.text(max_size=4))
texts = st.lists(st.tuples(pieces, st.sampled_from(CASES)), max_size=30).map(
    lambda parts: "".join(change(piece) + (" " if index % 3 else "") for index, (piece, change) in enumerate(parts))
)


@pytest.fixture(scope="module")
def compiled() -> MakeScorer:
    """The compiled scorer, or, where no compiler is, the reference once more."""
    return compiled_scorer() or Scorer


def test_the_compiled_scorer_is_there_wherever_a_compiler_is(tiny_training: Training) -> None:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_path("include"), "Python.h")
    can_build = shutil.which(compiler) is not None and header.exists()
    expected = "compiled" if can_build else "python"
    assert TextClassifier(tiny_training.artifact).scorer_kind == expected, "run `pip install --no-build-isolation -e .`"


def test_the_reference_takes_over_where_the_extension_is_not(
    tiny_training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "inference.model._scorer", None)
    assert TextClassifier(tiny_training.artifact).scorer_kind == "python"


def same(ours: Score, reference: Score) -> bool:
    return ours[1:] == reference[1:] and ours.probabilities == pytest.approx(reference.probabilities, rel=0, abs=1e-12)


@settings(max_examples=1_000)
@given(text=texts)
def test_both_scorers_agree_on_any_text(compiled: MakeScorer, text: str) -> None:
    scorer = compiled(ODD_WEIGHTS)
    assert same(scorer.score(text), REFERENCE.score(text))
    assert scorer.occurrences(text) == REFERENCE.occurrences(text)


@settings(max_examples=300)
@given(text=texts)
def test_tokens_are_those_of_scikit_learn(text: str) -> None:
    analyze = vectorizer(Method()).build_analyzer()
    tokens = TOKEN.findall(text.lower())
    assert analyze(text) == tokens + [" ".join(pair) for pair in pairwise(tokens)]


def test_both_scorers_agree_on_every_mail(compiled: MakeScorer, training: Training, spam_assassin: Dataset) -> None:
    fast, reference = (TextClassifier(training.artifact, make_scorer=make) for make in (compiled, Scorer))
    for row in spam_assassin.rows:
        assert same(fast._score(row.text), reference._score(row.text))


@pytest.mark.parametrize("filler", ["", "é", "你", "𐐨"])
def test_both_scorers_agree_on_long_texts_of_every_width(
    compiled: MakeScorer, training: Training, spam_assassin: Dataset, filler: str
) -> None:
    text = f" {filler} ".join(row.text for row in spam_assassin.rows[::40])
    assert len(text) > 100_000
    fast, reference = (TextClassifier(training.artifact, make_scorer=make) for make in (compiled, Scorer))
    assert same(fast._score(text), reference._score(text))
    for length in (16_383, 16_384, 16_385):
        assert same(fast._score(text[:length]), reference._score(text[:length]))
    assert fast.explain(text, 1_000) == reference.explain(text, 1_000)


@pytest.mark.parametrize("make", [lambda n: "ab " * n, lambda n: "a" * n, lambda n: "é" * n, lambda n: "a b" * n])
def test_both_scorers_agree_where_a_text_is_one_word_or_all_words(
    compiled: MakeScorer, make: Callable[[int], str]
) -> None:
    for size in (0, 1, 2, 63, 64, 65, 128, 7_000):
        text = make(size)
        assert same(compiled(ODD_WEIGHTS).score(text), REFERENCE.score(text))


def test_scoring_leaves_nothing_behind(compiled: MakeScorer) -> None:
    scorer = compiled(ODD_WEIGHTS)
    first = scorer.score("free money")
    for text in ("the " * 9_000, "money free", "", "gone free"):
        scorer.score(text)
        scorer.occurrences(text)
    assert scorer.score("free money") == first


def test_words_and_pairs_without_a_number_count_as_unknown(compiled: MakeScorer) -> None:
    for scorer in (compiled(ODD_WEIGHTS), REFERENCE):
        score = scorer.score("gone with the wind, x")
        assert (score.words, score.unknown_words) == (4, 3)


def test_many_words_that_are_only_parts_of_pairs_are_told_apart(compiled: MakeScorer) -> None:
    terms = sorted(f"first{number:04} second{number:04}" for number in range(3_000))
    weights = Weights(
        "\n".join(terms).encode(),
        array("d", [1.0] * 3_000),
        array("d", map(float, range(3_000))),
        array("d", [0.0]),
        True,
    )
    fast, reference = compiled(weights), Scorer(weights)
    for text in ("first0007 second0007", "first0007 second0008", "first2999 second2999 first0001 second0001"):
        assert fast.occurrences(text) == reference.occurrences(text)


def test_a_model_without_pairs_finds_none(compiled: MakeScorer) -> None:
    weights = ODD_WEIGHTS._replace(bigrams=False)
    for scorer in (compiled(weights), Scorer(weights)):
        assert [found.end - found.start for found in scorer.occurrences("free money")[0]] == [4, 5]


@pytest.mark.parametrize("text", [None, b"bytes", 1])
def test_refuses_what_is_no_string(compiled: MakeScorer, text: object) -> None:
    with pytest.raises((TypeError, AttributeError)):
        compiled(ODD_WEIGHTS).score(text)  # type: ignore[arg-type]


def test_refuses_weights_that_contradict_each_other(compiled: MakeScorer) -> None:
    if compiled is Scorer:
        return  # the reference trusts `unpack_weights`, which checks; memory is at stake only in the compiled one
    with pytest.raises(ValueError, match=re.escape("are required")):
        compiled(ODD_WEIGHTS._replace(idf=array("d", [1.0])))
