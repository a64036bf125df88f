"""Logs: one JSON object a line on standard output, and never a word of a request's text."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from types import TracebackType


def configure(level: str) -> None:
    """Write every log line of `level` and above, the libraries' own included, as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # What uvicorn has to say below an error (each malformed request, each start) the service says itself, or counts.
    logging.basicConfig(handlers=[handler], level=logging.ERROR, force=True)


def where(error: BaseException) -> str:
    """Where an unexpected error came from, as `file:line function`; its message might quote a text: not logged."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return "unknown"
    code = last.tb_frame.f_code
    return f"{code.co_filename}:{last.tb_lineno} {code.co_name}"
