"""On clusters that Hypothesis draws, the audit gives the verdict of the reference engine on every pair."""

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.drawing import Draw, draw_cluster
from tests.audit.engines import ENGINES
from tests.audit.reference import Reference

EXAMPLES = int(os.environ.get("AUDIT_EXAMPLES", "150"))
OTHERS = sorted(ENGINES.keys() - {"reference"})


@pytest.mark.parametrize("name", OTHERS)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES)
def test_equals_the_reference_on_every_pair(name: str, random: Random) -> None:
    drawn = draw_cluster(Draw(random))
    engine, reference = ENGINES[name](drawn.objects, drawn.assumptions), Reference(drawn.objects, drawn.assumptions)
    differing = {
        " ".join(map(str, ask)): (said, expected)
        for ask in drawn.asks()
        if (said := engine.verdict(*ask)) != (expected := reference.verdict(*ask))
    }
    assert not differing
