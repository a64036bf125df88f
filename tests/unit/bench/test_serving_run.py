"""How the benchmark's run goes on when a system fails."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.progress import Progress

from bench.serving import __main__ as program
from bench.serving import systems
from bench.serving.run import load
from bench.serving.systems import BenchError, System
from bench.serving.work import SHORT

NAIVE = System("naive", "the naive", ("a",), "/")
PEER = System("peer", "the peer", ("b",), "/", peer=True)
WORK: Any = SimpleNamespace(texts={name: ["a text"] for name in program.CHECKED}, expected=lambda texts: texts)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[tuple[str, int]]:
    """Systems and rounds in which they do not start; all else is measured in no time."""
    failing: set[tuple[str, int]] = set()
    starts: dict[str, int] = {}

    @contextmanager
    def running(system: System, _first: str, _log: Path) -> Iterator[Any]:
        starts[system.name] = starts.get(system.name, 0) + 1
        if (system.name, starts[system.name]) in failing:
            raise BenchError(f"{system.name} does not answer")
        yield SimpleNamespace(system=system, start_seconds=0.1, memory_mb=lambda: 1.0, ask=lambda _text: None)

    monkeypatch.setattr(program, "FOLDER", tmp_path)
    monkeypatch.setattr(program, "CELLS", [(SHORT, 32)])
    monkeypatch.setattr(program, "running", running)
    monkeypatch.setattr(program, "check", lambda *_: (1, 0))
    monkeypatch.setattr(program, "load", lambda *_: {"requests_per_second": 1.0})
    return failing


def run(*chosen: System) -> program.Bench:
    """Two rounds."""
    bench = program.Bench(WORK, chosen, rounds=2, seconds=1)
    with Progress(disable=True) as progress:
        bench.run(progress)
    return bench


def measured(bench: program.Bench) -> list[tuple[str, int]]:
    return [(sample["system"], sample["round"]) for sample in bench.samples]


@pytest.mark.usefixtures("failing")
def test_systems_take_turns() -> None:
    """A B, A B: what the machine does meanwhile is nobody's advantage."""
    assert measured(run(NAIVE, PEER)) == [("naive", 1), ("peer", 1), ("naive", 2), ("peer", 2)]


@pytest.mark.parametrize(("failed", "left"), [(1, []), (2, [("peer", 1)])])
def test_a_peer_that_fails_is_left_out(failing: set[tuple[str, int]], failed: int, left: list[tuple[str, int]]) -> None:
    """The others are measured to the end, what was found of it stays, and why it is missing is kept."""
    failing.add(("peer", failed))
    bench = run(PEER, NAIVE)
    assert sorted(measured(bench)) == sorted([("naive", 1), ("naive", 2), *left])
    assert bench.left_out == {"peer": "peer does not answer"}


def test_without_what_all_are_compared_with_there_is_no_run(failing: set[tuple[str, int]]) -> None:
    """A failing naive service ends it at once."""
    failing.add(("naive", 1))
    with pytest.raises(BenchError, match="naive does not answer"):
        run(NAIVE, PEER)


def test_a_peer_that_cannot_be_installed_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A failure of pip leaves no trace, and the next run tries again."""
    monkeypatch.setattr(systems, "PEERS", tmp_path)
    (tmp_path / "peer").mkdir()
    (tmp_path / "peer" / "requirements.lock").write_text("no-such-thing==1\n")
    monkeypatch.setattr("venv.create", lambda *_, **__: None)

    def pip(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr("subprocess.run", pip)
    with pytest.raises(BenchError, match="peer cannot be installed: pip ends with 1"):
        systems.install("peer", tmp_path / "environments", print)
    assert not (tmp_path / "environments" / "peer" / "installed.lock").exists()


def test_a_load_that_fails_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What wrk says is not lost."""

    def wrk(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command, stderr="unable to connect")

    monkeypatch.setattr("subprocess.run", wrk)
    target: Any = SimpleNamespace(system=PEER, url="http://127.0.0.1:1/", cpu_seconds=lambda: 0.0)
    with pytest.raises(BenchError, match="unable to connect"):
        load(target, Path("bodies"), 1, 1)
