"""The hold-out report: accuracy, precision and recall per label, and calibration."""

from collections.abc import Sequence
from statistics import fmean
from typing import Final

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from inference.model.manifest import Baseline, Calibration, CalibrationBin, HoldoutMetrics, LabelMetrics
from inference.model.scorer import Score
from inference.training.corpus import Row

CONFIDENCE_EDGES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Bounds of the intervals of the calibration; the upper bound belongs to the interval."""
_DIGITS: Final = 6


def measure(labels: Sequence[str], holdout: Sequence[Row], scores: Sequence[Score]) -> HoldoutMetrics:
    """Compare `scores`, one per row, with the labels of the rows. Shares are rounded to six digits."""
    truth = [row.label for row in holdout]
    guesses = [labels[score.probabilities.index(max(score.probabilities))] for score in scores]
    hits = [guess == label for guess, label in zip(guesses, truth, strict=True)]
    per_label = precision_recall_fscore_support(truth, guesses, labels=list(labels), zero_division=0.0)
    macro = [_round(values.mean()) for values in per_label[:3]]
    return HoldoutMetrics(
        holdout_rows=len(holdout),
        accuracy=_round(fmean(hits)),
        macro_precision=macro[0],
        macro_recall=macro[1],
        macro_f1=macro[2],
        labels={
            label: LabelMetrics(precision=_round(p), recall=_round(r), f1=_round(f), support=int(s))
            for label, p, r, f, s in zip(labels, *per_label, strict=True)
        },
        calibration=_calibration([max(score.probabilities) for score in scores], hits),
        confusion=tuple(tuple(map(int, line)) for line in confusion_matrix(truth, guesses, labels=list(labels))),
    )


def baseline(holdout: Sequence[Row], scores: Sequence[Score]) -> Baseline:
    """The means that live traffic is compared with."""
    return Baseline(
        confidence=_round(fmean(max(score.probabilities) for score in scores)),
        unknown_words_ratio=_round(fmean(score.unknown_words / max(score.words, 1) for score in scores)),
        length_characters=_round(fmean(len(row.text) for row in holdout)),
    )


def summary(metrics: HoldoutMetrics) -> str:
    """The report as a short table for a terminal."""
    width = max(len("label"), *map(len, metrics.labels))
    lines = [f"{'label':{width}}  precision  recall     f1  texts"]
    lines += [
        f"{label:{width}}  {of.precision:9.3f}  {of.recall:6.3f}  {of.f1:5.3f}  {of.support:5}"
        for label, of in metrics.labels.items()
    ]
    lines.append(
        f"accuracy {metrics.accuracy:.3f} on {metrics.holdout_rows:,} texts held out,"
        f" calibration error {metrics.calibration.expected_error:.3f}"
    )
    return "\n".join(lines)


def _calibration(confidences: Sequence[float], hits: Sequence[bool]) -> Calibration:
    intervals = np.searchsorted(CONFIDENCE_EDGES, confidences, side="left")
    bins = []
    for upper in range(1, len(CONFIDENCE_EDGES)):
        members = [index for index, interval in enumerate(intervals) if interval == upper]
        if members:
            bins.append(
                CalibrationBin(
                    confidence=_round(fmean(confidences[index] for index in members)),
                    accuracy=_round(fmean(hits[index] for index in members)),
                    texts=len(members),
                )
            )
    error = sum(abs(each.confidence - each.accuracy) * each.texts for each in bins) / len(confidences)
    return Calibration(expected_error=_round(error), bins=tuple(bins))


def _round(value: float) -> float:
    return round(float(value), _DIGITS)
