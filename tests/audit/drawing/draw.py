"""Choices, and the selectors and port numbers that all policies are made of."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeVar

from tests.audit.reference import Object

T = TypeVar("T")

POD_LABELS: Final = {"app": ["a", "b", "c"], "tier": ["front", "back"]}
NAMESPACE_LABELS: Final = {"team": ["red", "blue"], "stage": ["test", "live"]}
PORT_NUMBERS: Final = [79, 80, 81, 82, 443, 8080]
PORT_NAMES: Final = ["web", "dns", "admin"]
PROTOCOLS: Final = ["TCP", "UDP", "SCTP"]


class Draw:
    """Choices from a source of randomness: one that Hypothesis controls, or a seeded one."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def one(self, values: Sequence[T]) -> T:
        """One of the values."""
        return self._random.choice(values)

    def chance(self, percent: int) -> bool:
        """True in so many cases of a hundred."""
        return self._random.randrange(100) >= 100 - percent

    def number(self, low: int, high: int) -> int:
        """A whole number, both bounds included."""
        return self._random.randint(low, high)

    def some(self, values: Sequence[T], low: int = 0, high: int = 2) -> list[T]:
        """A few different values."""
        return self._random.sample(values, min(self.number(low, high), len(values)))

    def several(self, make: Callable[[], T], low: int = 0, high: int = 2) -> list[T]:
        """A few values that are made one by one."""
        return [make() for _ in range(self.number(low, high))]

    def labels(self, vocabulary: dict[str, list[str]]) -> dict[str, str]:
        """Some keys of a vocabulary with one value each."""
        return {key: self.one(values) for key, values in vocabulary.items() if self.chance(70)}

    def selector(self, vocabulary: dict[str, list[str]]) -> Object:
        """A label selector: often empty, by labels, by expressions with any operator, or by both."""
        form = self.one(["empty", "empty", "labels", "labels", "expressions", "both"])
        drawn: Object = {}
        if form in {"labels", "both"}:
            drawn["matchLabels"] = {key: self.one(vocabulary[key]) for key in self.some(list(vocabulary), 1, 2)}
        if form in {"expressions", "both"}:
            drawn["matchExpressions"] = self.several(lambda: self._expression(vocabulary), 1, 2)
        return drawn

    def _expression(self, vocabulary: dict[str, list[str]]) -> Object:
        key = self.one([*vocabulary, "absent"])
        operator = self.one(["In", "NotIn", "Exists", "DoesNotExist"])
        values = {"values": self.some(vocabulary.get(key, ["any"]), 1, 2)} if operator in {"In", "NotIn"} else {}
        return {"key": key, "operator": operator} | values
