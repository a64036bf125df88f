"""Breadth-first search: the shortest way to each node."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from audit.paths.graph import Node, Step

Steps = Callable[[Node], Iterable[Step]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a start to an end.

    Attributes:
        start: Where it begins.
        steps: Its steps, in order.
    """

    start: Node
    steps: tuple[Step, ...]

    @property
    def end(self) -> Node:
        """Where it leads."""
        return self.steps[-1].target

    @property
    def certain(self) -> bool:
        """Whether the input decides that every step is possible."""
        return all(each.certain for each in self.steps)


def shortest(starts: Iterable[Node], steps: Steps, is_end: Callable[[Node], bool], *, certain: bool) -> Iterator[Way]:
    """A shortest way to each end that can be reached; no way leads on from an end.

    Args:
        starts: Where ways begin.
        steps: The steps from a node.
        is_end: Whether a way ends at a node.
        certain: Whether to take only steps that are certain.

    Yields:
        The ways, the shortest first.
    """
    came: dict[Node, tuple[Node, Step] | None] = dict.fromkeys(starts)
    waiting = deque(came)
    while waiting:
        node = waiting.popleft()
        for step in steps(node):
            if step.target in came or (certain and not step.certain):
                continue
            came[step.target] = (node, step)
            if is_end(step.target):
                yield _way(step.target, came)
            else:
                waiting.append(step.target)


def _way(end: Node, came: dict[Node, tuple[Node, Step] | None]) -> Way:
    found: list[Step] = []
    node = end
    while (arrived := came[node]) is not None:
        node, step = arrived
        found.append(step)
    return Way(node, tuple(reversed(found)))
