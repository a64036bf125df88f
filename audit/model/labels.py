"""Labels that may be known only in part, and label selectors over them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from audit.model.truth import MAYBE, NO, YES, Truth

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label that the API server gives to every namespace: its name."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of pods or of a namespace.

    Attributes:
        known: Keys and values that are certain.
        present: Keys that are certain, with values that only a controller knows, such as `pod-template-hash`.
        open: Whether other labels may exist as well.
    """

    known: Mapping[str, str]
    present: frozenset[str] = frozenset()
    open: bool = False

    def restricted_to(self, keys: Iterable[str]) -> tuple[object, ...]:
        """A hashable summary: labels with equal summaries match alike under selectors that use only these keys."""
        known = tuple((key, self.known[key]) for key in sorted(keys) if key in self.known)
        return known, frozenset(self.present.intersection(keys)), self.open


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition of a selector.

    Attributes:
        key: The label's key.
        operator: In, NotIn, Exists or DoesNotExist.
        values: The values for In and NotIn.
    """

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> Truth:
        """Whether labels meet the condition."""
        value = labels.known.get(self.key)
        if value is not None:
            return _HELD[self.operator](value, self.values)
        if self.key in labels.present:
            return {"Exists": YES, "DoesNotExist": NO}.get(self.operator, MAYBE)
        if labels.open:
            return MAYBE
        return YES if self.operator in {"NotIn", "DoesNotExist"} else NO

    def __str__(self) -> str:
        values = ", ".join(sorted(self.values))
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={values}"
        if self.operator == "Exists":
            return self.key
        if self.operator == "DoesNotExist":
            return f"!{self.key}"
        return f"{self.key} {'in' if self.operator == 'In' else 'not in'} ({values})"


_HELD: Final[Mapping[str, Callable[[str, frozenset[str]], Truth]]] = {
    "In": lambda value, values: YES if value in values else NO,
    "NotIn": lambda value, values: NO if value in values else YES,
    "Exists": lambda _value, _values: YES,
    "DoesNotExist": lambda _value, _values: NO,
}


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector: every requirement must hold; a selector without requirements matches everything."""

    requirements: tuple[Requirement, ...] = ()
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self.requirements))

    def __hash__(self) -> int:
        return self._hash

    def matches(self, labels: Labels) -> Truth:
        """Whether labels meet every requirement."""
        result = YES
        for requirement in self.requirements:
            match = requirement.matches(labels)
            if match is NO:
                return NO
            result = min(result, match)
        return result

    @property
    def keys(self) -> frozenset[str]:
        """The label keys that it looks at."""
        return frozenset(requirement.key for requirement in self.requirements)

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements)) or "everything"


NOT_KNOWN: Final = Labels({}, open=True)
"""Labels of which nothing is known."""
EVERYTHING: Final = Selector()


def name_selector(namespace: str) -> Selector:
    """A selector for the namespace with a name."""
    return Selector((Requirement(NAMESPACE_NAME, "In", frozenset({namespace})),))
