"""What the rows of an ONNX model are like: predictions, and the share of missing and unusual values per feature."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, Final, NamedTuple

import numpy as np

from inference import contract
from inference.model.onnx_model import DTYPES, Array, OnnxModel
from inference.model.signature import Feature, TensorSignature
from inference.serving.distribution import histogram

VALUE: Final = "value"
"""The label of the rows of a model that is not a classifier."""


class Tally(NamedTuple):
    """What the rows of one request add to the metrics."""

    predictions: Counter[str]
    confidences: list[float]
    missing: dict[str, int]
    out_of_range: dict[str, int]


class RowMetrics:
    """Counts the rows that one model answered, and its predictions. The features bound the number of series.

    Attributes:
        predictions: Rows by predicted label.
        confidence: Of the predicted label; None if the model is not a classifier.
        features: The features that have a baseline.
        baseline_missing: Share of the training rows in which a feature is missing, by feature.
        missing: Missing values by feature.
        out_of_range: Values outside the range of the training rows, by feature.
    """

    def __init__(self, model: OnnxModel) -> None:
        self._probabilities: Final = model.probabilities
        self._labels: Final = model.labels or (VALUE,)
        self.predictions: Final = dict.fromkeys(self._labels, 0)
        self.confidence: Final = histogram(contract.RATIO_BUCKETS) if model.probabilities else None
        self.features: Final = tuple(each for each in model.signature.features if each.baseline)
        self.baseline_missing: Final = {each.name: each.baseline.missing for each in self.features if each.baseline}
        self.missing: Final = dict.fromkeys((each.name for each in self.features), 0)
        self.out_of_range: Final = dict(self.missing)
        self._inputs: Final = [
            _InputColumns(spec, [each for each in self.features if each.input == spec.name])
            for spec in model.signature.inputs
        ]

    def tally(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Tally:
        """Count the rows of one request. This changes nothing, so the thread for long bodies does it."""
        tally = Tally(Counter(), [], {}, {})
        if self.confidence is None:
            tally.predictions[VALUE] = len(next(iter(inputs.values())))
        else:
            probabilities = outputs[self._probabilities]
            tally.predictions.update(self._labels[place] for place in probabilities.argmax(axis=1).tolist())
            # NaN if the model has no number for these values.
            tally.confidences.extend(each for each in probabilities.max(axis=1).tolist() if not isnan(each))
        if self.features:
            for columns in self._inputs:
                columns.count(inputs[columns.name], tally.missing, tally.out_of_range)
        return tally

    def add(self, tally: Tally) -> None:
        """Add the counts of one request."""
        for counts, added in (
            (self.predictions, tally.predictions),
            (self.missing, tally.missing),
            (self.out_of_range, tally.out_of_range),
        ):
            for name, count in added.items():
                counts[name] += count
        if self.confidence is not None:
            for confidence in tally.confidences:
                self.confidence.add(confidence)


class _InputColumns:
    """Counts the features of one input."""

    def __init__(self, spec: TensorSignature, features: Sequence[Feature]) -> None:
        self.name: Final = spec.name
        self._names: Final = [each.name for each in features]
        baselines = [each.baseline for each in features if each.baseline]
        # The bounds are rounded as the values are: 0.7 in FP32 is below 0.7.
        kind = DTYPES[spec.datatype] if spec.datatype.startswith("FP") else np.float64
        with np.errstate(over="ignore"):
            self._low: Final = np.array([-np.inf if each.low is None else each.low for each in baselines], kind)
            self._high: Final = np.array([np.inf if each.high is None else each.high for each in baselines], kind)
        self._values: Final = [None if each.values is None else frozenset(each.values) for each in baselines]

    def count(self, array: Array, missing: dict[str, int], out_of_range: dict[str, int]) -> None:
        rows = array.reshape(len(array), -1)
        lacking, unusual = self._texts(rows) if array.dtype == object else self._numbers(rows)
        for name, lacks, strays in zip(self._names, lacking, unusual, strict=True):
            missing[name] = lacks
            out_of_range[name] = strays

    def _numbers(self, rows: Array) -> tuple[list[int], list[int]]:
        unusual = np.count_nonzero((rows < self._low) | (rows > self._high), axis=0).tolist()
        if rows.dtype.kind != "f":
            return [0] * len(unusual), unusual
        return np.count_nonzero(np.isnan(rows), axis=0).tolist(), unusual

    def _texts(self, rows: Array) -> tuple[list[int], list[int]]:
        columns: list[list[Any]] = rows.T.tolist()
        lacking = [column.count("") for column in columns]
        unusual = [
            0 if known is None else sum(1 for value in column if value and value not in known)
            for column, known in zip(columns, self._values, strict=True)
        ]
        return lacking, unusual
