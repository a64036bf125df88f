"""Texts of the hold-out that the page of the service offers to try."""

from collections.abc import Iterator, Sequence
from typing import Final

from inference.model.manifest import Example
from inference.training.corpus import Row

MOST: Final = 4
"""Labels with an example: the most frequent ones."""
LONGEST: Final = 2_000
"""Characters of an example."""


def choose_examples(holdout: Sequence[Row]) -> tuple[Example, ...]:
    """One text for each of the most frequent labels: of those that fit, the one of median length.

    The prediction plays no part in the choice, so an example may show a mistake of the model.
    """
    return tuple(_examples(holdout))


def _examples(holdout: Sequence[Row]) -> Iterator[Example]:
    texts: dict[str, list[str]] = {}
    for row in holdout:
        texts.setdefault(row.label, []).append(row.text)
    for label in sorted(texts, key=lambda label: (-len(texts[label]), label))[:MOST]:
        fitting = sorted((text for text in texts[label] if len(text) <= LONGEST), key=lambda text: (len(text), text))
        if fitting:
            yield Example(text=fitting[len(fitting) // 2], label=label)
