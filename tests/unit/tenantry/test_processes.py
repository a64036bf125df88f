"""Child processes end with the command, whatever ends it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tenantry import processes
from tenantry.errors import CommandError, InterruptedByUserError

PRINT_THEN_WAIT = "import sys, threading; print('up', flush=True); threading.Event().wait()"
Start = Callable[[str], subprocess.Popen[bytes]]
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PRINT_THEN_WAIT}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that are up when it returns, their output a pipe."""
    with ExitStack() as stack:

        def run(code: str) -> subprocess.Popen[bytes]:
            process = stack.enter_context(processes.start([sys.executable, "-c", code], stdout=subprocess.PIPE))
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            return process

        yield run


def test_a_program_that_a_command_runs_leaves_standard_output_to_the_result(capfd: pytest.CaptureFixture[str]) -> None:
    """`tenantry demo --format json` prints JSON alone, also when it trains a model first."""
    processes.run([sys.executable, "-c", "print('accuracy 0.98')"], stop=threading.Event(), doing="training")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "accuracy 0.98\n")


def test_end_asks_first(start: Start) -> None:
    """A child that heeds SIGTERM ends by it."""
    process = start(PRINT_THEN_WAIT)
    processes.end([process])
    assert process.returncode == -signal.SIGTERM


def test_end_kills_what_does_not_listen(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores SIGTERM is killed when its time is over, and does not keep the others alive."""
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
    deaf, other = start(DEAF), start(PRINT_THEN_WAIT)
    processes.end([deaf, other])
    assert (deaf.returncode, other.returncode) == (-signal.SIGKILL, -signal.SIGTERM)


def test_end_reaches_what_the_child_started(start: Start) -> None:
    """A grandchild ends too: they are one process group."""
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {PRINT_THEN_WAIT!r}]).wait()"
    process = start(code)
    processes.end([process])
    assert process.stdout is not None
    assert process.stdout.read() == b""  # nobody holds the other end of the pipe


def test_run_lets_a_program_finish() -> None:
    """Success is silent."""
    processes.run([sys.executable, "-c", ""], stop=threading.Event(), doing="nothing")


def test_run_passes_the_exit_code_on() -> None:
    """A program that says "wrong input" makes the command say so."""
    with pytest.raises(CommandError, match="writing dist/ failed") as caught:
        processes.run([sys.executable, "-c", "raise SystemExit(2)"], stop=threading.Event(), doing="writing dist/")
    assert caught.value.exit_code == 2


def test_run_stops_when_asked() -> None:
    """A stop request ends the program before its time."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedByUserError, match="training was stopped") as caught:
        processes.run([sys.executable, "-c", PRINT_THEN_WAIT], stop=stop, doing="training")
    assert caught.value.exit_code == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_an_event(number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal ask to stop, and handlers are given back."""
    before = signal.getsignal(number)
    with processes.stop_requested() as stop:
        signal.raise_signal(number)
        assert stop.wait(5)
    assert signal.getsignal(number) is before
