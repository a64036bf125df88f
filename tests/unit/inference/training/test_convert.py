"""Converted pipelines answer as scikit-learn does, whatever settings and text; what cannot be exact is refused."""

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from inference.errors import ArtifactError, ConversionError
from inference.model.artifact import Artifact, read, seal
from inference.model.classifier import TextClassifier, compiled_ngrams, compiled_scorer
from inference.model.linear import LinearScorer
from inference.model.manifest import Data
from inference.model.ngrams import Ngrams
from inference.model.scorer import Scorer
from inference.model.tfidf import TfidfScorer
from inference.model.words import WordNgrams, shortest_word
from inference.training.convert import convert

NOTHING = r"\w*"
TEXTS = [
    "Win FREE money now, click HERE!!", "the café is İstanbul straße ß", "日本語 テキスト です",
    "meeting at noon\n\n a b c",
    "ὀδυσσεύς ΌΣΟΣ x_1 ١٢٣", "👩‍👩‍👧 emoji ⭐⭐", "", "a", "  ", "e\u0301clair naïve ﬁne",
    "free free free money", "Z" * 50, "Acme™ ℻ \u212aelvin ǅ",
    "z\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c algo",
]  # fmt: skip
CLASSIFIERS: list[BaseEstimator] = [
    MultinomialNB(),
    MultinomialNB(alpha=0.01, fit_prior=False),
    ComplementNB(),
    ComplementNB(norm=True),
    BernoulliNB(),
    BernoulliNB(binarize=0.3),
    LogisticRegression(),
    LogisticRegression(C=100, fit_intercept=False),
    SGDClassifier(loss="log_loss", max_iter=5, tol=None, random_state=1),
    SGDClassifier(loss="modified_huber", max_iter=5, tol=None, random_state=1),
    OneVsRestClassifier(LogisticRegression()),
    CalibratedClassifierCV(LinearSVC(), cv=2),
    CalibratedClassifierCV(LinearSVC(), cv=2, method="isotonic"),
    CalibratedClassifierCV(RidgeClassifier(), cv=2, ensemble=False),
    CalibratedClassifierCV(Perceptron(), cv=3),
    CalibratedClassifierCV(LogisticRegression(fit_intercept=False), cv=2, method="isotonic"),
    CalibratedClassifierCV(MultinomialNB(), cv=2),
    CalibratedClassifierCV(BernoulliNB(), cv=2, method="isotonic", ensemble=False),
]

alphabet = st.sampled_from(
    sorted({character for text in TEXTS for character in text} | set("\u0130\u00df\u0301\t\r\x1c_"))
)
pieces = st.one_of(st.sampled_from(TEXTS), st.text(alphabet, max_size=12), st.text(max_size=6))
texts = st.lists(pieces, max_size=8).map(" ".join)


@st.composite
def vectorizers(draw: st.DrawFn) -> CountVectorizer | HashingVectorizer:
    """A vectorizer with random settings."""
    least = draw(st.integers(1, 4))
    common: dict[str, Any] = {
        "analyzer": draw(st.sampled_from(["word", "char", "char_wb"])),
        "ngram_range": (least, least + draw(st.integers(0, 3))),
        "lowercase": draw(st.booleans()),
        "strip_accents": draw(st.sampled_from([None, "ascii", "unicode"])),
        "binary": draw(st.booleans()),
    }
    if common["analyzer"] == "word":
        common["stop_words"] = draw(st.sampled_from([None, "english", ["free", "the", "日本語"]]))
        common["token_pattern"] = draw(
            st.sampled_from([r"(?u)\b\w\w+\b", r"(?u)\b\w+\b", r"\w\w\w+", r"\S+", r"(\w)\w*", r"[^\s,!]+"])
        )
    kind = draw(st.sampled_from(["counts", "weights", "weights", "hashes"]))
    if kind == "counts":
        return CountVectorizer(**common)
    if kind == "hashes":
        return HashingVectorizer(
            **common,
            n_features=draw(st.sampled_from([5, 64, 4_096])),
            alternate_sign=draw(st.booleans()),
            norm=draw(st.sampled_from(["l1", "l2", None])),
        )
    return TfidfVectorizer(
        **common,
        use_idf=draw(st.booleans()),
        smooth_idf=draw(st.booleans()),
        sublinear_tf=draw(st.booleans()),
        norm=draw(st.sampled_from(["l1", "l2", None])),
    )


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """A pipeline that is not fitted: one or two vectorizers, perhaps a selection, and a classifier."""
    steps: list[Any] = [draw(vectorizers())]
    if draw(st.integers(0, 3)) == 0:
        steps = [FeatureUnion([("one", steps[0]), ("two", make_pipeline(draw(vectorizers())))])]
    elif not isinstance(steps[0], TfidfVectorizer) and draw(st.booleans()):
        steps.append(TfidfTransformer(sublinear_tf=draw(st.booleans()), norm=draw(st.sampled_from(["l1", "l2", None]))))
    if draw(st.booleans()):
        steps.append(SelectKBest(chi2, k=draw(st.integers(1, 5 if isinstance(steps[0], HashingVectorizer) else 20))))
    return make_pipeline(*steps, clone(draw(st.sampled_from(CLASSIFIERS))))


def fitted(pipeline: Pipeline, labels: int) -> Pipeline | None:
    """The pipeline, fitted on a handful of texts, or None if scikit-learn itself refuses it."""
    rows = TEXTS * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pipeline.fit(rows, [f"label {place % labels}" for place in range(len(rows))])
        except ValueError:
            return None


def sealed(pipeline: Pipeline) -> Artifact:
    conversion = convert(pipeline)
    artifact = seal(
        conversion.weights,
        name="test",
        labels=conversion.labels,
        vectorizer=conversion.vectorizer,
        classifier=conversion.classifier,
        data=Data(source="a test", fingerprint="", rows=0, train_rows=0),
        metrics=None,
        baseline=None,
        versions={},
    )
    return read(artifact.files(), expected_digest=artifact.digest)


def models(pipeline: Pipeline) -> tuple[TextClassifier, TextClassifier]:
    """The converted pipeline with the compiled scorers, if there are any, and with the reference."""
    artifact = sealed(pipeline)
    return TextClassifier(artifact), TextClassifier(artifact, make_scorer=Scorer, make_ngrams=Ngrams)


REFUSALS = (
    "the pipeline holds a number that is infinite, NaN or too large",
    "weights vectors that the step before it has scaled",
    "takes logarithms of counts that can be negative",
    "has an isotonic calibrator that jumps",
    "has members that make features binary differently",
)
"""What is refused of the pipelines that `pipelines` draws."""


@settings(max_examples=250)
@given(pipeline=pipelines(), labels=st.integers(2, 4), probes=st.lists(texts, min_size=1, max_size=4))
def test_answers_equal_predict_proba(pipeline: Pipeline, labels: int, probes: list[str]) -> None:
    if (trained := fitted(pipeline, labels)) is None:
        return
    try:
        fast, reference = models(trained)
    except ConversionError as error:
        assert any(refusal in str(error) for refusal in REFUSALS)  # noqa: PT017 - these settings lead to no other
        return
    expected = trained.predict_proba(probes)
    for text, probabilities in zip(probes, expected, strict=True):
        answer = fast.predict(text)
        np.testing.assert_allclose(answer.probabilities, probabilities, rtol=0, atol=1e-9)
        again = reference.predict(text)
        np.testing.assert_allclose(again.probabilities, answer.probabilities, rtol=0, atol=1e-12)
        assert (again.words, again.unknown_words) == (answer.words, answer.unknown_words)
        ours, theirs = fast.explain(text, 1_000), reference.explain(text, 1_000)
        assert sorted(each[:3] for each in ours) == sorted(each[:3] for each in theirs)
        assert math.fsum(each.weight for each in ours) == pytest.approx(
            math.fsum(each.weight for each in theirs), abs=1e-9
        )


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("size", [1, 16_383, 16_384, 1_000_000])
def test_long_texts_and_long_words_are_answered_too(analyzer: str, size: int) -> None:
    trained = fitted(make_pipeline(TfidfVectorizer(analyzer=analyzer, ngram_range=(1, 3)), MultinomialNB()), 2)
    assert trained
    fast, _ = models(trained)
    for text in ("Z" * size, ("free money " * size)[:size], ("日本 " * size)[:size]):
        np.testing.assert_allclose(
            fast.predict(text).probabilities, trained.predict_proba([text])[0], rtol=0, atol=1e-9
        )


def test_the_compiled_n_grams_are_there_wherever_the_compiled_scorer_is() -> None:
    assert (compiled_ngrams() is None) == (compiled_scorer() is None), "run `pip install --no-build-isolation -e .`"


def test_settings_of_format_1_are_converted_to_it_and_others_are_not() -> None:
    """Format 1 has the fastest scorer."""
    for vectorizer, classifier, scorer in (
        (TfidfVectorizer(), MultinomialNB(), TfidfScorer),
        (TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(), TfidfScorer),
        (TfidfVectorizer(use_idf=False), ComplementNB(), TfidfScorer),
        (TfidfVectorizer(sublinear_tf=True), MultinomialNB(), LinearScorer),
        (TfidfVectorizer(analyzer="char"), MultinomialNB(), LinearScorer),
        (HashingVectorizer(n_features=64), LogisticRegression(), LinearScorer),
        (TfidfVectorizer(), CalibratedClassifierCV(LinearSVC()), LinearScorer),
        (CountVectorizer(), MultinomialNB(), LinearScorer),
    ):
        trained = fitted(make_pipeline(vectorizer, classifier), 2)
        assert trained
        assert type(models(trained)[0]._scorer) is scorer


def test_explanation_points_into_the_text_and_adds_up_to_the_log_odds() -> None:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), strip_accents="unicode")
    trained = fitted(make_pipeline(vectorizer, LogisticRegression()), 2)
    assert trained
    model, _ = models(trained)
    text = "CAFÉ  money"
    found = model.explain(text, 1_000)
    assert {text[each.start : each.end] for each in found if each.term == "caf"} == {"CAF"}
    assert {text[each.start : each.end] for each in found if each.term == "fe "} == {"FÉ"}
    prior, answer = math.log(1 / trained[-1].intercept_.size), model.predict(text)
    odds = math.log(answer.confidence / (1 - answer.confidence))
    intercept = trained[-1].intercept_[0] * (1 if answer.label == model.labels[1] else -1)
    assert prior == 0
    assert intercept + sum(each.weight for each in found) == pytest.approx(odds, abs=1e-9)


class Nothing(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A step of one's own."""

    def fit(self, _: Any, __: Any = None) -> "Nothing":
        return self

    def transform(self, texts: Any) -> Any:
        return texts


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (MultinomialNB, "a MultinomialNB is not a pipeline"),
        (
            lambda: make_pipeline(TfidfVectorizer(), LinearSVC()),
            r"step 'linearsvc' is a LinearSVC; it has no probabilities: wrap it in CalibratedClassifierCV\(LinearSVC",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), RidgeClassifier()),
            r"wrap it in CalibratedClassifierCV\(RidgeClassifier\(...\)\) and fit the pipeline again",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(RandomForestClassifier(2), cv=2)),
            "step 'calibratedclassifiercv' calibrates a RandomForestClassifier; linear models",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC(), cv=2, method="temperature")),
            "has method='temperature'; use 'sigmoid' or 'isotonic'",
        ),
        (
            lambda: CalibratedClassifierCV(make_pipeline(TfidfVectorizer(), LinearSVC()), cv=2).fit(
                TEXTS * 2, [place % 2 for place in range(2 * len(TEXTS))]
            ),
            "contains 2 pipelines, each with its own vectorizer; put the vectorizer before it",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), SGDClassifier()),
            "loss='hinge', which has no probabilities; use 'log_loss'",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), RandomForestClassifier(2)),
            "is a RandomForestClassifier; .* as ONNX",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(analyzer=str.split), MultinomialNB()),
            "its own analyzer, which is code",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(tokenizer=str.split, token_pattern=None), MultinomialNB()),
            "its own tokenizer, which is code",
        ),
        (lambda: make_pipeline(TfidfVectorizer(preprocessor=str.upper), MultinomialNB()), "its own preprocessor"),
        (
            lambda: make_pipeline(Nothing(), TfidfVectorizer(), MultinomialNB()),
            "step 'nothing' is a Nothing; a pipeline begins",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), Nothing(), MultinomialNB()),
            "step 'nothing', a Nothing, is not supported",
        ),
        (
            lambda: make_pipeline(TfidfVectorizer(), TruncatedSVD(2), LogisticRegression()),
            "step 'truncatedsvd', a TruncatedSVD, is not supported",
        ),
        (
            lambda: make_pipeline(HashingVectorizer(n_features=2**25), SGDClassifier(loss="log_loss")),
            "has n_features=33554432; at most 16,777,216 are supported",
        ),
        (
            lambda: make_pipeline(HashingVectorizer(n_features=16), TfidfTransformer(norm=None), LogisticRegression()),
            "weights vectors that the step before it has scaled by norm='l2'; fit that step with norm=None",
        ),
        (lambda: make_pipeline(TfidfVectorizer(dtype=np.float32), MultinomialNB()), "rounds to float32"),
        (lambda: make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 101)), MultinomialNB()), "at most 100"),
        (
            lambda: make_pipeline(TfidfVectorizer(analyzer="word", token_pattern=NOTHING), MultinomialNB()),
            "has an empty term",
        ),
        (
            lambda: make_pipeline(
                FeatureUnion([("a", TfidfVectorizer())], transformer_weights={"a": 2}), BernoulliNB()
            ),
            "makes features binary that a FeatureUnion weights",
        ),
    ],
)
def test_names_the_step_that_cannot_be_converted(make: Callable[[], Any], message: str) -> None:
    pipeline = make()
    if isinstance(pipeline, Pipeline):
        pipeline.fit(TEXTS * 2, [place % 2 for place in range(2 * len(TEXTS))])
    with pytest.raises(ConversionError, match=message):
        convert(pipeline)


@pytest.mark.parametrize("ensemble", [False, True])
def test_a_calibrated_pipeline_is_converted_if_it_has_one_vectorizer(ensemble: bool) -> None:  # noqa: FBT001 - a parameter
    labels = [place % 3 for place in range(3 * len(TEXTS))]
    inner = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3)), LinearSVC())
    if ensemble:
        trained = CalibratedClassifierCV(FrozenEstimator(inner.fit(TEXTS * 3, labels)))
    else:
        trained = CalibratedClassifierCV(inner, cv=2, ensemble=False)
    trained.fit(TEXTS * 3, labels)
    for model in models(trained):
        answers = [model.predict(text).probabilities for text in TEXTS]
        np.testing.assert_allclose(answers, trained.predict_proba(TEXTS), rtol=0, atol=1e-12)


def test_a_hashed_vocabulary_keeps_each_row_once_and_counts_unseen_buckets_as_unknown() -> None:
    vectorizer = HashingVectorizer(n_features=2**16)
    trained = make_pipeline(vectorizer, LogisticRegression()).fit(["free money", "noon meeting"] * 2, ["a", "b"] * 2)
    artifact = sealed(trained)
    assert len(artifact.weights) < 2**16 * 4 + 1_000
    for model in models(trained):
        answer = model.predict("free lunch at noon")
        assert (answer.words, answer.unknown_words) == (4, 2)
        found = model.explain("Free lunch, at noon", 2)
        assert sorted((each.term, each.start, each.end) for each in found) == [("free", 0, 4), ("noon", 15, 19)]


def test_what_speaks_for_a_label_of_a_calibrated_model_has_a_positive_weight() -> None:
    rows = ["free money now", "meeting at noon", "free offer", "noon lunch", "money offer now", "lunch meeting"] * 4
    trained = make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC(), cv=3))
    trained.fit(rows, ["spam", "ham"] * (len(rows) // 2))
    for model in models(trained):
        found = {each.term: each.weight for each in model.explain("free money at noon", 9)}
        assert model.predict("free money at noon").label == "spam"
        assert found["free"] > 0 > found["noon"]


@pytest.mark.parametrize(
    ("pattern", "shortest"),
    [
        (None, 2),
        (r"(?u)\b\w\w+\b", 2),
        (r"\w+", 1),
        (r"\b\w+\b", 1),
        (r"(?u)\w\w\w+", 3),
        (r"\b\w+", None),
        (r"\w\w", None),
        (r"\S+", None),
        (r"(?u)\b\w\w+\b|!", None),
    ],
)
def test_token_patterns_that_find_runs_of_word_characters_use_the_fast_scorer(
    pattern: str | None, shortest: int | None
) -> None:
    assert shortest_word(pattern) == shortest
    if compiled_scorer() is None:
        return
    trained = fitted(
        make_pipeline(TfidfVectorizer(token_pattern=pattern or r"\b\w\w+\b"), SGDClassifier("log_loss")), 3
    )
    assert trained
    scorer = models(trained)[0]._scorer
    assert isinstance(scorer, LinearScorer)
    assert isinstance(scorer._ngrams[0], WordNgrams) == (shortest is not None)


def test_weights_of_a_union_and_integer_labels_are_converted() -> None:
    union = FeatureUnion(
        [("words", TfidfVectorizer()), ("characters", TfidfVectorizer(analyzer="char"))],
        transformer_weights={"words": 0.25, "characters": 3},
    )
    trained = make_pipeline(union, LogisticRegression()).fit(TEXTS * 2, [place % 3 for place in range(2 * len(TEXTS))])
    fast, reference = models(trained)
    assert fast.labels == ("0", "1", "2")
    for model in (fast, reference):
        answers = [model.predict(text).probabilities for text in TEXTS]
        np.testing.assert_allclose(answers, trained.predict_proba(TEXTS), rtol=0, atol=1e-12)


@pytest.mark.parametrize("hashed", [False, True])
def test_every_mutation_of_the_numbers_loads_or_is_refused(hashed: bool) -> None:  # noqa: FBT001 - a parameter
    """Hostile weights of format 2 end in an error with a name, or in a model that answers."""
    if hashed:
        steps = [HashingVectorizer(n_features=32), CalibratedClassifierCV(LinearSVC(), cv=2, method="isotonic")]
    else:
        steps = [TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), LogisticRegression()]
    trained = fitted(make_pipeline(*steps), 3)
    assert trained
    artifact = sealed(trained)
    numbers = random.Random(5)  # noqa: S311 - no secret
    for _ in range(300):
        weights = bytearray(artifact.weights)
        for _ in range(numbers.randint(1, 3)):
            begin = numbers.randrange(len(weights))
            weights[begin : begin + 4] = numbers.choice([b"\xff", b"\x00", b"\x7f", b" "]) * 4
        assert _loads_or_is_refused(artifact, bytes(weights))


def _loads_or_is_refused(artifact: Artifact, weights: bytes) -> bool:
    try:
        model = TextClassifier(Artifact(artifact.manifest, artifact.manifest_bytes, weights))
    except ArtifactError as error:
        return str(error).isprintable()
    model.explain("free money", 3)
    return sum(model.predict("free money").probabilities) == pytest.approx(1)
