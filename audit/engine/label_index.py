"""Which of many label sets a selector matches, in a few operations on bit sets."""

from collections import defaultdict
from collections.abc import Sequence

from audit.model.labels import Labels, Requirement, Selector


class LabelIndex:
    """Answers selectors over a list of label sets; answers are remembered."""

    def __init__(self, labels: Sequence[Labels]) -> None:
        self._everything = (1 << len(labels)) - 1
        self._values: dict[tuple[str, str], int] = defaultdict(int)
        self._known: dict[str, int] = defaultdict(int)
        self._present: dict[str, int] = defaultdict(int)
        self._open = 0
        for number, each in enumerate(labels):
            bit = 1 << number
            for key, value in each.known.items():
                self._values[key, value] |= bit
                self._known[key] |= bit
            for key in each.present:
                self._present[key] |= bit
            if each.open:
                self._open |= bit
        self._answers: dict[Selector, tuple[int, int]] = {}

    def match(self, selector: Selector) -> tuple[int, int]:
        """The sets that a selector certainly matches, and those that it may match."""
        answer = self._answers.get(selector)
        if answer is None:
            possible = certain = self._everything
            for requirement in selector.requirements:
                yes, maybe = self._requirement(requirement)
                possible &= yes | maybe
                certain &= yes
            answer = self._answers[selector] = (certain, possible & ~certain)
        return answer

    def _requirement(self, given: Requirement) -> tuple[int, int]:
        known = self._known.get(given.key, 0)
        present = self._present.get(given.key, 0) & ~known
        unsure = self._open & ~known & ~present
        absent = self._everything & ~known & ~present & ~unsure
        if given.operator == "Exists":
            return known | present, unsure
        if given.operator == "DoesNotExist":
            return absent, unsure
        listed = 0
        for value in given.values:
            listed |= self._values.get((given.key, value), 0)
        maybe = present | unsure
        return (listed, maybe) if given.operator == "In" else ((known & ~listed) | absent, maybe)
