"""The hold-out report: accuracy, precision and recall per label, and calibration."""

import re
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Final

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from inference.model.manifest import Baseline, Calibration, CalibrationBin, HoldoutMetrics, LabelMetrics
from inference.model.scorer import Score
from inference.training.corpus import Row
from inference.training.methods import Method

CONFIDENCE_EDGES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Bounds of the intervals of the calibration; the upper bound belongs to the interval."""
_DIGITS: Final = 6
_MANY: Final = 0.05
"""Share of the hold-out from which on a warning is given."""
_GAIN: Final = 0.1
"""Share of the way from chance to certainty that the mean recall of the labels must come, or a warning is given."""
_SELDOM: Final = 0.5
"""Recall of a label below which a warning is given."""
_SHOWN: Final = 5
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003134f]{2}"
)
"""Thai, Lao, Burmese, Khmer, kana, and Chinese characters."""


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


def warnings(metrics: HoldoutMetrics, holdout: Sequence[Row], scores: Sequence[Score], method: Method) -> Iterator[str]:
    """What is wrong with a model that was trained without an error, each with the option that may help."""
    unknown = sum(score.words == score.unknown_words for score in scores)
    unspaced = sum(_UNSPACED.search(row.text) is not None for row in holdout)
    if method.analyzer == "word" and unspaced > _MANY * len(holdout):
        yield (
            f"{unspaced} of {len(holdout)} hold-out texts are in a script without spaces between words, which word"
            " n-grams read as one long word; --analyzer char reads characters"
        )
    elif unknown > _MANY * len(holdout):
        hint = (
            "--analyzer char reads characters, emoji and single letters too"
            if method.analyzer == "word"
            else "give more texts"
        )
        yield f"{unknown} of {len(holdout)} hold-out texts have no known term, so their answer is the prior; {hint}"
    predicted = [sum(column) for column in zip(*metrics.confusion, strict=True)]
    never = [
        label
        for label, count in zip(metrics.labels, predicted, strict=True)
        if not count and metrics.labels[label].support
    ]
    balance = "" if method.balanced else " --balanced counts every label the same;"
    if never:
        names = _listed(list(map(repr, never)))
        yield f"never predicted on the hold-out: {names};{balance} --search compares other methods"
    seldom = [
        f"{label!r} in {round(of.recall * of.support)} of {of.support}"
        for label, of in metrics.labels.items()
        if of.support and of.recall < _SELDOM and label not in never
    ]
    if seldom:
        yield f"recognized in less than half of its hold-out texts: {_listed(seldom)};{balance} more texts of it help"
    majority = max(of.support for of in metrics.labels.values()) / metrics.holdout_rows
    chance = 1 / sum(of.support > 0 for of in metrics.labels.values())
    if metrics.accuracy <= majority or metrics.macro_recall < chance + _GAIN * (1 - chance):
        yield (
            f"accuracy {metrics.accuracy:.3f} is hardly a gain over always giving the most frequent label"
            f" ({majority:.3f});{balance} --search compares other methods"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


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
