"""Convert a fitted scikit-learn text pipeline into the numbers of a model, exactly or not at all."""

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline

from inference.errors import ConversionError, excerpt
from inference.model.linear import LinearWeights, pack_linear
from inference.model.manifest import MAX_NGRAM, LinearClassifier, NgramFeatures, NgramVectorizer, Vectorizer
from inference.model.ngrams import NgramWeights
from inference.model.scorer import LARGEST, Weights, pack_weights
from inference.training.corpus import MAX_LABELS, label_problem

_DEFAULT_PATTERN: Final = r"(?u)\b\w\w+\b"
_BINARY: Final = 2
_ONNX: Final = "it can be served as ONNX: convert it with skl2onnx, and import the .onnx file"


class Conversion(NamedTuple):
    """A pipeline as data: what `inference.model.artifact.seal` takes."""

    labels: tuple[str, ...]
    vectorizer: Vectorizer | NgramVectorizer
    classifier: LinearClassifier | None
    weights: bytes


@dataclass(frozen=True)
class _Block:
    """The columns that one vectorizer makes: its settings, and for each term its idf and its column after selection."""

    features: NgramFeatures
    terms: list[str]
    idf: "np.ndarray[Any, Any]"
    columns: "np.ndarray[Any, Any]"
    """For each term the column that it has in the input of the next step; -1: it was not selected."""
    scale: float = 1.0

    @property
    def width(self) -> int:
        return int((self.columns >= 0).sum())


@dataclass(frozen=True)
class _Linear:
    """Scores as a matrix of a row per score, with what becomes of them."""

    link: str
    coefficients: "np.ndarray[Any, Any]"
    bias: "np.ndarray[Any, Any]"
    binarize_above: float | None = None


def convert(pipeline: Any) -> Conversion:
    """Convert a fitted pipeline of vectorizers and a linear classifier.

    Raises:
        ConversionError: a step, a setting or the labels cannot be converted exactly.
    """
    if not isinstance(pipeline, Pipeline):
        raise ConversionError(
            f"a {_kind(pipeline)} is not a pipeline; import one Pipeline of a text vectorizer and a classifier"
        )
    *transformers, (name, model) = _flat(pipeline)
    if not transformers:
        raise ConversionError("the pipeline has no text vectorizer before its classifier")
    blocks = _transform(transformers)
    linear = _linear(name, model)
    labels = _labels(model.classes_)
    width = sum(block.width for block in blocks)
    if linear.coefficients.shape[1] != width:
        raise ConversionError(
            f"step '{name}' takes {linear.coefficients.shape[1]} features, the steps before it make {width}"
        )
    if linear.binarize_above is not None and any(block.scale != 1 for block in blocks):
        raise ConversionError(f"step '{name}' makes features binary that a FeatureUnion weights; leave the weights out")
    _check_numbers(blocks, linear)
    return _simple(labels, blocks, linear) or _general(labels, blocks, linear)


def _kind(step: Any) -> str:
    return type(step).__name__


def _flat(pipeline: Pipeline) -> list[tuple[str, Any]]:
    """The steps of a pipeline and of the pipelines in it, without those that pass everything through."""
    steps = []
    for name, step in pipeline.steps:
        if isinstance(step, Pipeline):
            steps += [(f"{name}.{inner}", each) for inner, each in _flat(step)]
        elif step is not None and step != "passthrough":
            steps.append((name, step))
    return steps


def _transform(steps: Sequence[tuple[str, Any]]) -> list[_Block]:
    (name, first), *others = steps
    if isinstance(first, FeatureUnion):
        blocks = _union(name, first)
    elif type(first) in {CountVectorizer, TfidfVectorizer}:
        blocks = [_vectorizer(name, first)]
    else:
        raise ConversionError(
            f"step '{name}' is a {_kind(first)}; a pipeline begins with CountVectorizer, TfidfVectorizer or a"
            " FeatureUnion of them"
        )
    weighted = isinstance(first, TfidfVectorizer)
    for name, step in others:
        if (
            type(step) is TfidfTransformer
            and len(blocks) == 1
            and not weighted
            and blocks[0].width == len(blocks[0].terms)
        ):
            blocks = [_tfidf(blocks[0], step)]
            weighted = True
        elif isinstance(step, SelectorMixin):
            blocks = _select(blocks, step.get_support())
        else:
            raise ConversionError(f"step '{name}', a {_kind(step)}, is not supported at this place; {_ONNX}")
    return blocks


def _union(name: str, union: FeatureUnion) -> list[_Block]:
    blocks: list[_Block] = []
    scales = union.transformer_weights or {}
    for inner, transformer in union.transformer_list:
        if transformer == "drop":
            continue
        steps = _flat(transformer) if isinstance(transformer, Pipeline) else [(inner, transformer)]
        if transformer == "passthrough":
            raise ConversionError(f"step '{name}.{inner}' passes texts through; a classifier needs numbers")
        for block in _transform([(f"{name}.{step_name}", step) for step_name, step in steps]):
            offset = sum(each.width for each in blocks)
            columns = np.where(block.columns >= 0, block.columns + offset, -1)
            blocks.append(replace(block, columns=columns, scale=block.scale * scales.get(inner, 1.0)))
    return blocks


def _vectorizer(name: str, vectorizer: CountVectorizer) -> _Block:
    settings = vectorizer.get_params()
    for setting in ("preprocessor", "tokenizer"):
        if settings[setting] is not None:
            raise ConversionError(
                f"step '{name}' has its own {setting}, which is code; use settings of the vectorizer instead"
            )
    if callable(settings["analyzer"]):
        raise ConversionError(f"step '{name}' has its own analyzer, which is code; use 'word', 'char' or 'char_wb'")
    if settings["strip_accents"] not in {None, "ascii", "unicode"}:
        raise ConversionError(f"step '{name}' has its own strip_accents, which is code; use 'ascii' or 'unicode'")
    if settings["input"] != "content":
        raise ConversionError(f"step '{name}' reads {settings['input']}s, a service answers texts; set input='content'")
    if np.dtype(settings["dtype"]) == np.float32:
        raise ConversionError(
            f"step '{name}' rounds to float32, so it cannot be converted exactly; fit it with float64"
        )
    least, most = settings["ngram_range"]
    if most > MAX_NGRAM:
        raise ConversionError(f"step '{name}' has n-grams of up to {most}; at most {MAX_NGRAM} are supported")
    terms = [str(term) for term in vectorizer.get_feature_names_out()]
    if "" in terms:
        raise ConversionError(f"step '{name}' has an empty term; use a token_pattern that does not match nothing")
    words = settings["analyzer"] == "word"
    pattern: str | None = settings["token_pattern"] if words else None
    if pattern is not None and re.compile(pattern).groups > 1:
        raise ConversionError(f"step '{name}' has a token_pattern of several groups; at most one is supported")
    features = NgramFeatures(
        analyzer=settings["analyzer"],
        lowercase=bool(settings["lowercase"]),
        strip_accents=settings["strip_accents"],
        pattern=None if pattern in {None, _DEFAULT_PATTERN, r"\b\w\w+\b"} else pattern,
        stop_words=tuple(sorted(vectorizer.get_stop_words() or ())) if words else (),
        ngram_range=(int(least), int(most)),
        binary=bool(settings["binary"]),
        sublinear_tf=False,
        norm=None,
        terms=len(terms),
    )
    block = _Block(features, terms, np.ones(len(terms)), np.arange(len(terms)))
    return _tfidf(block, vectorizer._tfidf) if isinstance(vectorizer, TfidfVectorizer) else block  # noqa: SLF001


def _tfidf(block: _Block, transformer: TfidfTransformer) -> _Block:
    features = replace_features(block.features, sublinear_tf=bool(transformer.sublinear_tf), norm=transformer.norm)
    return replace(block, features=features, idf=np.asarray(transformer.idf_) if transformer.use_idf else block.idf)


def replace_features(features: NgramFeatures, **changes: Any) -> NgramFeatures:
    """The same settings with some of them changed."""
    return NgramFeatures(**{name: changes.get(name, getattr(features, name)) for name in features.__struct_fields__})


def _select(blocks: list[_Block], support: "np.ndarray[Any, Any]") -> list[_Block]:
    """The same terms, whose columns are those that are selected: norms are still those of all terms."""
    after = np.append(np.where(support, np.cumsum(support) - 1, -1), -1)
    return [replace(block, columns=after[block.columns]) for block in blocks]


def _linear(name: str, model: Any) -> _Linear:
    converter = _CLASSIFIERS.get(type(model))
    if converter is None:
        raise ConversionError(f"step '{name}' is a {_kind(model)}; {_ADVICE.get(_kind(model), _ONNX)}")
    linear = converter(name, model)
    if linear.link == "softmax":
        return replace(
            linear, coefficients=linear.coefficients[1:] - linear.coefficients[0], bias=linear.bias[1:] - linear.bias[0]
        )
    return linear


def _multinomial(_: str, model: MultinomialNB) -> _Linear:
    return _Linear("softmax", model.feature_log_prob_, model.class_log_prior_)


def _complement(_: str, model: ComplementNB) -> _Linear:
    return _Linear("softmax", model.feature_log_prob_, np.zeros(len(model.classes_)))


def _bernoulli(_: str, model: BernoulliNB) -> _Linear:
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    bias = model.class_log_prior_ + absent.sum(axis=1)
    return _Linear("softmax", model.feature_log_prob_ - absent, bias, model.binarize)


def _logistic(_: str, model: LogisticRegression) -> _Linear:
    if len(model.classes_) == _BINARY:
        return _two(model.coef_, model.intercept_)
    separate = getattr(model, "multi_class", "auto") == "ovr" or model.solver == "liblinear"
    return _Linear("sigmoid" if separate else "softmax", model.coef_, _intercepts(model))


def _sgd(name: str, model: SGDClassifier) -> _Linear:
    if model.loss == "modified_huber":
        return _Linear("modified_huber", model.coef_, model.intercept_)
    if model.loss != "log_loss":
        raise ConversionError(
            f"step '{name}' has loss='{model.loss}', which has no probabilities; use 'log_loss' or 'modified_huber', or"
            " calibrate it with CalibratedClassifierCV"
        )
    return (
        _two(model.coef_, model.intercept_)
        if len(model.classes_) == _BINARY
        else _Linear("sigmoid", model.coef_, model.intercept_)
    )


def _one_vs_rest(name: str, model: OneVsRestClassifier) -> _Linear:
    if model.multilabel_:
        raise ConversionError(f"step '{name}' gives several labels to one text; a model here gives one")
    rows = []
    for estimator in model.estimators_:
        linear = type(estimator) in {LogisticRegression, SGDClassifier} and _linear(name, estimator)
        if not linear or linear.link != "softmax":
            raise ConversionError(
                f"step '{name}' contains a {_kind(estimator)}; OneVsRestClassifier is supported with"
                " LogisticRegression, and with SGDClassifier(loss='log_loss')"
            )
        rows.append((linear.coefficients[0], linear.bias[0]))
    coefficients, bias = np.array([row for row, _ in rows]), np.array([number for _, number in rows])
    return _two(coefficients, bias) if len(rows) == 1 else _Linear("sigmoid", coefficients, bias)


def _two(coefficients: "np.ndarray[Any, Any]", intercepts: "np.ndarray[Any, Any]") -> _Linear:
    """One score that speaks for the second of two labels, as a score for each."""
    rows = np.vstack([np.zeros_like(coefficients[0]), coefficients[0]])
    return _Linear("softmax", rows, np.array([0.0, np.ravel(intercepts)[0]]))


def _intercepts(model: LogisticRegression) -> "np.ndarray[Any, Any]":
    return np.broadcast_to(model.intercept_, (len(model.classes_),))


_CLASSIFIERS: Final[dict[type, Callable[[str, Any], _Linear]]] = {
    MultinomialNB: _multinomial,
    ComplementNB: _complement,
    BernoulliNB: _bernoulli,
    LogisticRegression: _logistic,
    SGDClassifier: _sgd,
    OneVsRestClassifier: _one_vs_rest,
}
_CALIBRATE: Final = "it has no probabilities; fit LogisticRegression or SGDClassifier(loss='modified_huber') instead"
_ADVICE: Final = {"LinearSVC": _CALIBRATE, "RidgeClassifier": _CALIBRATE, "Perceptron": _CALIBRATE}


def _labels(classes: Any) -> tuple[str, ...]:
    labels = tuple(str(label) for label in classes)
    if not _BINARY <= len(labels) <= MAX_LABELS or len(set(labels)) != len(labels):
        raise ConversionError(f"the labels are {excerpt(list(labels))}; 2 to {MAX_LABELS:,} distinct ones are required")
    for label in labels:
        if problem := label_problem(label):
            raise ConversionError(problem)
    return labels


def _check_numbers(blocks: list[_Block], linear: _Linear) -> None:
    for numbers in (linear.coefficients, linear.bias, *(block.idf for block in blocks)):
        if not np.all(np.abs(numbers) <= LARGEST):
            raise ConversionError("the pipeline holds a number that is infinite, NaN or too large; fit it again")


def _simple(labels: tuple[str, ...], blocks: list[_Block], linear: _Linear) -> Conversion | None:
    """The pipeline in format 1, which is the fastest, if that format has its settings."""
    block, features = blocks[0], blocks[0].features
    fixed = replace_features(
        features, analyzer="word", lowercase=True, strip_accents=None, pattern=None, stop_words=(), binary=False,
        sublinear_tf=False, norm="l2",
    )  # fmt: skip
    if (
        len(blocks) > 1
        or features != fixed
        or features.ngram_range not in {(1, 1), (1, 2)}
        or linear.link != "softmax"
        or linear.binarize_above is not None
        or np.any(block.idf < 1 / LARGEST)
        or any(re.fullmatch(r"\w+( \w+)?", term) is None for term in block.terms)
    ):
        return None
    weights = Weights(
        terms="\n".join(block.terms).encode(),
        idf=array("d", block.idf.tolist()),
        pushes=array("d", _matrix(block, linear).ravel().tolist()),
        priors=array("d", linear.bias.tolist()),
        bigrams=features.ngram_range == (1, 2),
    )
    settings: dict[str, Any] = {
        "lowercase": True,
        "token_pattern": _DEFAULT_PATTERN,
        "ngram_range": features.ngram_range,
        "norm": "l2",
    }
    vectorizer = Vectorizer(**settings, sublinear_tf=False, use_idf=True, terms=len(block.terms))
    return Conversion(labels, vectorizer, None, pack_weights(weights))


def _general(labels: tuple[str, ...], blocks: list[_Block], linear: _Linear) -> Conversion:
    scores = len(linear.bias)
    parts = [
        NgramWeights(
            features=block.features,
            terms="".join(block.terms),
            ends=array("I", np.cumsum([len(term) for term in block.terms]).tolist()),
            idf=array("d", block.idf.tolist()),
            weights=array("d", _matrix(block, linear).ravel().tolist()),
            scores=scores,
            binarize_above=linear.binarize_above,
        )
        for block in blocks
    ]
    weights = LinearWeights(tuple(parts), array("d", linear.bias.tolist()), linear.link)
    vectorizer = NgramVectorizer(
        terms=sum(len(block.terms) for block in blocks), features=tuple(block.features for block in blocks)
    )
    link: Any = linear.link
    classifier = LinearClassifier(link=link, scores=scores, binarize_above=linear.binarize_above)
    return Conversion(labels, vectorizer, classifier, pack_linear(weights))


def _matrix(block: _Block, linear: _Linear) -> "np.ndarray[Any, Any]":
    """For each term of the block what it adds to each score; nothing if it was not selected."""
    selected = np.where(block.columns[:, None] >= 0, linear.coefficients.T[block.columns], 0.0)
    return selected * block.scale
