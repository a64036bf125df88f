"""From the steps of a pipeline to its conversion."""

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from inference.errors import ConversionError, excerpt
from inference.model.scorer import LARGEST
from inference.training.convert.blocks import Block, flat, read_transformers
from inference.training.convert.calibrated import members_of, read_calibrated, unfrozen
from inference.training.convert.classifiers import BINARY, Linear, read_classifier
from inference.training.convert.formats import Conversion, write_formats
from inference.training.convert.messages import kind
from inference.training.corpus import MAX_LABELS, label_problem


def convert(pipeline: Any) -> Conversion:
    """Convert a fitted pipeline of vectorizers and a linear classifier.

    Raises:
        ConversionError: a step, a setting or the labels cannot be converted exactly.
    """
    steps, model = _steps(pipeline)
    *transformers, (name, classifier) = steps
    if not transformers:
        raise ConversionError("the pipeline has no text vectorizer before its classifier")
    blocks = read_transformers(transformers)
    if model is not None:
        linear = read_calibrated(name, model, members_of(model) if classifier is model else [classifier])
    else:
        linear = read_classifier(name, classifier)
    labels = _labels((classifier if model is None else model).classes_)
    width = sum(block.width for block in blocks)
    if linear.coefficients.shape[1] != width:
        raise ConversionError(
            f"step '{name}' takes {linear.coefficients.shape[1]} features, the steps before it make {width}"
        )
    if linear.binarize_above is not None and any(block.scale != 1 for block in blocks):
        raise ConversionError(f"step '{name}' makes features binary that a FeatureUnion weights; leave the weights out")
    _check_numbers(blocks, linear)
    return write_formats(labels, blocks, linear)


def _steps(pipeline: Any) -> tuple[list[tuple[str, Any]], CalibratedClassifierCV | None]:
    """The steps, and the calibrated model that ends or surrounds them."""
    pipeline = unfrozen(pipeline)
    if isinstance(pipeline, Pipeline):
        steps = flat(pipeline)
        last = steps[-1][1]
        return steps, last if isinstance(last, CalibratedClassifierCV) else None
    if isinstance(pipeline, CalibratedClassifierCV):
        members = members_of(pipeline)
        if isinstance(members[0], Pipeline):
            if len(members) > 1:
                raise ConversionError(
                    f"CalibratedClassifierCV contains {len(members)} pipelines, each with its own vectorizer; put the"
                    " vectorizer before it, make_pipeline(vectorizer, CalibratedClassifierCV(classifier)), or fit it"
                    " with ensemble=False"
                )
            return flat(members[0]), pipeline
    raise ConversionError(
        f"a {kind(pipeline)} is not a pipeline; import one Pipeline of a text vectorizer and a classifier"
    )


def _labels(classes: Any) -> tuple[str, ...]:
    labels = tuple(str(label) for label in classes)
    if not BINARY <= len(labels) <= MAX_LABELS or len(set(labels)) != len(labels):
        raise ConversionError(f"the labels are {excerpt(list(labels))}; 2 to {MAX_LABELS:,} distinct ones are required")
    for label in labels:
        if problem := label_problem(label):
            raise ConversionError(problem)
    return labels


def _check_numbers(blocks: list[Block], linear: Linear) -> None:
    points = (numbers for pair in linear.points for numbers in pair)
    for numbers in (linear.coefficients, linear.bias, *points, *(block.idf for block in blocks)):
        if not np.all(np.abs(numbers) <= LARGEST):
            raise ConversionError("the pipeline holds a number that is infinite, NaN or too large; fit it again")
