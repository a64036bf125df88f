"""`python -m bench.serving`: our service against what people use instead, on the same model, core and texts."""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.serving.report import Summary, picture, table
from bench.serving.run import BenchError, Running, check, load, running, watching_health
from bench.serving.systems import OURS, UNMETERED, System, install, systems
from bench.serving.work import MAILS, ONE_MB, SHORT, TEN_KB, Work, prepare

FOLDER: Final = Path("build/bench")
CELLS: Final = (
    *((SHORT, connections) for connections in (1, 32, 256)),
    *((MAILS, connections) for connections in (1, 32, 256)),
    (TEN_KB, 1),
    (TEN_KB, 32),
    (ONE_MB, 1),
    (ONE_MB, 4),
)
LARGE_ROUNDS: Final = 3
"""Rounds with texts of 1 MB: for some systems a request of those takes seconds."""
LARGE_SECONDS: Final = 3
"""How many times longer those are measured."""
CHECKED: Final = {SHORT: 400, MAILS: 400, TEN_KB: 5, ONE_MB: 1}
"""How many texts of each workload are compared with `predict_proba`, in the first round."""


class Bench:
    """One run over all rounds; collects samples."""

    def __init__(self, work: Work, chosen: Sequence[System], *, rounds: int, seconds: int) -> None:
        self.work = work
        self.chosen = chosen
        self.rounds = rounds
        self.seconds = seconds
        self.samples: list[dict[str, Any]] = []
        self.starts: list[dict[str, Any]] = []
        self.checked: dict[str, dict[str, dict[str, int]]] = {}
        self.expected = {name: work.expected(work.texts[name][:count]) for name, count in CHECKED.items()}

    def plan(self) -> list[tuple[int, System, list[tuple[str, int]]]]:
        """Round, system and its cells: every system once a round, A B C A B C."""
        return [
            (number, system, [cell for cell in CELLS if self._is_measured(system, *cell, number)])
            for number in range(1, self.rounds + 1)
            for system in self.chosen
        ]

    def run(self, progress: Progress) -> None:
        """Measure everything."""
        plan = self.plan()
        task = progress.add_task("", total=sum(len(cells) for _, _, cells in plan))
        for number, system, cells in plan:
            progress.update(task, description=f"round {number} of {self.rounds}: {system.name} starts")
            with running(system, self.work.texts[SHORT][0], FOLDER / "logs" / f"{system.name}.log") as target:
                self.starts.append(
                    {
                        "system": system.name,
                        "round": number,
                        "start_seconds": target.start_seconds,
                        "memory_mb": target.memory_mb(),
                    }
                )
                if number == 1:
                    self.checked[system.name] = {
                        name: dict(zip(("equal", "refused"), self._check(target, name), strict=True))
                        for name in CHECKED
                    }
                load(target, self._bodies(system, SHORT), 32, 1)  # warms it up
                for workload, connections in cells:
                    what = f"round {number} of {self.rounds}: {system.name}, {workload}, {connections} connections"
                    progress.update(task, description=what)
                    measured = self._measure(target, workload, connections)
                    self.samples.append(
                        {"system": system.name, "workload": workload, "connections": connections, "round": number}
                        | measured
                    )
                    progress.advance(task)

    def _check(self, target: Running, workload: str) -> tuple[int, int]:
        expected = self.expected[workload]
        return check(target, self.work.texts[workload][: len(expected)], expected)

    def _measure(self, target: Running, workload: str, connections: int) -> dict[str, float]:
        bodies = self._bodies(target.system, workload)
        target.ask(self.work.texts[SHORT][0])  # answered when it has done with what the last load left in its queues
        if workload != ONE_MB:
            return load(target, bodies, connections, self.seconds)
        seconds = LARGE_SECONDS * self.seconds
        if target.system.name != OURS:
            return load(target, bodies, connections, seconds)
        with watching_health() as waited:
            measured = load(target, bodies, connections, seconds)
        return measured | waited

    def _is_measured(self, system: System, workload: str, connections: int, number: int) -> bool:
        if system.name == UNMETERED:
            return workload in {SHORT, MAILS} and connections == 32  # noqa: PLR2004 - where the goals are
        if workload == ONE_MB:
            return number <= LARGE_ROUNDS and (connections == 1 or system.name == OURS)
        return True

    def _bodies(self, system: System, workload: str) -> Path:
        file = FOLDER / "bodies" / f"{system.name}-{workload.replace(' ', '-')}.jsonl"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"\n".join(system.encode(text) for text in self.work.texts[workload]) + b"\n")
        return file


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 1 when the comparison is void."""
    options = _options(arguments)
    console = Console(stderr=True)
    begin = time.monotonic()
    try:
        _require()
        console.print("training the model")
        shutil.rmtree(FOLDER / "bodies", ignore_errors=True)
        work = prepare(FOLDER)
        install(FOLDER, console.print)
        known = systems(work, FOLDER)
        chosen = [system for system in known if not options.systems or system.name in options.systems]
        bench = Bench(work, chosen, rounds=options.rounds, seconds=options.seconds)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
            bench.run(progress)
    except BenchError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    summary = Summary(bench.samples, bench.starts, [system.name for system in known if system.peer])
    titles = {system.name: system.title for system in known}
    _write(options.output, bench, summary, titles, time.monotonic() - begin)
    picture(summary, titles, options.picture or options.output / "serving.svg")
    print(table(summary, titles))
    return 0


def _write(output: Path, bench: Bench, summary: Summary, titles: dict[str, str], seconds: float) -> None:
    output.mkdir(parents=True, exist_ok=True)
    texts = bench.work.texts
    result = {
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "model": json.loads((bench.work.model / "manifest.json").read_bytes())["vectorizer"]["terms"],
        "rounds": bench.rounds,
        "seconds_a_measurement": bench.seconds,
        "seconds_in_all": round(seconds),
        "workloads": {
            name: {"texts": len(those), "mean_bytes": round(sum(len(text.encode()) for text in those) / len(those))}
            for name, those in texts.items()
        },
        "answers_checked": bench.checked,
        "goals": [vars(goal) for goal in summary.goals()],
        "starts": bench.starts,
        "samples": bench.samples,
    }
    (output / "serving.json").write_text(json.dumps(result, indent=1) + "\n")
    (output / "serving.md").write_text(table(summary, titles))


def _require() -> None:
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise BenchError(f"no {program} on PATH (apt-get install {package})")
    if (os.cpu_count() or 1) < 2:  # noqa: PLR2004 - one for the server, one for the load
        raise BenchError("two cores are needed, one for the server and one for the load")
    busy = os.getloadavg()[0]
    if busy > 0.5:  # noqa: PLR2004 - a hint, not a rule
        print(f"note: the machine is busy (load {busy:.1f}); figures taken now say little", file=sys.stderr)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.serving",
        description="Compare the service with what people use instead.",
        epilog="example: python -m bench.serving --rounds 1 --seconds 1 --output build/bench/results",
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of every system (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (%(default)s)")
    parser.add_argument("--systems", nargs="*", metavar="NAME", help="only these")
    parser.add_argument(
        "--output", type=Path, default=Path("bench/results"), help="folder of the results (%(default)s)"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="the picture (serving.svg among the results)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
