from typing import Final

from inference.model.ngrams import NgramWeights, Part
from inference.model.scorer import Occurrence

class Ngrams:
    kind: Final = "compiled"

    def __init__(self, weights: NgramWeights) -> None: ...
    def score(self, text: str, /) -> Part: ...
    def occurrences(self, text: str, /) -> tuple[list[Occurrence], dict[int, float]]: ...
