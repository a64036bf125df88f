"""The requests to every system, and the expected answers."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import joblib

from inference.model.artifact import write
from inference.training.corpus import load_spam_assassin
from inference.training.train import train

SEED: Final = 7
SHORT: Final = "short"
MAILS: Final = "mails"
TEN_KB: Final = "10 kB"
ONE_MB: Final = "1 MB"
_SHORT_CHARACTERS: Final = (80, 120)
_LARGE_BYTES: Final = {TEN_KB: 10_000, ONE_MB: 1_000_000}
_LARGE_TEXTS: Final = {TEN_KB: 64, ONE_MB: 3}


class Expected(NamedTuple):
    """The result of `predict_proba` for a text."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Work:
    """The model in both forms, and the texts of each workload."""

    model: Path
    pipeline_file: Path
    pipeline: Any
    texts: dict[str, list[str]]

    def expected(self, texts: Sequence[str]) -> list[Expected]:
        """The answers of the pipeline."""
        probabilities = self.pipeline.predict_proba(texts)
        best = probabilities.argmax(axis=1)
        return [
            Expected(str(self.pipeline.classes_[index]), float(row[index]))
            for index, row in zip(best, probabilities, strict=True)
        ]


def prepare(folder: Path) -> Work:
    """Train the model and write it to `folder` as data and as a joblib file; texts come from the hold-out."""
    training = train(load_spam_assassin())
    write(folder / "spam", training.artifact)
    pipeline_file = folder / "pipeline.joblib"
    joblib.dump(training.pipeline, pipeline_file)
    mails = [row.text for row in training.holdout]
    return Work(folder / "spam", pipeline_file, training.pipeline, workloads(mails))


def workloads(mails: Sequence[str]) -> dict[str, list[str]]:
    """Parts of mails, whole mails, and mails joined to texts of a given size; always the same ones."""
    chance = random.Random(SEED)  # noqa: S311 - not a secret
    shuffled = chance.sample(mails, len(mails))
    texts = {SHORT: [_piece(mail, chance) for mail in shuffled if len(mail) > _SHORT_CHARACTERS[1]], MAILS: shuffled}
    for name, size in _LARGE_BYTES.items():
        texts[name] = [_joined(mails, size, chance) for _ in range(_LARGE_TEXTS[name])]
    return texts


def _piece(mail: str, chance: random.Random) -> str:
    length = chance.randint(*_SHORT_CHARACTERS)
    start = chance.randrange(len(mail) - length + 1)
    return mail[start : start + length]


def _joined(mails: Sequence[str], size: int, chance: random.Random) -> str:
    parts: list[str] = []
    missing = size
    while missing > 0:
        parts.append(chance.choice(mails)[:missing])
        missing -= len(parts[-1].encode()) + 2
    return "\n\n".join(parts)
