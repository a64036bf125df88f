"""The scores of a linear classifier, and how they become probabilities."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB

from inference.errors import ConversionError
from inference.model.manifest import CalibratedMembers
from inference.training.convert.messages import ONNX, kind

Array = np.ndarray[Any, Any]
BINARY: Final = 2


@dataclass(frozen=True)
class Linear:
    """Scores as a matrix of a row per score, with what becomes of them.

    `calibration` and `points` are those of a calibrated model: for each calibrator its x and y.
    """

    link: str
    coefficients: Array
    bias: Array
    binarize_above: float | None = None
    calibration: CalibratedMembers | None = None
    points: tuple[tuple[Array, Array], ...] = ()


def read_classifier(name: str, model: Any) -> Linear:
    """The scores of a classifier that has probabilities.

    Raises:
        ConversionError: the classifier is not supported; the message says what to use.
    """
    converter = _CLASSIFIERS.get(type(model))
    if converter is None:
        raise ConversionError(f"step '{name}' is a {kind(model)}; {_ADVICE.get(kind(model), ONNX)}")
    return against_first(converter(name, model))


def against_first(linear: Linear) -> Linear:
    """For a softmax, the scores of all labels except the first, minus that of the first."""
    if linear.link != "softmax":
        return linear
    coefficients, bias = linear.coefficients, linear.bias
    return replace(linear, coefficients=coefficients[1:] - coefficients[0], bias=bias[1:] - bias[0])


def _multinomial(_: str, model: MultinomialNB) -> Linear:
    return Linear("softmax", model.feature_log_prob_, model.class_log_prior_)


def _complement(_: str, model: ComplementNB) -> Linear:
    return Linear("softmax", model.feature_log_prob_, np.zeros(len(model.classes_)))


def _bernoulli(_: str, model: BernoulliNB) -> Linear:
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    bias = model.class_log_prior_ + absent.sum(axis=1)
    return Linear("softmax", model.feature_log_prob_ - absent, bias, model.binarize)


def _logistic(_: str, model: LogisticRegression) -> Linear:
    if len(model.classes_) == BINARY:
        return _two(model.coef_, model.intercept_)
    separate = getattr(model, "multi_class", "auto") == "ovr" or model.solver == "liblinear"
    return Linear("sigmoid" if separate else "softmax", model.coef_, intercepts(model))


def _sgd(name: str, model: SGDClassifier) -> Linear:
    if model.loss == "modified_huber":
        return Linear("modified_huber", model.coef_, model.intercept_)
    if model.loss != "log_loss":
        raise ConversionError(
            f"step '{name}' has loss='{model.loss}', which has no probabilities; use 'log_loss' or 'modified_huber', or"
            f" {_WRAP.format('SGDClassifier')}"
        )
    return (
        _two(model.coef_, model.intercept_)
        if len(model.classes_) == BINARY
        else Linear("sigmoid", model.coef_, model.intercept_)
    )


def _one_vs_rest(name: str, model: OneVsRestClassifier) -> Linear:
    if model.multilabel_:
        raise ConversionError(f"step '{name}' gives several labels to one text; a model here gives one")
    rows = []
    for estimator in model.estimators_:
        linear = type(estimator) in {LogisticRegression, SGDClassifier} and read_classifier(name, estimator)
        if not linear or linear.link != "softmax":
            raise ConversionError(
                f"step '{name}' contains a {kind(estimator)}; OneVsRestClassifier is supported with"
                " LogisticRegression, and with SGDClassifier(loss='log_loss')"
            )
        rows.append((linear.coefficients[0], linear.bias[0]))
    coefficients, bias = np.array([row for row, _ in rows]), np.array([number for _, number in rows])
    return _two(coefficients, bias) if len(rows) == 1 else Linear("sigmoid", coefficients, bias)


def _two(coefficients: Array, intercept: Array) -> Linear:
    """One score that speaks for the second of two labels, as a score for each."""
    rows = np.vstack([np.zeros_like(coefficients[0]), coefficients[0]])
    return Linear("softmax", rows, np.array([0.0, np.ravel(intercept)[0]]))


def intercepts(model: Any) -> Array:
    """The intercepts, also where the model was fitted without."""
    return np.broadcast_to(model.intercept_, (len(np.atleast_2d(model.coef_)),))


NAIVE_BAYES: Final[dict[type, Callable[[str, Any], Linear]]] = {
    MultinomialNB: _multinomial,
    ComplementNB: _complement,
    BernoulliNB: _bernoulli,
}
_CLASSIFIERS: Final[dict[type, Callable[[str, Any], Linear]]] = {
    **NAIVE_BAYES,
    LogisticRegression: _logistic,
    SGDClassifier: _sgd,
    OneVsRestClassifier: _one_vs_rest,
}
_WRAP: Final = "wrap it in CalibratedClassifierCV({}(...)) and fit the pipeline again"
_ADVICE: Final = {
    name: f"it has no probabilities: {_WRAP.format(name)}, or fit LogisticRegression instead"
    for name in ("LinearSVC", "RidgeClassifier", "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier")
}
