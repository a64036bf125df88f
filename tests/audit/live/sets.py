"""Policy sets from a fixed seed, about the pods of `pods.py`."""

from collections.abc import Iterator
from random import Random
from typing import Final

from tests.audit.drawing import Draw, draw_network_policies
from tests.audit.drawing.network_policies import Vocabulary
from tests.audit.live.pods import NAMESPACES, NUMBERS
from tests.audit.reference import Object

SEED: Final = 19


def policy_sets(number: int, seed: int = SEED) -> Iterator[list[Object]]:
    """`number` sets of one to five NetworkPolicies; the first ones of a longer run are those of a shorter run."""
    draw = Draw(Random(seed))  # noqa: S311 - reproducible on purpose
    vocabulary = Vocabulary(list(NAMESPACES), protocols=("TCP", "UDP"), numbers=NUMBERS)
    for _ in range(number):
        policies: list[Object] = []
        while not policies:
            policies = draw_network_policies(draw, vocabulary, most=5)
        yield policies
