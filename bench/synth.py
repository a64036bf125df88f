"""Measure the synthesis of many tenants, and whether the cost per tenant grows with their number.

`python -m bench.synth` synthesizes 1, 10, 100 and 1,000 tenants, each time in a process of its own, several rounds in
turn, and writes medians to bench/results/synth.json. It fails where the cost is not linear: a tenant at 1,000 may cost
at most 1.2 times what one costs at 100, in CPU time of Python and of the Node that jsii runs, which what else the
machine does hardly changes. Seconds are those of a clock on the wall.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

COUNTS: Final = (1, 10, 100, 1000)
ROUNDS: Final = 3
LINEAR: Final = 1.2
"""Highest cost per tenant at the largest count, relative to the cost at a tenth of that count."""
RESULT: Final = Path(__file__).parent / "results" / "synth.json"


def main() -> int:
    """Measure, write and print; return 1 if the cost is not linear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of tenants")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each, in turn")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures go")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return 0
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in options.counts}
    for turn in range(options.rounds):
        for count in options.counts:
            figures = _in_a_process(count)
            measured[count].append(figures)
            print(f"round {turn + 1}: {count:5} tenants {figures['seconds']:7.2f} s", file=sys.stderr, flush=True)
    report = summarize(measured)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in report["tenants"]:
        print(
            f"{row['tenants']:5} tenants {row['seconds']:7.2f} s {row['milliseconds_a_tenant']:7.1f} ms a tenant, "
            f"{row['cpu_milliseconds_a_tenant']:.1f} of CPU, "
            f"{row['objects_a_tenant']} objects a tenant {row['memory_mib']:6.0f} MiB"
        )
    print(f"{'linear' if report['linear'] else 'NOT linear'}: {report['ratio']} of {LINEAR} allowed")
    return 0 if report["linear"] else 1


def measure(count: int) -> dict[str, float]:
    """Synthesize once in this process: seconds from the file to manifests on disk, memory of Python and Node in MiB."""
    began = time.perf_counter()
    from constructs_lib.dist import write  # noqa: PLC0415 - loading jsii is measured
    from constructs_lib.platform import Platform  # noqa: PLC0415

    loaded, loaded_cpu = time.perf_counter(), _cpu_seconds()
    tenants = [{"name": f"tenant-{index}", "model": f"s3://models/tenant-{index}/spam"} for index in range(count)]
    data = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1"},
        "tenants": tenants,
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "dist")
        write(Platform.model_validate(data), output)
        done, done_cpu = time.perf_counter(), _cpu_seconds()
        files = list(output.iterdir())
        objects = sum(path.read_text(encoding="utf-8").count("\n---\n") + 1 for path in files if "tenant-" in path.name)
        size = sum(path.stat().st_size for path in files)
    return {
        "import_seconds": loaded - began,
        "seconds": done - loaded,
        "objects": objects,
        "files": len(files),
        "bytes": size,
        "cpu_seconds": done_cpu - loaded_cpu,
        "memory_mib": _peak_memory_mib(),
    }


def summarize(measured: dict[int, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians by count, and whether the largest count costs at most LINEAR times as much per tenant."""
    rows: list[dict[str, Any]] = []
    for count, rounds in sorted(measured.items()):
        median = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        rows.append(
            {
                "tenants": count,
                "seconds": round(median["seconds"], 3),
                "import_seconds": round(median["import_seconds"], 3),
                "milliseconds_a_tenant": round(median["seconds"] / count * 1000, 2),
                "cpu_milliseconds_a_tenant": round(median["cpu_seconds"] / count * 1000, 2),
                "objects_a_tenant": int(median["objects"] / count),
                "kilobytes_a_tenant": round(median["bytes"] / count / 1000, 1),
                "memory_mib": round(median["memory_mib"], 1),
                "rounds": len(rounds),
            }
        )
    costs = [row["cpu_milliseconds_a_tenant"] for row in rows[-2:]]
    ratio = round(costs[-1] / costs[0], 3)
    return {"tenants": rows, "ratio": ratio, "linear": ratio <= LINEAR, "python": platform.python_version()}


def _in_a_process(count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.synth", "--one", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _cpu_seconds() -> float:
    """CPU time so far of this process and of the Node process that jsii runs."""
    own = os.times()
    ticks = 0
    for pid in _descendants(str(os.getpid())):
        fields = Path("/proc", pid, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # user and system
    return own.user + own.system + ticks / os.sysconf("SC_CLK_TCK")


def _peak_memory_mib() -> float:
    """Peak resident memory of this process and of the Node process that jsii runs, together (Linux)."""
    own = str(os.getpid())
    peaks = (_field(Path("/proc", pid, "status"), "VmHWM") for pid in [own, *_descendants(own)])
    return sum(peaks) / 1024


def _descendants(pid: str) -> list[str]:
    """The descendants of a process."""
    parents = {each.parent.name: _field(each, "PPid") for each in Path("/proc").glob("[0-9]*/status")}
    children = [each for each, parent in parents.items() if str(parent) == pid]
    return [*children, *(below for child in children for below in _descendants(child))]


def _field(status: Path, name: str) -> int:
    """A number in /proc/<pid>/status; 0 if the process has ended."""
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


if __name__ == "__main__":
    sys.exit(main())
