"""How the scores of a linear model become probabilities, and what each score says of each label."""

import math
from array import array  # noqa: TC003 - the annotations of a NamedTuple are read at run time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from inference.model.manifest import CalibratedMembers
from inference.model.scorer import softmax, total

Link = Callable[[Sequence[float]], tuple[float, ...]]
"""The probability of each label from the scores of a text."""


class Calibrators(NamedTuple):
    """The numbers of a calibrated model: for each member, its calibrators in the order of the labels.

    A sigmoid is one pair: the slope in `x`, the offset in `y`. An isotonic calibrator is a line through points.
    """

    calibration: CalibratedMembers
    labels: int
    x: "array[float]"
    y: "array[float]"
    ends: "array[int]"
    """Where the numbers of each calibrator end in `x` and `y`."""

    def numbers(self) -> Iterator[tuple["array[float]", "array[float]"]]:
        """The numbers of each calibrator."""
        for start, end in zip([0, *self.ends], self.ends, strict=False):
            yield self.x[start:end], self.y[start:end]


def make_link(name: str, calibrators: Calibrators | None) -> Link:
    """The link with this name, as in `inference.model.manifest.LinearClassifier`."""
    return partial(_calibrated, _Calibrated(calibrators)) if calibrators else _LINKS[name]


def label_weights(calibrators: Calibrators | None, labels: int, row: Sequence[float]) -> list[float]:
    """What a term with this row of weights says for each label: its part of the label's score before the link.

    For a calibrated model it is the mean over the members, times the slope of a sigmoid.
    """
    if calibrators is None:
        return list(row) if len(row) == labels else [0.0, *row]
    calibration = calibrators.calibration
    members, width, many = calibration.members, calibration.scores(labels), calibration.calibrators(labels)
    slopes = [-x[0] if calibration.method == "sigmoid" else 1.0 for x, _ in calibrators.numbers()]
    sums = [0.0] * labels
    for member in range(members):
        part = row[member * width : (member + 1) * width]
        own = list(part) if len(part) == labels else [0.0, *part]
        for label in range(labels):
            slope = slopes[member * many + (label if many == labels else 0)]
            sums[label] += slope * own[label] / members
    return sums


class _Calibrated:
    """The members of a calibrated model."""

    def __init__(self, calibrators: Calibrators) -> None:
        self.calibration = calibrators.calibration
        self.labels = calibrators.labels
        self.width = self.calibration.scores(calibrators.labels)
        make = _sigmoid_calibrator if self.calibration.method == "sigmoid" else _isotonic_calibrator
        functions = [make(x, y) for x, y in calibrators.numbers()]
        many = self.calibration.calibrators(calibrators.labels)
        self.members = [functions[first : first + many] for first in range(0, len(functions), many)]


def _calibrated(model: _Calibrated, scores: Sequence[float]) -> tuple[float, ...]:
    sums = [0.0] * model.labels
    for member, calibrators in enumerate(model.members):
        own = scores[member * model.width : (member + 1) * model.width]
        if model.calibration.base == "softmax":
            own = softmax(list(own))
        # Of two labels only the second has a calibrator.
        shares = [calibrate(score) for calibrate, score in zip(calibrators, own[-len(calibrators) :], strict=True)]
        probabilities = (1 - shares[0], shares[0]) if len(shares) == 1 else _scaled(shares)
        sums = [one + other for one, other in zip(sums, probabilities, strict=True)]
    return tuple(one / len(model.members) for one in sums)


def _sigmoid_calibrator(x: "array[float]", y: "array[float]") -> Callable[[float], float]:
    slope, offset = x[0], y[0]
    return lambda score: sigmoid(-(slope * score + offset))


def _isotonic_calibrator(x: "array[float]", y: "array[float]") -> Callable[[float], float]:
    def calibrate(score: float) -> float:
        place = bisect_left(x, score)
        if place in {0, len(x)}:
            return y[min(place, len(x) - 1)]
        slope = (y[place] - y[place - 1]) / (x[place] - x[place - 1])
        return slope * (score - x[place - 1]) + y[place - 1]

    return calibrate


def _sigmoids(scores: Sequence[float]) -> tuple[float, ...]:
    return _scaled([sigmoid(score) for score in scores])


def _modified_huber(scores: Sequence[float]) -> tuple[float, ...]:
    shares = [(min(max(score, -1.0), 1.0) + 1) / 2 for score in scores]
    return (1 - shares[0], shares[0]) if len(shares) == 1 else _scaled(shares)


def sigmoid(score: float) -> float:
    """The logistic function."""
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    power = math.exp(score)
    return power / (1 + power)


def _scaled(shares: list[float]) -> tuple[float, ...]:
    whole = total(shares)
    return tuple(share / whole for share in shares) if whole else (1 / len(shares),) * len(shares)


def _softmax(scores: Sequence[float]) -> tuple[float, ...]:
    return softmax(list(scores))


_LINKS: Final[dict[str, Link]] = {"softmax": _softmax, "sigmoid": _sigmoids, "modified_huber": _modified_huber}
