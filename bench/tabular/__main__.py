"""`python -m bench.tabular`: requests per second and p99 of each system, on a gradient boosting model."""

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from bench.machine import machine
from bench.serving.run import check, load, require, running
from bench.serving.systems import BenchError, System, install
from bench.tabular.systems import RECORDS, TENSORS, Work, prepare, systems

FOLDER: Final = Path("build/bench")
CONNECTIONS: Final = 32
TOLERANCE: Final = 1e-5
CHECKED: Final = 100
TIMES_BEST_PEER: Final = 5
_NUMBERS: Final = ("requests_per_second", "p50_ms", "p99_ms", "cpu_us", "errors")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a system cannot be measured."""
    options = _options(arguments)
    console = Console(stderr=True)
    try:
        require()
        console.print("training the model")
        FOLDER.mkdir(parents=True, exist_ok=True)
        work = prepare(FOLDER)
        chosen = systems(work, FOLDER)
        for system in chosen:
            install(system.name, FOLDER, console.print)
        samples: list[dict[str, Any]] = []
        with Progress(console=console) as progress:
            task = progress.add_task("measuring", total=options.rounds * len(chosen))
            for number in range(1, options.rounds + 1):
                for system in chosen:
                    progress.update(task, description=f"round {number} of {options.rounds}: {system.name}")
                    samples.append({"system": system.name, "round": number, **_measure(system, work, options.seconds)})
                    progress.advance(task)
    except BenchError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    medians = {
        system.name: {
            name: median(each[name] for each in samples if each["system"] == system.name) for name in _NUMBERS
        }
        for system in chosen
    }
    result = {
        "machine": machine(),
        "rounds": options.rounds,
        "seconds_a_measurement": options.seconds,
        "connections": CONNECTIONS,
        "systems": {system.name: {"title": system.title, "peer": system.peer} for system in chosen},
        "samples": samples,
        "medians": medians,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "tabular.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.output / "tabular.md").write_text(table(result))
    print(table(result))
    return 0


def _measure(system: System, work: Work, seconds: int) -> dict[str, float]:
    """Start a system, compare its answers with `predict_proba`, and load it."""
    bodies = FOLDER / "bodies" / f"tabular-{system.name}.jsonl"
    bodies.parent.mkdir(parents=True, exist_ok=True)
    bodies.write_bytes(b"\n".join(system.encode(row) for row in work.rows) + b"\n")
    with running(system, work.rows[0], FOLDER / "logs" / f"tabular-{system.name}.log") as target:
        equal, _ = check(target, work.rows[:CHECKED], work.expected[:CHECKED], tolerance=TOLERANCE)
        if equal != CHECKED:
            raise BenchError(f"{system.name} refuses {CHECKED - equal} of {CHECKED} rows")
        load(target, bodies, CONNECTIONS, 1)  # warms it up
        return load(target, bodies, CONNECTIONS, seconds)


def table(result: dict[str, Any]) -> str:
    """The medians as Markdown, with the goal."""
    peers = [name for name, system in result["systems"].items() if system["peer"]]
    medians = result["medians"]
    best = max(peers, key=lambda name: float(medians[name]["requests_per_second"]))
    peer = result["systems"][best]["title"].partition(",")[0]
    lines = [
        f"### Gradient boosting (100 trees, 30 features), one record, {result['connections']} connections",
        "",
        f"| system | requests/s | x {peer} | p50 ms | p99 ms | CPU us | errors |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, system in result["systems"].items():
        found = medians[name]
        ratio = found["requests_per_second"] / medians[best]["requests_per_second"]
        lines.append(
            f"| {system['title']} | {found['requests_per_second']:,.0f} | {ratio:,.1f} | {found['p50_ms']:,.2f}"
            f" | {found['p99_ms']:,.2f} | {found['cpu_us']:,.0f} | {found['errors']:,.0f} |"
        )
    lines += ["", "| goal | wanted | found | |", "| --- | --- | ---: | --- |"]
    for name in (RECORDS, TENSORS):
        title, ratio = result["systems"][name]["title"], medians[name]["requests_per_second"]
        ratio /= medians[best]["requests_per_second"]
        mark = "reached" if ratio >= TIMES_BEST_PEER else "**missed**"
        lines.append(
            f"| {title}: requests/s, times the best peer | at least {TIMES_BEST_PEER} | {ratio:.1f} | {mark} |"
        )
        lowest = min(medians[peer]["p99_ms"] for peer in peers)
        mark = "reached" if medians[name]["p99_ms"] < lowest else "**missed**"
        lines.append(f"| {title}: p99 ms | below {lowest:,.1f} | {medians[name]['p99_ms']:,.1f} | {mark} |")
    about = "{processor}, Python {python}, commit {commit}".format(**result["machine"])
    lines += ["", f"Medians of {result['rounds']} rounds, one core for the server; {about}."]
    return "\n".join(lines) + "\n"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.tabular",
        description="Compare the service with what people use instead, on a model of records.",
        epilog="example: python -m bench.tabular --rounds 1 --seconds 1 --output build/bench/results",
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of every system (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (%(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("bench/results"), help="folder of the results (%(default)s)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
