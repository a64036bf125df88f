"""Logs: one JSON object per line on standard output, and never a word of a request's text.

A log line never blocks and never raises: a thread of its own writes, and drops lines while nobody reads them.
"""

import io
import logging
import os
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO, cast

import structlog

if TYPE_CHECKING:
    from types import TracebackType

_MAX_WAITING: Final = 1_000
"""Lines that wait to be written; further ones are dropped."""


class LineOutput(io.TextIOBase):
    """A text stream whose `write` takes whole lines and returns at once.

    Args:
        descriptor: The file descriptor that a daemon thread writes to.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor
        self._lines: Final[queue.Queue[str]] = queue.Queue(_MAX_WAITING)
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def write(self, text: str) -> int:
        """Queue text for writing; drop it while too much waits."""
        with suppress(queue.Full):  # nobody reads them: serving matters more
            self._lines.put_nowait(text)
        return len(text)

    def drain(self, seconds: float = 1.0) -> None:
        """Wait until everything queued is written, or until nobody has read it for that time."""
        done = threading.Thread(target=self._lines.join, daemon=True)
        done.start()
        done.join(seconds)

    def _write_on(self) -> None:
        while True:
            data = self._lines.get().encode(errors="backslashreplace")
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                pass  # the reader is gone, or the disk is full
            finally:
                self._lines.task_done()


_output: LineOutput | None = None


def configure(level: str) -> None:
    """Write every log line of `level` and above, the libraries' own included, as JSON."""
    global _output  # noqa: PLW0603 - a process has one standard output
    if _output is None:
        _output = LineOutput(1)
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _output)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # uvicorn's lines below an error (each start, each step of a shutdown) repeat what the service logs itself.
    logging.basicConfig(handlers=[handler], level=logging.ERROR, force=True)


def flush() -> None:
    """Wait a moment for the lines that are not written yet."""
    if _output is not None:
        _output.drain()


def where(error: BaseException) -> str:
    """Where an unexpected error came from, as `file:line function`; its message might quote a text: not logged."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return "unknown"
    code = last.tb_frame.f_code
    return f"{code.co_filename}:{last.tb_lineno} {code.co_name}"
