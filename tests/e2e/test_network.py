"""Network isolation: every cell of the matrix is measured, every refusal with a positive control."""

from collections.abc import Sequence

import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.matrix import Cell, Source, Target, expected
from tests.e2e.probes import ATTEMPTS, Measured, Probes, expectation

pytestmark = [pytest.mark.smoke, pytest.mark.promise("network")]
_PROTOCOLS = {"tcp": "TCP connections", "udp": "UDP datagrams", "dns": "DNS queries"}
CELLS = [
    pytest.param(source, target, id=f"{target}-from-{source}".replace(" ", "-"))
    for target in Target
    for source in Source
    if expected(source, target) in {Cell.OPEN, Cell.CLOSED, Cell.EXPOSED}
]


@pytest.fixture(scope="session")
def matrix(probes: Probes, evidence: Evidence, request: pytest.FixtureRequest) -> Sequence[Measured]:
    """Connections from every client to every endpoint that the tests of this run need."""
    chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    measured = probes.measure({each["target"] for each in chosen if "target" in each})
    for protocol, name in _PROTOCOLS.items():
        number = sum(len(each.outcomes) for each in measured if each.endpoint.protocol == protocol)
        evidence.count("network", name, number)
    evidence.figure("network", "pairs of client and endpoint", len(measured))
    return measured


@pytest.mark.parametrize(("source", "target"), CELLS)
def test_cell(source: Source, target: Target, matrix: Sequence[Measured], probes: Probes, evidence: Evidence) -> None:
    """A cell of the table holds for every client and every endpoint that it stands for."""
    measured = [each for each in matrix if (each.source, each.endpoint.kind) == (source, target)]
    if not measured:
        pytest.skip(f"{target} from {source}: this cluster has none")
    wanted = expected(source, target)
    if wanted is Cell.CLOSED:
        assert not [str(each) for each in measured if each.is_open]
        without = {each.endpoint for each in measured if not _answers_another_client(each.endpoint, matrix)}
        if without:
            pytest.skip(f"{target}: no client gets an answer, so a refusal proves nothing")
        return
    # An open endpoint can be slow on a busy machine: failed connections are repeated once, and counted.
    failed = [each for each in measured if not each.is_open]
    again = [probes.connect(each.client, each.endpoint) for each in failed]
    evidence.count("network", "TCP connections", ATTEMPTS * len(again))
    assert not [str(each) for each in again if not each.is_open]
    if wanted is Cell.EXPOSED:
        evidence.note("network", "Standing exposure: a node can connect to its own pods, as Kubernetes requires")


def _answers_another_client(endpoint: object, matrix: Sequence[Measured]) -> bool:
    """The positive control of a refusal: the same endpoint was open to another client at the same time."""
    return any(each.is_open for each in matrix if each.endpoint == endpoint and expectation(each) is not Cell.CLOSED)
