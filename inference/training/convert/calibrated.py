"""`CalibratedClassifierCV` over a linear model: its members with their calibrators."""

from typing import Any, Final

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.svm import LinearSVC

from inference.errors import ConversionError
from inference.model.manifest import CalibratedMembers
from inference.training.convert.classifiers import BINARY, NAIVE_BAYES, Array, Linear, against_first, intercepts
from inference.training.convert.messages import ONNX, kind

_WITH_SCORES: Final = {
    LinearSVC,
    LogisticRegression,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
}
STEEPEST: Final = 1e5
"""A steeper line between two points makes a difference of one rounding visible in the ninth digit."""


def unfrozen(model: Any) -> Any:
    """The estimator in a `FrozenEstimator`."""
    return model.estimator if isinstance(model, FrozenEstimator) else model


def members_of(model: CalibratedClassifierCV) -> list[Any]:
    """The fitted estimators that are calibrated."""
    return [unfrozen(member.estimator) for member in model.calibrated_classifiers_]


def read_calibrated(name: str, model: CalibratedClassifierCV, estimators: list[Any]) -> Linear:
    """The scores of all members, one after the other, and their calibrators.

    Args:
        name: of the step.
        model: what holds the calibrators.
        estimators: the classifier of each member.

    Raises:
        ConversionError: a member is not linear, a calibrator is of another kind, or cannot be converted exactly.
    """
    if model.method == "temperature":
        raise ConversionError(f"step '{name}' has method='temperature'; use 'sigmoid' or 'isotonic'")
    members = [_member(name, estimator, model) for estimator in estimators]
    linear = members[0]
    if len({member.binarize_above for member in members}) > 1:
        raise ConversionError(f"step '{name}' has members that make features binary differently")
    points = tuple(
        _points(name, calibrator) for member in model.calibrated_classifiers_ for calibrator in member.calibrators
    )
    base: Any = "softmax" if linear.link == "softmax" else "scores"
    return Linear(
        "calibrated",
        np.vstack([member.coefficients for member in members]),
        np.concatenate([member.bias for member in members]),
        linear.binarize_above,
        CalibratedMembers(members=len(members), base=base, method=model.method),
        points,
    )


def _member(name: str, estimator: Any, model: CalibratedClassifierCV) -> Linear:
    if len(estimator.classes_) != len(model.classes_):
        raise ConversionError(
            f"step '{name}' has a member that saw {len(estimator.classes_)} of {len(model.classes_)} labels; fit it"
            " with fewer folds or more texts"
        )
    if type(estimator) in NAIVE_BAYES:
        return against_first(NAIVE_BAYES[type(estimator)](name, estimator))
    if type(estimator) not in _WITH_SCORES:
        raise ConversionError(
            f"step '{name}' calibrates a {kind(estimator)}; linear models and naive Bayes are supported; {ONNX}"
        )
    coefficients = np.atleast_2d(estimator.coef_)
    expected = 1 if len(model.classes_) == BINARY else len(model.classes_)
    if len(coefficients) != expected:
        raise ConversionError(f"step '{name}' calibrates a {kind(estimator)} of {len(coefficients)} scores")
    return Linear("scores", coefficients, np.array(intercepts(estimator)))


def _points(name: str, calibrator: Any) -> tuple[Array, Array]:
    if hasattr(calibrator, "a_"):
        return np.array([calibrator.a_]), np.array([calibrator.b_])
    x, y = np.asarray(calibrator.X_thresholds_, np.float64), np.asarray(calibrator.y_thresholds_, np.float64)
    if len(x) > 1 and np.max(np.diff(y) / np.diff(x)) > STEEPEST:
        raise ConversionError(
            f"step '{name}' has an isotonic calibrator that jumps between scores that are almost equal, so it cannot be"
            " converted exactly; fit it with method='sigmoid'"
        )
    return x, y
