from array import array
from typing import Final

from inference.model.ngrams import NgramWeights
from inference.model.scorer import Occurrence

class Ngrams:
    kind: Final = "compiled"

    def __init__(self, weights: NgramWeights) -> None: ...
    def add(self, text: str, scores: array[float], /) -> tuple[int, int]: ...
    def occurrences(self, text: str, /) -> tuple[list[Occurrence], dict[int, float]]: ...
