"""A Prometheus of this machine that the benchmarks measure."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tenantry.programs import find


@contextmanager
def running_prometheus(folder: Path, content: dict[str, Any]) -> Iterator[str]:
    """A Prometheus with this configuration and the data in `folder/run`; yields its address."""
    config, data = folder / "prometheus.json", folder / "run"
    config.write_text(json.dumps(content))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [find("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={data}",
               f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=30d"]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, address, folder / "prometheus.log")
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Prometheus did not start: {log.read_text()[-1000:]}")
        try:
            if httpx.get(f"{address}/-/ready", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)


def version() -> str:
    """The version of Prometheus."""
    result = subprocess.run([find("prometheus"), "--version"], capture_output=True, text=True, check=True)
    return (result.stdout + result.stderr).split()[2]
