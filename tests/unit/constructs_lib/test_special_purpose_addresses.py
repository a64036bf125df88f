"""The networks that are not public."""

from ipaddress import ip_network
from itertools import combinations

import pytest

from constructs_lib.special_purpose_addresses import ALSO_EXCLUDED, IPV4, IPV6, NOT_EXCLUDED, Block, not_public


def _excluded(cidr: str) -> bool:
    network = ip_network(cidr)
    others = map(ip_network, not_public(network.version))
    return any(network.subnet_of(each) for each in others)  # type: ignore[arg-type] # of one version


@pytest.mark.parametrize("block", [*IPV4, *IPV6], ids=lambda block: block.cidr)
def test_excludes_every_block_that_the_registry_does_not_call_reachable(block: Block) -> None:
    if not block.globally_reachable:
        assert _excluded(block.cidr) is (block.cidr not in NOT_EXCLUDED)


@pytest.mark.parametrize("cidr", sorted(ALSO_EXCLUDED))
def test_excludes_what_has_a_reason_of_its_own(cidr: str) -> None:
    assert _excluded(cidr)


@pytest.mark.parametrize("cidr", ["192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2620:4f:8000::/48"])
def test_does_not_exclude_reachable_blocks(cidr: str) -> None:
    assert not _excluded(cidr)


@pytest.mark.parametrize("version", [4, 6])
def test_networks_do_not_overlap(version: int) -> None:
    """An API server accepts overlaps, but they would only make the policy longer."""
    for one, two in combinations(map(ip_network, not_public(version)), 2):
        assert not one.overlaps(two)


def test_the_exceptions_are_entries_of_the_registries() -> None:
    assert NOT_EXCLUDED.keys() <= {block.cidr for block in (*IPV4, *IPV6)}
