"""What the audit says from YAML alone is what the cluster does: random policy sets, every pair, every port."""

from collections.abc import Iterator

import pytest

from tests.audit.live.comparison import Network, compare, show_that_everything_is_open
from tests.audit.live.probes import Agents
from tests.audit.live.sets import policy_sets
from tests.audit.reference import Object
from tests.e2e.cluster import LiveCluster
from tests.e2e.evidence import Evidence

pytestmark = pytest.mark.promise("reachability")
SETS = list(policy_sets(24))


@pytest.fixture(scope="module")
def network(cluster: LiveCluster, image: str) -> Iterator[Network]:
    network = Network(cluster, image)
    network.start()
    yield network
    network.stop()


@pytest.fixture(scope="module")
def agents(network: Network) -> Iterator[Agents]:
    with Agents(network.cluster) as agents:
        show_that_everything_is_open(network, agents)
        yield agents


@pytest.mark.parametrize("policies", [pytest.param(each, id=f"set-{index}") for index, each in enumerate(SETS, 1)])
def test_policy_set_does_what_the_audit_says(
    policies: list[Object], network: Network, agents: Agents, evidence: Evidence
) -> None:
    found = compare(network, agents, policies)
    evidence.count("reachability", "connections compared", len(found.observed))
    unknown = list(found.from_yaml.values()).count("unknown")
    evidence.count("reachability", "connections that YAML alone leaves unknown", unknown)
    if found.shows_a_fault:
        evidence.count("reachability", "policy sets that show a known fault of the network engine")
        return
    assert not found.wrong()
