"""What a connection can wait for."""

from enum import Enum, auto
from typing import Final

from inference.serving.http.request import Stage
from inference.settings import Settings

_LINGER_SECONDS: Final = 2.0


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    """The first byte of a request."""
    HEAD = auto()
    """The rest of a request's head."""
    BODY = auto()
    """The rest of its body."""
    ANSWERING = auto()
    """The service's answer."""
    UNREAD = auto()
    """The client, which does not read its answer."""
    LINGERING = auto()
    """The client, which is to close: closed by the service while the client sends, an answer might be lost."""
    CLOSED = auto()
    """Nothing."""

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn."""
        return self is not Phase.ANSWERING and self is not Phase.CLOSED


READING: Final = {Stage.NOTHING: Phase.IDLE, Stage.HEAD: Phase.HEAD, Stage.BODY: Phase.BODY}
"""The phase in which a request arrives, by how much of it has."""


def timeouts(settings: Settings) -> dict[Phase, float]:
    """How long a client may take, in seconds."""
    return {
        Phase.IDLE: settings.keep_alive_seconds,
        Phase.HEAD: settings.header_timeout_seconds,
        Phase.BODY: settings.body_timeout_seconds,
        Phase.UNREAD: settings.body_timeout_seconds,
        Phase.LINGERING: _LINGER_SECONDS,
    }
