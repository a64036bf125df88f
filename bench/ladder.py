"""`python -m bench.ladder`: what each step from the naive service to ours gained, and where a request spends its time.

Writes a table to `bench/results/ladder.md` and prints it. Costs are processor time a request, kernel included.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import track

from bench.serving.run import check, load, require, running
from bench.serving.systems import CONSTANT, HOST, NAIVE, OURS, PORT, BenchError, System, install, systems
from bench.serving.work import MAILS, SHORT, Work, prepare
from inference.model.artifact import read_directory
from inference.model.classifier import TextClassifier
from inference.serving.application import create_app
from inference.serving.schemas import PredictRequest, PredictResponse
from inference.settings import Settings

FOLDER: Final = Path("build/bench")
WORKLOADS: Final = (SHORT, MAILS)
_CHECKED: Final = 50
_TURNS: Final = 7


def main(arguments: list[str] | None = None) -> int:
    """Measure, write and print; return 1 if a step gives a different answer."""
    options = _options(arguments)
    console = Console(stderr=True)
    try:
        require()
        console.print("training the model")
        work = prepare(FOLDER)
        install(NAIVE, FOLDER, console.print)
        text = f"{_steps_table(work, options.rounds, options.seconds, console)}\n{_inside_table(work)}"
    except BenchError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "ladder.md").write_text(text)
    print(text)
    return 0


def steps(work: Work) -> list[System]:
    """From the naive service to ours, one step at a time, and the constant answer."""
    known = {system.name: system for system in systems(work, FOLDER)}
    uvicorn = (sys.executable, "-m", "uvicorn", "--host", HOST, "--port", str(PORT), "--log-level", "warning")
    quiet = (*uvicorn, "--no-access-log")

    def with_scorer(scorer: str, title: str) -> System:
        return System(
            name=f"fastapi-{scorer}",
            title=title,
            command=(*quiet, "--app-dir", "bench/peers/steps", "fastapi_scorer:app"),
            path="/predict",
            environment={"MODEL": str(work.model), "SCORER": scorer},
        )

    return [
        known[NAIVE],
        with_scorer("python", "scikit-learn replaced by the reference scorer, on the loop"),
        with_scorer("compiled", "the scorer compiled"),
        System(
            name="below-fastapi",
            title="routed below FastAPI, msgspec; metrics, limits",
            command=(*quiet, "--app-dir", "bench/peers/steps", "--factory", "below_fastapi:make"),
            path="/predict",
            environment=known[OURS].environment,
        ),
        known[OURS],
        known[CONSTANT],
    ]


def _steps_table(work: Work, rounds: int, seconds: int, console: Console) -> str:
    costs: dict[tuple[str, str], list[float]] = {}
    chosen = steps(work)
    for system in track(chosen * rounds, "steps, in turns", console=console):
        with running(system, work.texts[SHORT][0], FOLDER / "logs" / f"{system.name}.log") as target:
            checked = work.texts[MAILS][:_CHECKED]
            check(target, checked, work.expected(checked))
            for workload in WORKLOADS:
                file = FOLDER / "bodies" / f"ladder-{workload}.jsonl"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"".join(system.encode(text) + b"\n" for text in work.texts[workload]))
                costs.setdefault((system.name, workload), []).append(load(target, file, 32, seconds)["cpu_us"])
    lines = ["| step | short message, us | real mail, us |", "| --- | ---: | ---: |"]
    for system in chosen:
        short, mail = (median(costs[system.name, workload]) for workload in WORKLOADS)
        lines.append(f"| {system.title} | {short:,.0f} | {mail:,.0f} |")
    return "\n".join(lines) + "\n"


def _inside_table(work: Work) -> str:
    """The parts of one answer, each measured alone on a short message and on a mail of ordinary length."""
    model = TextClassifier.from_artifact(read_directory(work.model))
    app = create_app(Settings(model_uri=str(work.model)))
    app.service.add_model(model)
    mail = sorted(work.texts[MAILS], key=len)[len(work.texts[MAILS]) * 2 // 3]
    service = app.service
    answer = partial(service.predict_endpoint.answer, caller=service.callers.anonymous)
    columns = [_parts(answer, model, text) for text in (work.texts[SHORT][0], mail)]
    lines = [f"| part | a short message, us | a mail of {len(mail):,} characters, us |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {short:.2f} | {columns[1][name]:.2f} |" for name, short in columns[0].items()]
    return "\n".join(lines) + "\n"


def _parts(answer: Callable[[bytes], object], model: TextClassifier, text: str) -> dict[str, float]:
    body = msgspec.json.encode({"text": text})
    decode = msgspec.json.Decoder(PredictRequest).decode
    found = model.predict(text)
    response = PredictResponse(found.label, found.confidence)
    return {
        "read the JSON": _cost(lambda: decode(body)),
        "score": _cost(lambda: model.predict(text)),
        "write the JSON": _cost(lambda: msgspec.json.encode(response)),
        "all of it, checked and measured": _cost(lambda: answer(body)),
    }


def _cost(work: Callable[[], object], calls: int = 5_000) -> float:
    best = float("inf")
    for _ in range(_TURNS):
        begin = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, time.process_time() - begin)
    return best / calls * 1e6


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ladder",
        description="Measure what each step from the naive service to ours bought.",
        epilog="example: python -m bench.ladder --rounds 1 --seconds 1 --output build/bench/results",
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns of every step (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path("bench/results"), help="folder of the table (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
