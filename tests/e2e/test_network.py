"""The walls of the network: the whole matrix, every cell measured, every refusal with its positive control."""

from collections.abc import Sequence

import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Cell, Source, Target, expected
from tests.e2e.probes import ATTEMPTS, Measured, Probes, expectation

pytestmark = [pytest.mark.smoke, pytest.mark.promise("walls")]
_KNOCKS = {"tcp": "TCP connections", "udp": "UDP datagrams", "dns": "DNS queries"}
CELLS = [
    pytest.param(source, target, id=f"{target}-from-{source}".replace(" ", "-"))
    for target in Target
    for source in Source
    if expected(source, target) in {Cell.OPEN, Cell.CLOSED, Cell.EXPOSED}
]


@pytest.fixture(scope="session")
def matrix(probes: Probes, evidence: Evidence, request: pytest.FixtureRequest) -> Sequence[Measured]:
    """Every door that a test of this run is about, tried from every place."""
    chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    measured = probes.measure({each["target"] for each in chosen if "target" in each})
    for protocol, name in _KNOCKS.items():
        number = sum(len(each.outcomes) for each in measured if each.door.protocol == protocol)
        evidence.count("walls", name, number)
    evidence.figure("walls", "pairs of place and door", len(measured))
    return measured


@pytest.mark.parametrize(("source", "target"), CELLS)
def test_cell(source: Source, target: Target, matrix: Sequence[Measured], probes: Probes, evidence: Evidence) -> None:
    """A cell of the table is as the table says, from every place and at every door that it stands for."""
    asked = [each for each in matrix if (each.source, each.door.kind) == (source, target)]
    if not asked:
        pytest.skip(f"{target}: there is none in this cluster")
    wanted = expected(source, target)
    if wanted is Cell.CLOSED:
        assert not [str(each) for each in asked if each.is_open]
        without = {each.door for each in asked if not _answers_somebody(each.door, matrix)}
        if without:
            pytest.skip(f"{target}: nobody at all gets an answer there, so a refusal proves nothing")
        return
    # An open door may be slow on a busy machine: what failed is tried once more, and counted.
    failed = [each for each in asked if not each.is_open]
    again = [probes.knock(each.place, each.door) for each in failed]
    evidence.count("walls", "TCP connections", ATTEMPTS * len(again))
    assert not [str(each) for each in again if not each.is_open]
    if wanted is Cell.EXPOSED:
        evidence.note("walls", "Standing exposure: a node reaches the pods that run on it, as Kubernetes prescribes")


def _answers_somebody(door: object, matrix: Sequence[Measured]) -> bool:
    """The positive control of a refusal: the same door opened to somebody else at the same time."""
    return any(each.is_open for each in matrix if each.door == door and expectation(each) is not Cell.CLOSED)
