from typing import Final

from inference.model.scorer import Occurrence, Score, Weights
from inference.model.words import WordSettings

class Scorer:
    kind: Final = "compiled"

    def __init__(self, weights: Weights, settings: WordSettings | None = None) -> None: ...
    def score(self, text: str, /) -> Score: ...
    def occurrences(self, text: str, /) -> tuple[list[Occurrence], float]: ...
