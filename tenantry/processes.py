"""Child processes that never outlive the command: every way out of it, a signal included, ends them."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from tenantry.errors import CommandError, InterruptedByUserError

POLL_SECONDS: Final = 0.05
"""How often a loop looks at its children."""
_STANDARD_ERROR: Final = 2
STOP_SECONDS: Final = 10.0
"""How long a child may take to finish after SIGTERM before it is killed."""


@contextmanager
def stop_requested() -> Iterator[threading.Event]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an event that loops wait on.

    Unlike KeyboardInterrupt, an event cannot strike between the start of a process and the line that remembers it.
    """
    stop = threading.Event()

    def request(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_a_little() -> None:
    """Let a child continue before it is looked at again."""
    time.sleep(POLL_SECONDS)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own: Ctrl-C reaches it through us alone, once.

    Args:
        command: Program and arguments.
        options: Popen's own, as `env` and `stdout`.
    """
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, **options)


def run(command: Sequence[str], *, stop: threading.Event, doing: str) -> None:
    """Run a program to its end, with all of its output on standard error: it is progress, and not the command's result.

    Args:
        command: Program and arguments.
        stop: Ends the program, and this function, early.
        doing: What the program does, for the message, as in "writing dist/".

    Raises:
        InterruptedByUserError: `stop` was set.
        CommandError: The program failed; the error carries the program's exit code.
    """
    process = start(command, stdout=_STANDARD_ERROR)
    try:
        while process.poll() is None and not stop.wait(POLL_SECONDS):
            pass
    finally:
        end([process])
    if stop.is_set():
        raise InterruptedByUserError(f"{doing} was stopped before it was done")
    if process.returncode:
        error = CommandError(f"{doing} failed; the reason stands above")
        error.exit_code = max(process.returncode, 1)
        raise error


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End processes and what they started: ask all of them, give them STOP_SECONDS together, kill what is left."""
    _signal(processes, signal.SIGTERM)
    try:
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
    finally:
        _signal(processes, signal.SIGKILL)
        for process in processes:
            process.wait()


def _signal(processes: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, number)
