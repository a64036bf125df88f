"""`dist/` against the matrix that the end-to-end suite measures: the audit says of every cell what is measured."""

from itertools import product

import pytest

import audit
from tests.audit import platform_objects as platform
from tests.e2e.matrix import Cell, Source, Target, expected

SAYS = {Cell.OPEN: "allowed", Cell.EXPOSED: "allowed", Cell.CLOSED: "denied"}
CELLS = [
    pytest.param(source, target, id=f"{target} from {source}")
    for target, source in product(Target, Source)
    if expected(source, target) in SAYS
]


@pytest.fixture(scope="module")
def cluster() -> audit.Cluster:
    return audit.read.objects([*platform.PATHS, *platform.objects()], assumptions=platform.ASSUMPTIONS)


@pytest.mark.parametrize(("source", "target"), CELLS)
def test_cell_is_what_the_audit_says(source: Source, target: Target, cluster: audit.Cluster) -> None:
    said = {ask: cluster.verdict(*ask).verdict.value for ask in platform.asks(source, target)}
    assert said
    assert said == dict.fromkeys(said, SAYS[expected(source, target)])


@pytest.mark.parametrize("target", sorted(platform.ON_NODES))
def test_a_workload_without_a_known_node_may_be_on_the_one_that_it_asks(target: Target, cluster: audit.Cluster) -> None:
    """Traffic to and from the node where a Pod is running is always allowed, so YAML alone does not decide."""
    for _, endpoint, port, protocol in platform.asks(Source.SAME_TENANT, target):
        assert cluster.verdict("tenant-a/tenant-a-ml-inference", endpoint, port, protocol).verdict == "unknown"
