"""Convert a fitted scikit-learn text pipeline into the numbers of a model, exactly or not at all.

`vectorizers` and `blocks` read the steps that make features, `classifiers` and `calibrated` what makes probabilities of
them, and `formats` writes both in a format of `inference.model.manifest`.
"""

from inference.training.convert.formats import Conversion
from inference.training.convert.pipeline import convert

__all__ = ["Conversion", "convert"]
