"""Measure the synthesis of many tenants, and whether the cost per tenant grows with their number.

`python -m bench.synth` runs `tenantry synth` for 1, 10, 100 and 1,000 tenants, each time in a new project: from
scratch, without a change, and with one tenant changed; several rounds in turn. It writes medians to
bench/results/synth.json. It fails if the cost is not linear: a tenant at 1,000 may cost at most 1.2 times what one
costs at 100, in CPU time of all processes, which the load of the machine hardly changes. Seconds are wall time.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.machine import machine

COUNTS: Final = (1, 10, 100, 1000)
ROUNDS: Final = 3
LINEAR: Final = 1.2
"""Highest cost per tenant at the largest count, relative to the cost at a tenth of that count."""
RESULT: Final = Path(__file__).parent / "results" / "synth.json"
ROOT: Final = Path(__file__).parents[1]
HEAD: Final = "apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: registry.example/service:1\ntenants:\n"


def main() -> int:
    """Measure, write and print; return 1 if the cost is not linear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of tenants")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each, in turn")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures go")
    options = parser.parse_args()
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in options.counts}
    for turn in range(options.rounds):
        for count in options.counts:
            figures = measure(count)
            measured[count].append(figures)
            print(f"round {turn + 1}: {count:5} tenants {figures['seconds']:7.2f} s", file=sys.stderr, flush=True)
    report = summarize(measured)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in report["tenants"]:
        print(
            f"{row['tenants']:5} tenants {row['seconds']:7.2f} s (CPU {row['cpu_seconds']:.2f} s), "
            f"one changed {row['one_changed_seconds']:.2f} s (CPU {row['one_changed_cpu_seconds']:.2f} s), "
            f"unchanged {row['unchanged_seconds']:.2f} s (CPU {row['unchanged_cpu_seconds']:.2f} s), "
            f"{row['memory_mib']:.0f} MiB in the largest process"
        )
    print(f"{'linear' if report['linear'] else 'NOT linear'}: {report['ratio']} of {LINEAR} allowed")
    return 0 if report["linear"] else 1


def measure(count: int) -> dict[str, float]:
    """Synthesize a new project three times: seconds of wall time and of CPU time, and what was written."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copy(ROOT / "main.py", project)
        file, output = project / "platform.yaml", project / "dist"
        tenants = [f"  - name: tenant-{index}\n    model: s3://models/tenant-{index}/spam\n" for index in range(count)]
        file.write_text(HEAD + "".join(tenants), encoding="utf-8")
        scratch = _synth(project)
        unchanged = _synth(project)
        tenants[0] += "    autoscaling: {maxReplicas: 9}\n"
        file.write_text(HEAD + "".join(tenants), encoding="utf-8")
        changed = _synth(project)
        files = list(output.iterdir())
        objects = sum(path.read_text(encoding="utf-8").count("\n---\n") + 1 for path in files if "tenant-" in path.name)
        size = sum(path.stat().st_size for path in files)
    return {
        **scratch,
        **{f"unchanged_{name}": value for name, value in unchanged.items()},
        **{f"one_changed_{name}": value for name, value in changed.items()},
        "objects": objects,
        "bytes": size,
    }


def _synth(project: Path) -> dict[str, float]:
    """Run the command, with a cache inside the project: CPU time of all its processes, memory of the largest one."""
    command = [sys.executable, "-m", "tenantry", "synth", "--file", "platform.yaml", "--output", "dist"]
    environment = os.environ | {"TENANTRY_CACHE": str(project / "cache"), "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"tenantry synth ended with {process.returncode}")
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "memory_mib": used.ru_maxrss / 1024}


def summarize(measured: dict[int, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians by count, and whether the largest count costs at most LINEAR times as much per tenant."""
    rows: list[dict[str, Any]] = []
    for count, rounds in sorted(measured.items()):
        median = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        rows.append(
            {
                "tenants": count,
                **{name: round(value, 3) for name, value in median.items() if name.endswith("seconds")},
                "cpu_milliseconds_a_tenant": round(median["cpu_seconds"] / count * 1000, 2),
                "objects_a_tenant": int(median["objects"] / count),
                "kilobytes_a_tenant": round(median["bytes"] / count / 1000, 1),
                "memory_mib": round(median["memory_mib"], 1),
                "rounds": len(rounds),
            }
        )
    costs = [row["cpu_milliseconds_a_tenant"] for row in rows[-2:]]
    ratio = round(costs[-1] / costs[0], 3)
    return {
        "tenants": rows,
        "ratio": ratio,
        "linear": ratio <= LINEAR,
        **machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
