from collections.abc import Sequence

from inference.model.linear import Add
from inference.model.linear_weights import LinearWeights
from inference.model.scorer import Score

class LinearScore:
    def __init__(self, weights: LinearWeights, adds: Sequence[Add]) -> None: ...
    def score(self, text: str, /) -> Score: ...
