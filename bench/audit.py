"""How long the audit takes, how its cost grows, and how much memory it needs.

`python -m bench.audit` makes two kinds of input: tenants, as `tenantry synth` writes them, and a crowd of namespaces
with ten workloads and sixty policies each, no two alike. For each size it runs `tenantry audit reach --format json` in
a process of its own, in turn, several rounds, and writes medians to bench/results/audit.json. It fails where a larger
input costs more than GROWTH times as much per object, in CPU time, which other work on the machine hardly changes.

It also measures `tenantry audit all`, every report over one reading, for the largest number of tenants.

Another analyzer can be measured in the same run: `--peer 'PROGRAM OPTIONS'` runs that command with the folder of
tenants as its last argument.
"""

import argparse
import json
import os
import random
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.machine import machine

TENANTS: Final = (10, 100, 1000)
CROWDS: Final = (10, 100, 1000)
"""Namespaces of a crowd; each has WORKLOADS workloads and POLICIES policies of each."""
WORKLOADS: Final = 10
POLICIES: Final = 6
ROUNDS: Final = 3
GROWTH: Final = {"tenants": 1.5, "crowd": 4.0}
"""What an object may cost at the largest size, in units of what it costs at a tenth of that. In a crowd everything
differs, so the report itself grows faster than the input."""
RESULT: Final = Path(__file__).parent / "results" / "audit.json"


def main() -> int:
    """Measure, write, print; 1 where the cost grows too fast."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, nargs="+", default=TENANTS, help="numbers of tenants")
    parser.add_argument("--crowds", type=int, nargs="+", default=CROWDS, help="numbers of namespaces in a crowd")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each, in turn")
    parser.add_argument("--peer", help="command of another analyzer; the folder of tenants is appended")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the figures go")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inputs = dict(_inputs(Path(folder), options.tenants, options.crowds))
        commands = {
            name: [sys.executable, "-m", "tenantry", "audit", "reach", str(path), "--format", "json"]
            for name, path in inputs.items()
        }
        largest = inputs[f"tenants-{max(options.tenants)}"]
        everything = ["audit", "all", str(largest), "--contract", str(_contract_file(largest)), "--format", "json"]
        commands["all reports"] = [sys.executable, "-m", "tenantry", *everything]
        if options.peer:
            commands["peer"] = [*shlex.split(options.peer), str(largest)]
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
        for turn in range(options.rounds):
            for name, command in commands.items():
                figures = _run(command)
                measured[name].append(figures)
                print(f"round {turn + 1}: {name:14} {figures['seconds']:7.2f} s", file=sys.stderr, flush=True)
        report = _report(measured, {name: inputs.get(name, largest) for name in measured})
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, row in report["inputs"].items():
        print(
            f"{name:14} {row['objects']:7,} objects {row['megabytes']:6.1f} MB {row['seconds']:7.2f} s "
            f"({row['cpu_seconds']:.2f} of CPU) {row['memory_mib']:6.0f} MiB"
        )
    for kind, growth in report["growth"].items():
        print(f"{kind}: per object {growth['ratio']} times the cost at a smaller size, {growth['allowed']} allowed")
    return 0 if all(growth["ratio"] <= growth["allowed"] for growth in report["growth"].values()) else 1


def _inputs(folder: Path, tenants: list[int], crowds: list[int]) -> Iterator[tuple[str, Path]]:
    makers: dict[str, tuple[list[int], Callable[[int, Path], None]]] = {
        "tenants": (tenants, _tenants),
        "crowd": (crowds, _crowd),
    }
    for kind, (counts, make) in makers.items():
        for count in sorted(counts):
            path = folder / f"{kind}-{count}"
            make(count, path)
            yield path.name, path


def _contract_file(folder: Path) -> Path:
    """The file of the tenants' contract, beside their manifests."""
    return folder.with_name(f"{folder.name}.contract.yaml")


def _tenants(count: int, folder: Path) -> None:
    """Manifests of tenants and their contract, in a process of its own: jsii keeps memory."""
    code = (
        "import sys, yaml; from pathlib import Path; from constructs_lib.dist import write; "
        "from constructs_lib.platform import Platform; from tenantry.isolation import contract_of; "
        "names = [f'tenant-{n}' for n in range(int(sys.argv[1]))]; "
        "data = {'apiVersion': 'tenantry.dev/v1alpha1', 'platform': {'image': 'registry.example/service:1'}, "
        "'tenants': [{'name': name, 'model': f's3://models/{name}/spam'} for name in names]}; "
        "platform = Platform.model_validate(data); write(platform, Path(sys.argv[2])); "
        "Path(sys.argv[3]).write_text(yaml.safe_dump(contract_of(platform)))"
    )
    subprocess.run([sys.executable, "-c", code, str(count), str(folder), str(_contract_file(folder))], check=True)


def _crowd(count: int, folder: Path) -> None:
    """Namespaces whose workloads and policies all differ, from a fixed seed."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    folder.mkdir()
    for number in range(count):
        space = f"ns-{number}"
        objects: list[dict[str, Any]] = [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": space, "labels": {"team": f"t{number % 20}"}},
            }
        ]
        for index in range(WORKLOADS):
            name = f"app-{index}"
            pod = {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8000 + index}]}]}
            template = {"metadata": {"labels": {"app": name}}, "spec": pod}
            meta = {"name": name, "namespace": space}
            objects.append(
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}}
            )
            objects += [_policy(chance, space, name, policy) for policy in range(POLICIES)]
        (folder / f"{space}.yaml").write_text("".join(map(_document, objects)), encoding="utf-8")


def _policy(chance: random.Random, space: str, name: str, number: int) -> dict[str, Any]:
    other = chance.randrange(WORKLOADS)
    pods = {"podSelector": {"matchLabels": {"app": f"app-{other}"}}}
    peers: list[dict[str, Any]] = [
        pods,
        {"namespaceSelector": {"matchLabels": {"team": f"t{chance.randrange(20)}"}}, **pods},
        {"ipBlock": {"cidr": f"10.{chance.randrange(256)}.0.0/16"}},
    ]
    direction, side = (("ingress", "from"), ("egress", "to"))[number % 2]
    rule = {side: [peers[number % len(peers)]], "ports": [{"protocol": "TCP", "port": 8000 + other}]}
    spec = {
        "podSelector": {"matchLabels": {"app": name}},
        "policyTypes": [direction.capitalize()],
        direction: [rule],
    }
    meta = {"name": f"{name}-{number}", "namespace": space}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def _document(data: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415 - only crowds need it

    return f"---\n{yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False)}"


def _run(command: list[str]) -> dict[str, float]:
    """Run a command to its end: seconds on the wall, CPU seconds, and the highest memory (Linux)."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{shlex.join(command)} failed: exit code {os.waitstatus_to_exitcode(status)}")
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "memory_mib": _mebibytes(used)}


def _mebibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


def _report(measured: dict[str, list[dict[str, float]]], inputs: dict[str, Path]) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    for name, rounds in measured.items():
        texts = [path.read_text(encoding="utf-8") for path in inputs[name].iterdir()]
        median = {key: round(statistics.median(each[key] for each in rounds), 3) for key in rounds[0]}
        rows[name] = {
            **median,
            "objects": sum(text.count("\nkind: ") + text.startswith("kind: ") for text in texts),
            "megabytes": round(sum(map(len, texts)) / 1e6, 2),
            "rounds": len(rounds),
        }
    growth = {kind: _growth(rows, kind) for kind in GROWTH}
    return {"inputs": rows, "growth": growth, **machine()}


def _growth(rows: dict[str, dict[str, Any]], kind: str) -> dict[str, float]:
    """What an object costs at the largest size, in units of what it costs at the one before."""
    sizes = sorted((name for name in rows if name.startswith(f"{kind}-")), key=lambda name: rows[name]["objects"])
    costs = [rows[name]["cpu_seconds"] / max(rows[name]["objects"], 1) for name in sizes[-2:]]
    return {"ratio": round(costs[-1] / costs[0], 3), "allowed": GROWTH[kind]}


if __name__ == "__main__":
    sys.exit(main())
