"""What a client has sent and the service has not begun to answer."""

from collections import deque
from typing import Final

from inference.errors import RequestError
from inference.serving.http.reader import RequestReader
from inference.serving.http.request import Request, Stage
from inference.settings import Settings

_SLICE_BYTES: Final = 4_096
"""Bytes that are parsed at a time: what follows a whole request waits, unparsed, until that is answered."""


class Inbox:
    """In order of arrival: whole requests, bytes that are not parsed yet, and a request that is not whole.

    Attributes:
        reader: What turns the bytes into requests.
    """

    def __init__(self, settings: Settings) -> None:
        self._whole: Final[deque[Request]] = deque()
        self._unparsed = b""
        self.reader: Final = RequestReader(settings, self._whole.append)

    @property
    def stage(self) -> Stage:
        """How much has arrived of the request that is not whole."""
        return self.reader.stage

    @property
    def has_more(self) -> bool:
        """Whether there are requests, or bytes that may hold some."""
        return bool(self._whole or self._unparsed)

    @property
    def has_unparsed(self) -> bool:
        """Whether `parse` has something to do."""
        return bool(self._unparsed)

    @property
    def held_bytes(self) -> int:
        """Memory that the client is charged for."""
        held = len(self._unparsed)
        if self._whole:
            held += sum(request.held_bytes for request in self._whole)
        if self.reader.stage is not Stage.NOTHING:
            held += self.reader.held_bytes
        return held

    def add(self, data: memoryview, *, is_busy: bool) -> None:
        """Take bytes; while the service `is_busy` with an earlier request, they are not parsed."""
        if self.reader.is_done:
            return
        if not is_busy and len(data) <= _SLICE_BYTES and not self._whole and not self._unparsed:
            self._feed(data)
            return
        self._unparsed += data
        if not is_busy:
            self.parse()

    def parse(self) -> None:
        """Parse until a request is whole or nothing is left."""
        data = memoryview(self._unparsed)
        start = 0
        while start < len(data) and not self._whole and not self.reader.is_done:
            self._feed(data[start : start + _SLICE_BYTES])
            start += _SLICE_BYTES
        self._unparsed = b"" if self.reader.is_done else bytes(data[start:])

    def take(self) -> Request | None:
        """The next whole request."""
        return self._whole.popleft() if self._whole else None

    def refuse(self, error: RequestError) -> None:
        """Read no further; the request that is not whole is the last one, and ends with `error`."""
        request = Request() if self.stage is Stage.NOTHING else self.reader.request
        request.refusal = error
        request.keep_alive = False
        self.reader.close()
        self._unparsed = b""
        self._whole.append(request)

    def close(self) -> None:
        """Read no further, and forget everything."""
        self.reader.close()
        self._whole.clear()
        self._unparsed = b""

    def _feed(self, data: memoryview) -> None:
        try:
            self.reader.feed(data)
        except RequestError as error:
            self.refuse(error)
