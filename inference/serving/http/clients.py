"""All open connections by client address: which to close when there is no room, and which have passed a deadline."""

from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

from inference.serving.limits import Admission, Peer, client_name
from inference.settings import Settings


class Member(Protocol):
    """What `Clients` needs of a connection. All times are the event loop's, in seconds.

    Attributes:
        peer: Whose connection it is.
        deadline: Until when the client may take for what is due next; infinite while it waits for the service.
        heard_at: When the client last sent something.
        waits_since: When the connection began to wait for what is due next.
    """

    peer: Peer
    deadline: float
    heard_at: float
    waits_since: float

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn: to send a request or the rest of one, or to read its answer."""

    @property
    def held_bytes(self) -> int:
        """Bytes that are held for the connection."""

    def abort(self) -> None:
        """End it at once; what is unsent is lost."""

    def drop_request(self) -> None:
        """Refuse the request that is arriving, or end it if its client does not read."""

    def expire(self) -> None:
        """The deadline has passed."""


M = TypeVar("M", bound=Member)


class Clients(Generic[M]):
    """The connections of one server."""

    def __init__(self, settings: Settings, admission: Admission) -> None:
        self._max_connections: Final = settings.max_connections
        self._max_peer_connections: Final = max(int(settings.max_connections * settings.max_peer_share), 1)
        self._admission: Final = admission
        self._peers: Final[dict[str, Peer]] = {}
        self._connections: Final[set[M]] = set()

    def __len__(self) -> int:
        return len(self._connections)

    def peer(self, host: str) -> Peer:
        """The client that the address `host` counts for."""
        name = client_name(host)
        return self._peers.setdefault(name, Peer(name))

    def add(self, connection: M) -> None:
        """Take a new connection in; at a limit, the one whose client has been silent longest ends for it."""
        self._connections.add(connection)
        peer = connection.peer
        peer.connections += 1
        if peer.connections > self._max_peer_connections:
            self._end_most_silent(peer)
        elif len(self._connections) > self._max_connections:
            self._end_most_silent(max(self._peers.values(), key=lambda each: each.connections))

    def remove(self, connection: M) -> None:
        """Forget a connection, and its client with its last one."""
        if connection in self._connections:
            self._connections.remove(connection)
            connection.peer.connections -= 1
            if not connection.peer.connections:
                self._peers.pop(connection.peer.name, None)

    def make_room(self, peer: Peer) -> None:
        """Bring the bytes that are held back under the limits, at the cost of whom the service waits for longest."""
        admission = self._admission
        excess = peer.held_bytes - admission.max_peer_held_bytes
        if excess <= 0:
            excess = admission.held_bytes - admission.max_held_bytes
            peer = max(self._peers.values(), key=lambda each: each.held_bytes)
        for connection in sorted(self._waiting(peer), key=lambda each: each.waits_since):
            if excess <= 0:
                return
            excess -= connection.held_bytes
            if connection.held_bytes:
                connection.drop_request()

    def sweep(self, now: float) -> None:
        """End what has passed its deadline."""
        for connection in [each for each in self._connections if each.deadline < now]:
            connection.expire()

    def each(self, action: Callable[[M], None]) -> None:
        """Do something to every connection."""
        for connection in list(self._connections):
            action(connection)

    def _waiting(self, peer: Peer) -> Iterable[M]:
        return (each for each in self._connections if each.peer is peer and each.waits_for_client)

    def _end_most_silent(self, peer: Peer) -> None:
        waiting = list(self._waiting(peer))
        if waiting:
            min(waiting, key=lambda each: each.heard_at).abort()
