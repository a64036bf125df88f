"""Memory and disk that a real Prometheus needs per series and per sample.

`python -m bench.series` starts a server on the loopback interface that shows, for each of many pods, the series that
Prometheus keeps of a pod, and a Prometheus that scrapes them. It fits the resident memory to the number of series. The
size of a sample on disk is that of a block of counters with random increments. Results are written to
bench/results/series.json; `constructs_lib/monitoring/load.py` contains the figures that `tenantry plan` uses, and this
command fails if they are less than what it measures.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

from bench.machine import machine
from bench.prometheus import running_prometheus, version
from constructs_lib.monitoring.load import BASE_BYTES, BYTES_PER_SAMPLE, BYTES_PER_SERIES, LABELS
from constructs_lib.monitoring.scraping import TARGET_SERIES, series_per_pod
from tenantry.programs import find

COUNTS: Final = (10, 250, 500, 1000)
"""Numbers of pods."""
INTERVAL_SECONDS: Final = 5
WARM_UP_SECONDS: Final = 40
MEASURED_SECONDS: Final = 40
DISK_SERIES: Final = 300
DISK_SECONDS: Final = 2 * 3600
RESULT: Final = Path(__file__).parent / "results" / "series.json"


def main() -> int:
    """Measure, write, print; 1 if the model of `tenantry plan` is too small."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of pods")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures are written")
    options = parser.parse_args()
    rows = [_memory(count) for count in options.counts]
    fit = statistics.linear_regression([row["series"] for row in rows], [row["memory_bytes"] for row in rows])
    bytes_per_sample = round(_disk(), 2)
    report = {
        "pods": rows,
        "series_per_pod": series_per_pod(LABELS),
        "bytes_per_series": round(fit.slope),
        "base_bytes": round(fit.intercept),
        "bytes_per_sample": bytes_per_sample,
        "prometheus": version(),
        "machine": machine(),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    enough = (
        all(BASE_BYTES + BYTES_PER_SERIES * row["series"] >= row["memory_bytes"] for row in rows)
        and bytes_per_sample <= BYTES_PER_SAMPLE
    )
    return 0 if enough else 1


def _memory(pods: int) -> dict[str, Any]:
    """Series in memory and the highest resident memory of a Prometheus that scrapes this number of pods."""
    print(f"{pods} pods: {WARM_UP_SECONDS + MEASURED_SECONDS} s", file=sys.stderr, flush=True)
    with _exposed() as port, tempfile.TemporaryDirectory(prefix="bench-series-") as folder:
        targets = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"__metrics_path__": f"/{number}", **_target(number)}}
            for number in range(pods)
        ]
        config = {
            "global": {"scrape_interval": f"{INTERVAL_SECONDS}s", "scrape_timeout": f"{INTERVAL_SECONDS}s"},
            "scrape_configs": [{"job_name": "pods", "static_configs": targets}],
        }
        with running_prometheus(Path(folder), config) as address:
            time.sleep(WARM_UP_SECONDS)
            highest = 0.0
            end = time.monotonic() + MEASURED_SECONDS
            while time.monotonic() < end:
                metrics = _metrics(address)
                highest = max(highest, metrics["process_resident_memory_bytes"])
                time.sleep(1)
    return {"pods": pods, "series": int(metrics["prometheus_tsdb_head_series"]), "memory_bytes": int(highest)}


def _target(number: int) -> dict[str, str]:
    """The labels that Prometheus takes from the target of a pod."""
    tenant = f"tenant-{number // 2:04}"
    service = f"{tenant}-ml-inference-svc"
    pod = f"{tenant}-ml-inference-5d8f6c7b9d-{number:05}"
    return {"namespace": tenant, "pod": pod, "service": service, "endpoint": "http", "container": "inference"}


def _metrics(address: str) -> dict[str, float]:
    text = httpx.get(f"{address}/metrics", timeout=30, trust_env=False).text
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value, *_ in lines}


@contextmanager
def _exposed() -> Iterator[int]:
    """A server with the series of a pod at every path; yields its port."""
    names = [
        f'inference_series_with_a_long_name_bucket{{route="predict",le="{index}"}}'
        for index in range(series_per_pod(LABELS) - TARGET_SERIES)
    ]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            now = int(time.monotonic() * 10)
            body = "".join(f"{name} {now + index}\n" for index, name in enumerate(names)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Connections are cut when Prometheus ends."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _disk() -> float:
    """Bytes per sample of a block of counters that grow by chance, with its index."""
    chance = random.Random(22)  # noqa: S311 - reproducible series, not a secret
    start = int(time.time()) // DISK_SECONDS * DISK_SECONDS - 2 * DISK_SECONDS
    times = range(start, start + DISK_SECONDS, 30)
    with tempfile.TemporaryDirectory(prefix="bench-series-") as folder:
        text, data = Path(folder, "samples.txt"), Path(folder, "data")
        with text.open("w", encoding="utf-8") as file:
            for index in range(DISK_SERIES):
                labels = ",".join(f'{name}="{value}"' for name, value in _target(index).items())
                value = 0
                for at in times:
                    value += chance.randrange(300)
                    file.write(f'requests_total{{{labels},le="{index}"}} {value} {at}\n')
            file.write("# EOF\n")
        command = [find("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
        subprocess.run(command, capture_output=True, check=True)
        size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    return size / (DISK_SERIES * len(times))


if __name__ == "__main__":
    sys.exit(main())
