"""`python -m bench.serving`: compare our service with its alternatives, on the same model, core and texts."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.machine import machine
from bench.serving.report import MAIN_CONNECTIONS, Summary, picture, table, with_figures
from bench.serving.run import Running, check, load, require, running, watching_health
from bench.serving.systems import KEYED, OURS, UNMETERED, BenchError, System, install, systems
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
LARGE_SECONDS: Final = 3
"""How many times longer texts of 1 MB are measured: some systems take seconds for one request."""
CHECKED: Final = {SHORT: 400, MAILS: 400, TEN_KB: 5, ONE_MB: 1}
"""How many texts of each workload are compared with `predict_proba`, in the first round."""


class Bench:
    """One run over all rounds, which collects samples."""

    def __init__(self, work: Work, chosen: Sequence[System], *, rounds: int, seconds: int) -> None:
        self.work = work
        self.chosen = chosen
        self.rounds = rounds
        self.seconds = seconds
        self.samples: list[dict[str, Any]] = []
        self.starts: list[dict[str, Any]] = []
        self.checked: dict[str, dict[str, dict[str, int]]] = {}
        self.left_out: dict[str, str] = {}
        self.expected = {name: work.expected(work.texts[name][:count]) for name, count in CHECKED.items()}

    def run(self, progress: Progress) -> None:
        """Measure everything: every system once per round, A B C A B C.

        Raises:
            BenchError: one that the others are compared with cannot be measured.
        """
        cells = {system.name: [cell for cell in CELLS if _is_measured(system, *cell)] for system in self.chosen}
        task = progress.add_task("", total=self.rounds * sum(map(len, cells.values())))
        for number in range(1, self.rounds + 1):
            for system in self.chosen:
                with self.leaving_out(system):
                    for what in self._turn(number, system, cells[system.name]):
                        progress.update(task, description=f"round {number} of {self.rounds}: {system.name}, {what}")
                        progress.advance(task)

    @contextmanager
    def leaving_out(self, system: System) -> Iterator[None]:
        """Continue without a peer that fails, so that a run of many minutes is not lost."""
        try:
            yield
        except BenchError as error:
            if not system.peer:
                raise
            self.left_out[system.name] = str(error)

    def _turn(self, number: int, system: System, cells: Sequence[tuple[str, int]]) -> Iterator[str]:
        """Measure the cells of a system; name each one first."""
        if system.name in self.left_out:
            return
        with running(system, self.work.texts[SHORT][0], FOLDER / "logs" / f"{system.name}.log") as target:
            start = {"start_seconds": target.start_seconds, "memory_mb": target.memory_mb()}
            if number == 1:
                self.checked[system.name] = {
                    name: dict(zip(("equal", "refused"), self._check(target, name), strict=True)) for name in CHECKED
                }
            self.starts.append({"system": system.name, "round": number, **start})
            load(target, self._bodies(system, SHORT), 32, 1)  # warms it up
            for workload, connections in cells:
                yield f"{workload}, {connections} connections"
                cell = {"system": system.name, "workload": workload, "connections": connections, "round": number}
                self.samples.append(cell | self._measure(target, workload, connections))

    def _check(self, target: Running, workload: str) -> tuple[int, int]:
        expected = self.expected[workload]
        return check(target, self.work.texts[workload][: len(expected)], expected)

    def _measure(self, target: Running, workload: str, connections: int) -> dict[str, float]:
        bodies = self._bodies(target.system, workload)
        target.ask(self.work.texts[SHORT][0])  # answered when its queues are empty again
        if workload != ONE_MB:
            return load(target, bodies, connections, self.seconds)
        seconds = LARGE_SECONDS * self.seconds
        if target.system.name != OURS:
            return load(target, bodies, connections, seconds)
        with watching_health() as waited:
            measured = load(target, bodies, connections, seconds)
        return measured | waited

    def _bodies(self, system: System, workload: str) -> Path:
        file = FOLDER / "bodies" / f"{system.name}-{workload.replace(' ', '-')}.jsonl"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"\n".join(system.encode(text) for text in self.work.texts[workload]) + b"\n")
        return file


def _is_measured(system: System, workload: str, connections: int) -> bool:
    if system.name in {UNMETERED, KEYED}:
        return workload in {SHORT, MAILS} and connections == MAIN_CONNECTIONS
    return workload != ONE_MB or connections == 1 or system.name == OURS


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if the comparison is void."""
    options = _options(arguments)
    console = Console(stderr=True)
    begin = time.monotonic()
    try:
        require()
        console.print("training the model")
        shutil.rmtree(FOLDER / "bodies", ignore_errors=True)
        work = prepare(FOLDER)
        known = systems(work, FOLDER)
        chosen = [system for system in known if not options.systems or system.name in options.systems]
        bench = Bench(work, chosen, rounds=options.rounds, seconds=options.seconds)
        for system in chosen:
            with bench.leaving_out(system):
                install(system.name, FOLDER, console.print)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
            bench.run(progress)
    except BenchError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    result = _result(bench, [system for system in known if system in chosen], time.monotonic() - begin)
    summary = Summary(result)
    result |= {"medians": summary.medians, "goals": [vars(goal) for goal in summary.goals()]}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "serving.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.output / "serving.md").write_text(table(summary))
    picture(summary, options.picture or options.output / "serving.svg")
    if options.readme:
        options.readme.write_text(with_figures(options.readme.read_text(), summary))
    print(table(summary))
    return 0


def _result(bench: Bench, chosen: Sequence[System], seconds: float) -> dict[str, Any]:
    """Everything that `Summary` needs, and the conditions of the measurement."""
    texts = bench.work.texts
    return {
        "machine": machine(),
        "terms": json.loads((bench.work.model / "manifest.json").read_bytes())["vectorizer"]["terms"],
        "rounds": bench.rounds,
        "seconds_a_measurement": bench.seconds,
        "seconds_in_all": round(seconds),
        "workloads": {
            name: {"texts": len(those), "mean_bytes": round(sum(len(text.encode()) for text in those) / len(those))}
            for name, those in texts.items()
        },
        "answers_checked": bench.checked,
        "systems": {system.name: {"title": system.title, "peer": system.peer} for system in chosen},
        "left_out": bench.left_out,
        "starts": bench.starts,
        "samples": bench.samples,
    }


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
    parser.add_argument("--readme", type=Path, metavar="FILE", help="a document that shows the figures between marks")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
