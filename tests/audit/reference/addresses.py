"""Address blocks, and whether the other end of a connection has an address in one."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tests.audit.reference.objects import Endpoint
from tests.audit.reference.trilean import Trilean

Network = IPv4Network | IPv6Network


def network(cidr: str) -> Network:
    """A block; bits below its prefix are ignored, as the API server accepts them."""
    return ip_network(cidr, strict=False)


def blocks_cover(other: Endpoint, cidrs: Sequence[str], excepted: Sequence[str], pod_cidrs: Sequence[str]) -> Trilean:
    """Whether an address is in any block and in no exception; of a pod: all, none or (maybe) some that it may have."""
    if isinstance(other, str):
        return _have(other, cidrs, excepted)
    if other.host_network:
        return None  # it has the address of its node, which is not in YAML
    if other.addresses:
        answers: set[Trilean] = {_have(address, cidrs, excepted) for address in other.addresses}
    else:
        answers = {_cover(cidrs, excepted, network(each)) for each in pod_cidrs}
    return answers.pop() if len(answers) == 1 else None


def _have(address: str, cidrs: Sequence[str], excepted: Sequence[str]) -> bool:
    """Whether a block has an address; one of the other family never has."""
    one = ip_address(address)
    return any(one in network(each) for each in cidrs) and not any(one in network(each) for each in excepted)


def _cover(cidrs: Sequence[str], excepted: Sequence[str], whole: Network) -> Trilean:
    """Whether blocks have all addresses of a network, none, or (maybe) a part."""
    beside = _remaining([whole], cidrs)
    inside = _remaining([whole], [str(each) for each in beside])
    covered = _remaining(inside, excepted)
    return False if not covered else True if covered == [whole] else None


def _remaining(blocks: list[Network], holes: Sequence[str]) -> list[Network]:
    """What is left of blocks without the holes."""
    left = blocks
    for hole in map(network, holes):
        left = [rest for each in left for rest in _without(each, hole)]
    return left


def _common(one: Network, other: Network) -> Network | None:
    """The addresses of two blocks: of the smaller one, since blocks nest or are apart."""
    smaller, larger = sorted([one, other], key=lambda each: -each.prefixlen)
    return smaller if smaller.version == larger.version and smaller.overlaps(larger) else None


def _without(block: Network, hole: Network) -> list[Network]:
    common = _common(block, hole)
    if common is None:
        return [block]
    return [] if common == block else list(block.address_exclude(hole))  # type: ignore[arg-type]
