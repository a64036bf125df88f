"""Measure the synthesis of many tenants, and whether the cost per tenant grows with their number.

`python -m bench.synth` runs `tenantry synth` for 1, 10, 100 and 1,000 tenants, each time in a new project: from
scratch with an empty cache, without a change, with all manifests in the cache and none in dist/, and with one tenant
changed; several rounds in turn. It writes medians to bench/results/synth.json, with the goals for 1,000 tenants on two
cores. Seconds are wall time from the start of the command to its end. CPU time is that of all its processes, memory
that of the largest one.

It fails if the cost is not linear: a tenant at 1,000 may cost at most 1.2 times what one costs at 100, in CPU time,
which depends less on what else the machine does.
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
CASES: Final = {
    "scratch": "from scratch",
    "unchanged": "unchanged",
    "cached": "from the cache",
    "one_changed": "one changed",
}
GOALS: Final = {"scratch": 15, "one_changed": 3, "unchanged": 1}
"""Seconds on two cores."""
GOAL_TENANTS: Final = 1000
LINEAR: Final = 1.2
"""Highest cost per tenant at the largest count, relative to the cost at a tenth of that count."""
RESULT: Final = Path(__file__).parent / "results" / "synth.json"
ROOT: Final = Path(__file__).parents[1]
Figures = dict[str, float]
HEAD: Final = "apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: registry.example/service:1\ntenants:\n"


def main() -> int:
    """Measure, write and print; return 1 if the cost is not linear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of tenants")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each, in turn")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures go")
    options = parser.parse_args()
    measured: dict[int, list[Figures]] = {count: [] for count in options.counts}
    for turn in range(options.rounds):
        for count in options.counts:
            figures = measure(count)
            measured[count].append(figures)
            print(
                f"round {turn + 1}: {count:5} tenants {figures['scratch_seconds']:7.2f} s", file=sys.stderr, flush=True
            )
    report = summarize(measured)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in report["tenants"]:
        for case, text in CASES.items():
            print(
                f"{row['tenants']:5} tenants, {text:14} {row[case]['seconds']:6.2f} s, "
                f"CPU {row[case]['cpu_seconds']:6.2f} s, {row[case]['memory_mib']:4.0f} MiB in the largest process"
            )
    for case, each in report["goals"].items():
        print(f"{CASES[case]}: goal {each['goal_seconds']} s {'met' if each['met'] else 'NOT met'}")
    print(f"{'linear' if report['linear'] else 'NOT linear'}: {report['ratio']} of {LINEAR} allowed")
    return 0 if report["linear"] else 1


def measure(count: int) -> Figures:
    """Synthesize a new project in every case: the time and memory of each, and what was written."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copy(ROOT / "main.py", project)
        file, output = project / "platform.yaml", project / "dist"
        tenants = [f"  - name: tenant-{index}\n    model: s3://models/tenant-{index}/spam\n" for index in range(count)]
        file.write_text(HEAD + "".join(tenants), encoding="utf-8")
        figures = _named("scratch", _synth(project)) | _named("unchanged", _synth(project))
        shutil.rmtree(output)
        figures |= _named("cached", _synth(project))
        tenants[0] += "    autoscaling: {maxReplicas: 9}\n"
        file.write_text(HEAD + "".join(tenants), encoding="utf-8")
        figures |= _named("one_changed", _synth(project))
        files = list(output.iterdir())
        objects = sum(path.read_text(encoding="utf-8").count("\n---\n") + 1 for path in files if "tenant-" in path.name)
        size = sum(path.stat().st_size for path in files)
    return {**figures, "objects": objects, "bytes": size}


def _named(case: str, figures: Figures) -> Figures:
    return {f"{case}_{name}": value for name, value in figures.items()}


def _synth(project: Path) -> Figures:
    """Run the command, with a cache inside the project: CPU time of all its processes, memory of the largest one."""
    command = [sys.executable, "-m", "tenantry", "synth", "--file", "platform.yaml", "--output", "dist"]
    environment = os.environ | {"TENANTRY_CACHE": str(project / "cache"), "PYTHONPATH": str(ROOT)}
    # As for a user: Python compiles each module once, and not in every process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"tenantry synth ended with {process.returncode}")
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "memory_mib": used.ru_maxrss / 1024}


def summarize(measured: dict[int, list[Figures]]) -> dict[str, Any]:
    """Medians by count, the goals, and whether the largest count costs at most LINEAR times as much per tenant."""
    rows: list[dict[str, Any]] = []
    for count, rounds in sorted(measured.items()):
        median = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        rows.append(
            {
                "tenants": count,
                **{
                    case: {
                        name: round(median[f"{case}_{name}"], 3) for name in ("seconds", "cpu_seconds", "memory_mib")
                    }
                    for case in CASES
                },
                "cpu_milliseconds_per_tenant": round(median["scratch_cpu_seconds"] / count * 1000, 2),
                "objects_per_tenant": int(median["objects"] / count),
                "kilobytes_per_tenant": round(median["bytes"] / count / 1000, 1),
                "rounds": len(rounds),
            }
        )
    costs = [row["cpu_milliseconds_per_tenant"] for row in rows[-2:]]
    ratio = round(costs[-1] / costs[0], 3)
    largest = rows[-1]
    goals = {
        case: {"goal_seconds": goal, "met": largest[case]["seconds"] <= goal}
        for case, goal in GOALS.items()
        if largest["tenants"] == GOAL_TENANTS
    }
    return {"tenants": rows, "goals": goals, "ratio": ratio, "linear": ratio <= LINEAR, **machine()}


if __name__ == "__main__":
    sys.exit(main())
