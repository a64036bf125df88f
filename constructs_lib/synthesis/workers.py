"""Writes many manifests in several processes: jsii uses one core."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from constructs_lib.errors import PropsError
from constructs_lib.inputs import ChartInput

MAXIMUM: Final = 8
"""Maximum number of processes; each takes up to 500 MB."""
MANIFESTS_EACH: Final = 20
"""Manifests for which a process is worth its start of about a second."""
UNCHECKED_EACH: Final = 200
"""Manifests per process from which `python -O` switches off jsii's type checks, about a tenth of the CPU time. For
fewer, it would take longer to compile the bindings, which Python does each time if it cannot write beside them."""
_MODULE: Final = f"{__package__}.worker"
# Not `-m`: the module must be found where this process found it, whatever the current folder is.
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib import import_module; import_module(sys.argv[2]).main()"
)


def count(manifests: int) -> int:
    """How many processes to use for this number of manifests; 1 means none besides this one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAXIMUM, manifests // MANIFESTS_EACH))


def write_all(
    items: Sequence[ChartInput], outdir: Path, *, processes: int, written: Callable[[ChartInput], None]
) -> None:
    """Write manifests.

    Args:
        items: what each manifest is made of.
        outdir: the folder.
        processes: how many processes to start.
        written: is called after each manifest, by several threads.

    Raises:
        PropsError: a property is wrong.
        RuntimeError: a process ended early.
    """
    options = ["-O"] if len(items) >= processes * UNCHECKED_EACH else []
    queue: SimpleQueue[ChartInput] = SimpleQueue()
    for each in items:
        queue.put(each)
    with ThreadPoolExecutor(processes) as pool:
        running = [pool.submit(_serve, queue, outdir, options, written) for _ in range(processes)]
        try:
            for process in running:
                process.result()
        except BaseException:
            _drain(queue)  # the other processes end after the manifest that they are at
            raise


def _serve(
    queue: "SimpleQueue[ChartInput]", outdir: Path, options: Sequence[str], written: Callable[[ChartInput], None]
) -> None:
    """Start a process and give it work until there is none left."""
    command = [sys.executable, *options, "-c", _START, json.dumps(sys.path), _MODULE]
    # In a session of its own, it is not interrupted by Ctrl-C: it ends when its standard input is closed.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    ) as process:
        try:
            _send(process, json.dumps(str(outdir)))
            while (item := _next(queue)) is not None:
                _write_one(process, item)
                written(item)
        except BaseException:
            _drain(queue)
            process.kill()
            raise


def _write_one(process: subprocess.Popen[str], item: ChartInput) -> None:
    _send(process, json.dumps([type(item).__name__, item.model_dump_json()]))
    answer = process.stdout.readline() if process.stdout else ""
    if not answer:
        raise RuntimeError(f"the process that writes '{item.name}' ended with {process.wait()}")
    if error := json.loads(answer).get("error"):
        raise PropsError(error)


def _send(process: subprocess.Popen[str], line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the missing answer says it
        print(line, file=process.stdin, flush=True)


def _next(queue: "SimpleQueue[ChartInput]") -> ChartInput | None:
    try:
        return queue.get_nowait()
    except Empty:
        return None


def _drain(queue: "SimpleQueue[ChartInput]") -> None:
    while _next(queue) is not None:
        pass
