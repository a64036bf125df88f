"""What many tenants cost: time and memory of synth, apply, rules and audit, from 1 to 1,000 tenants, with the growth.

`python -m bench.scale` makes projects of each size. It runs `tenantry synth`, `tenantry apply` on an API server of its
own (etcd, kube-apiserver and kubectl on PATH) and `tenantry audit reach`, each in a process of its own, and writes
bench/results/scale.json and docs/scale.svg. CPU time is that of the command and its child processes, memory that of the
largest of them. The cost of rules is copied from bench/results/rules.json if `make bench-rules` has written it, because
a Prometheus needs minutes for it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.machine import machine
from tests.control_plane import ControlPlane, control_plane

COUNTS: Final = (1, 10, 100, 1000)
ROOT: Final = Path(__file__).parents[1]
RESULT: Final = Path(__file__).parent / "results" / "scale.json"
RULES: Final = Path(__file__).parent / "results" / "rules.json"
PICTURE: Final = ROOT / "docs" / "scale.svg"
HEAD: Final = "apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: registry.example/service:1\ntenants:\n"
SHOWN: Final = {
    "synth": "synth, from scratch",
    "synth_one_changed": "synth, one tenant changed",
    "apply": "apply, new tenants",
    "apply_one_changed": "apply, one tenant changed",
    "audit": "audit reach",
}
Figures = dict[str, float]


def main() -> int:
    """Measure, write, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of tenants")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures go")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the picture goes")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in sorted(options.counts):
            row = {"tenants": count, **dict(_measured(Path(folder, str(count)), count))}
            rows.append(row)
            shown = ", ".join(f"{name} {row[name]['seconds']:.1f} s" for name in SHOWN)
            print(f"{count:5} tenants: {shown}", file=sys.stderr, flush=True)
    report = {"tenants": rows, "growth": growth(rows), "rules": _rules(), "machine": machine()}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    draw(rows, options.picture)
    for name, figures in report["growth"].items():
        print(f"{SHOWN[name]}: {figures['cpu_milliseconds']} ms of CPU time and {figures['kibibytes']} KiB per tenant")
    return 0


def growth(rows: list[dict[str, Any]]) -> dict[str, Figures]:
    """What each further tenant costs between the two largest sizes: CPU milliseconds, KiB of the largest process."""
    if len(rows) < 2:  # noqa: PLR2004 - a difference needs two
        return {}
    small, large = rows[-2:]
    more = large["tenants"] - small["tenants"]
    return {
        name: {
            "cpu_milliseconds": round((large[name]["cpu_seconds"] - small[name]["cpu_seconds"]) * 1000 / more, 2),
            "kibibytes": round((large[name]["memory_mib"] - small[name]["memory_mib"]) * 1024 / more, 1),
        }
        for name in SHOWN
    }


def _measured(project: Path, count: int) -> Iterator[tuple[str, Figures]]:
    project.mkdir()
    shutil.copy(ROOT / "main.py", project)
    tenants = [f"  - name: tenant-{index}\n    model: s3://models/tenant-{index}/spam\n" for index in range(count)]
    _write(project, tenants)
    yield "synth", _run(project, "synth")
    yield "synth_unchanged", _run(project, "synth")
    yield "audit", _run(project, "audit", "reach", "dist", "--format", "json")
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder)) as plane:
        yield "apply", _apply(project, plane)
        yield "apply_unchanged", _apply(project, plane)
        tenants[0] += "    autoscaling: {maxReplicas: 9}\n"
        _write(project, tenants)
        yield "synth_one_changed", _run(project, "synth")
        yield "apply_one_changed", _apply(project, plane)


def _write(project: Path, tenants: list[str]) -> None:
    (project / "platform.yaml").write_text(HEAD + "".join(tenants), encoding="utf-8")


def _apply(project: Path, plane: ControlPlane) -> Figures:
    environment = {"KUBECONFIG": str(plane.kubeconfig), "CONFIRM": "scratch"}
    environment["SKIP_PREFLIGHT"] = "the API server has no nodes"
    before = plane.requests()
    figures = _run(project, "apply", **environment)
    return {**figures, "requests": plane.requests() - before}


def _run(project: Path, *arguments: str, **environment: str) -> Figures:
    """Run a command: seconds, CPU seconds of it and its children, MiB of the largest of these processes."""
    own = {"TENANTRY_CACHE": str(project / "cache"), "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tenantry", *arguments],
        cwd=project,
        env=os.environ | own | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"tenantry {' '.join(arguments)} ended with {process.returncode}")
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "memory_mib": round(used.ru_maxrss / 1024, 1),
    }


def _rules() -> Any:
    """What `make bench-rules` measured last; None if it has not run."""
    return json.loads(RULES.read_text("utf-8")) if RULES.is_file() else None


def draw(rows: list[dict[str, Any]], file: Path) -> None:
    """Draw CPU time and memory by the number of tenants, both on logarithmic scales; the same data, the same SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second, and only the picture needs it

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    counts = [row["tenants"] for row in rows]
    with plt.rc_context({"svg.hashsalt": "scale", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}):
        figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
        parts = (("cpu_seconds", "CPU time, seconds"), ("memory_mib", "memory of the largest process, MiB"))
        for axis, (key, title) in zip(axes, parts, strict=True):
            for name, label in SHOWN.items():
                axis.plot(counts, [row[name][key] for row in rows], marker="o", markersize=3, label=label)
            axis.set(xscale="log", yscale="log", xlabel="tenants", title=title)
            axis.grid(visible=True, alpha=0.3)
        axes[0].legend(fontsize=7.5)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
