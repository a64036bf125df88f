"""Writes answers as HTTP/1.1 bytes."""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from inference.serving.http.request import Request
from inference.serving.problems import JSON, Answer

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
_OK: Final = HTTPStatus.OK.value


class AnswerWriter:
    """Turns answers into bytes, with the present date, which `set_date` renews once a second."""

    def __init__(self) -> None:
        self._date = b""
        self._ok_head = b""
        self.set_date()

    def set_date(self) -> None:
        """Take the date over into the answers."""
        self._date = b"date: %b\r\n" % formatdate(time.time(), usegmt=True).encode()
        # All of a successful prediction but its length and body is the same for a second.
        self._ok_head = b"%b%bcontent-type: %b\r\ncontent-length: " % (_STATUS_LINES[_OK], self._date, JSON.encode())

    def answer(self, answer: Answer, request: Request, *, keep_alive: bool) -> bytes:
        """The bytes of an answer to `request`, on a connection that stays open or does not."""
        status, content_type, body, headers = answer
        is_head = request.method == b"HEAD"
        if status == _OK and keep_alive and content_type == JSON and not (headers or is_head or request.is_http10):
            return b"%b%d\r\n\r\n%b" % (self._ok_head, len(body), body)
        lines = [_STATUS_LINES[status], self._date]
        if content_type:
            lines.append(b"content-type: %b\r\n" % content_type.encode())
        if status not in _WITHOUT_BODY:
            lines.append(b"content-length: %d\r\n" % len(body))
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers]
        if not keep_alive:
            lines.append(b"connection: close\r\n")
        elif request.is_http10:  # such a client expects the connection to end unless it reads this
            lines.append(b"connection: keep-alive\r\n")
        lines.append(b"\r\n")
        if status not in _WITHOUT_BODY and not is_head:
            lines.append(body)
        return b"".join(lines)
