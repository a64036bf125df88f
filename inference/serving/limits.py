"""Admission: how many requests and bytes the service holds at a time, in total and per client address."""

import math
import time
from ipaddress import IPv6Address, ip_address
from typing import Final

from inference import contract
from inference.errors import NotReadyError, OverloadedError, RateLimitedError, RequestError
from inference.settings import Settings

_MAX_RETRY_AFTER_SECONDS: Final = 60
_WEIGHT: Final = 0.05
_CLIENT_PREFIX_BITS: Final = 64
"""Bits of an IPv6 address that identify one client: a client that has a network of this size has all its addresses."""


class Peer:
    """What one client address holds.

    Attributes:
        name: The address; of an IPv6 address, its network.
        connections: Open connections.
        in_flight: Requests received and not yet answered.
        held_bytes: Bytes of requests that are held, and of answers that the client has not read.
    """

    __slots__ = ("connections", "held_bytes", "in_flight", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.connections = 0
        self.in_flight = 0
        self.held_bytes = 0


class Admission:
    """Counts what is held, and decides whether one more request is served. Belongs to the event loop's thread.

    Attributes:
        in_flight: Requests received and not yet answered.
        max_in_flight: The limit of that number.
        held_bytes: Bytes of requests that are held, and of answers that clients have not read.
        max_held_bytes: The limit of that number.
        loaded: Whether there is a model to answer with.
        draining: Whether the service is shutting down: not ready, but still answering.
        mean_seconds: The cost of a request, as a moving average.
    """

    __slots__ = (
        "draining",
        "held_bytes",
        "in_flight",
        "loaded",
        "max_held_bytes",
        "max_in_flight",
        "max_peer_held_bytes",
        "max_peer_in_flight",
        "mean_seconds",
    )

    def __init__(self, settings: Settings) -> None:
        self.in_flight = 0
        self.max_in_flight = settings.max_in_flight
        self.max_peer_in_flight = max(int(settings.max_in_flight * settings.max_peer_share), 1)
        self.held_bytes = 0
        self.max_held_bytes = settings.max_buffered_bytes
        self.max_peer_held_bytes = int(settings.max_buffered_bytes * settings.max_peer_share)
        self.loaded = False
        self.draining = False
        self.mean_seconds = 0.0

    @property
    def ready(self) -> bool:
        """Whether the readiness probe answers 200."""
        return self.loaded and not self.draining

    def is_full(self, peer: Peer) -> bool:
        """Whether one more request of `peer` is refused."""
        return (
            self.in_flight >= self.max_in_flight
            or peer.in_flight >= self.max_peer_in_flight
            or self.holds_too_much(peer)
        )

    def holds_too_much(self, peer: Peer) -> bool:
        """Whether all clients together, or `peer`, hold more bytes than they may."""
        return self.held_bytes > self.max_held_bytes or peer.held_bytes > self.max_peer_held_bytes

    def add_request(self, peer: Peer) -> None:
        """Count a request as in flight."""
        self.in_flight += 1
        peer.in_flight += 1

    def remove_request(self, peer: Peer) -> None:
        """Count it no longer."""
        self.in_flight -= 1
        peer.in_flight -= 1

    def add_held_bytes(self, peer: Peer, change: int) -> None:
        """Count bytes as held; below zero: no longer."""
        self.held_bytes += change
        peer.held_bytes += change

    def add_cost(self, seconds: float) -> None:
        """Remember what a request has cost, for `retry_after_seconds`."""
        self.mean_seconds += (seconds - self.mean_seconds) * _WEIGHT

    @property
    def retry_after_seconds(self) -> int:
        """When all requests in flight will be answered at the present pace; whole seconds, at least 1."""
        return min(max(math.ceil(self.in_flight * self.mean_seconds), 1), _MAX_RETRY_AFTER_SECONDS)

    def refusal(self, peer: Peer) -> RequestError:
        """What the client of a request that is not served reads."""
        if self.in_flight >= self.max_in_flight:
            found = f"{self.in_flight} requests are in flight, the limit of the service"
        elif peer.in_flight >= self.max_peer_in_flight:
            found = f"{peer.in_flight} requests of this client are in flight, the limit per client"
        else:
            found = f"the service holds {self.held_bytes} bytes of requests, {peer.held_bytes} of this client"
        retry = self.retry_after_seconds
        return OverloadedError(f"{found}; try again in {retry} s", retry_after_seconds=retry)


def too_late() -> RequestError:
    """What the client of a request that is not whole at the end of the drain reads."""
    return NotReadyError("the service is shutting down; ask another replica")


def shed_reason(error: RequestError) -> str:
    """The `reason` of `inference_requests_shed_total` for a request that is refused with `error`."""
    in_flight, draining, rate_limit = contract.SHED_REASONS
    if isinstance(error, RateLimitedError):
        return rate_limit
    return draining if isinstance(error, NotReadyError) else in_flight


def client_name(host: str) -> str:
    """The name under which the address `host` is counted."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> _CLIENT_PREFIX_BITS << _CLIENT_PREFIX_BITS))
    return str(address)


class BurstLog:
    """Decides when to log: at most once in `seconds`, with the count since the last time."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._next = -math.inf
        self._count = 0

    def add(self) -> int:
        """Count one; return how many to report now, or 0 within `seconds` of the last report."""
        self._count += 1
        now = time.monotonic()
        if now < self._next:
            return 0
        self._next = now + self._seconds
        count, self._count = self._count, 0
        return count
