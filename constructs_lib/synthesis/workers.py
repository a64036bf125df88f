"""Writes the manifests of many tenants in several processes: jsii uses one core."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from constructs_lib.errors import PropsError
from constructs_lib.inputs import TenantInput

MAXIMUM: Final = 8
"""Maximum number of processes; each takes up to 500 MB."""
TENANTS_EACH: Final = 20
"""Tenants for which a process is worth its start of about a second."""
UNCHECKED_EACH: Final = 200
"""Tenants per process from which `python -O` switches off jsii's type checks, an eighth of the CPU time. For fewer, it
would take longer to compile the bindings, which Python must do each time if it cannot write beside them."""
_MODULE: Final = f"{__package__}.worker"
# Not `-m`: the module must be found where this process found it, whatever the current folder is.
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib import import_module; import_module(sys.argv[2]).main()"
)


def count(tenants: int) -> int:
    """How many processes to use for this number of tenants; 1 means none besides this one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAXIMUM, tenants // TENANTS_EACH))


def write_all(tenants: Sequence[TenantInput], outdir: Path, *, processes: int) -> None:
    """Write a manifest for each tenant.

    Args:
        tenants: the tenants.
        outdir: the folder.
        processes: how many processes to start.

    Raises:
        PropsError: a property of a tenant is wrong.
        RuntimeError: a process ended early.
    """
    options = ["-O"] if len(tenants) >= processes * UNCHECKED_EACH else []
    queue: SimpleQueue[TenantInput] = SimpleQueue()
    for each in tenants:
        queue.put(each)
    with ThreadPoolExecutor(processes) as pool:
        running = [pool.submit(_serve, queue, outdir, options) for _ in range(processes)]
        try:
            for process in running:
                process.result()
        except BaseException:
            _drain(queue)  # the other processes end after the tenant that they are at
            raise


def _serve(queue: "SimpleQueue[TenantInput]", outdir: Path, options: Sequence[str]) -> None:
    """Start a process and give it tenants until there are none left."""
    command = [sys.executable, *options, "-c", _START, json.dumps(sys.path), _MODULE]
    # In a session of its own, it is not interrupted by Ctrl-C: it ends when its standard input is closed.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    ) as process:
        try:
            _send(process, json.dumps(str(outdir)))
            while (tenant := _next(queue)) is not None:
                _write_one(process, tenant)
        except BaseException:
            _drain(queue)
            process.kill()
            raise


def _write_one(process: subprocess.Popen[str], tenant: TenantInput) -> None:
    _send(process, tenant.model_dump_json())
    answer = process.stdout.readline() if process.stdout else ""
    if not answer:
        raise RuntimeError(f"the process that writes '{tenant.name}' ended with {process.wait()}")
    if error := json.loads(answer).get("error"):
        raise PropsError(error)


def _send(process: subprocess.Popen[str], line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the missing answer says it
        print(line, file=process.stdin, flush=True)


def _next(queue: "SimpleQueue[TenantInput]") -> TenantInput | None:
    try:
        return queue.get_nowait()
    except Empty:
        return None


def _drain(queue: "SimpleQueue[TenantInput]") -> None:
    while _next(queue) is not None:
        pass
