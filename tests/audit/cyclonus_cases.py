"""The cases of cyclonus, read from the data in `cyclonus/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final

import yaml

from tests.audit.kube_objects import namespace, pod
from tests.audit.reference import Assumptions, Object

DATA: Final = Path(__file__).parent / "cyclonus"
GROUPS: Final = ("target", "rules", "peers", "ports", "examples", "actions", "conflicts", "namespaces", "upstream")
ASSUMPTIONS: Final = Assumptions(ip_blocks_cover_pods=True)
"""Cyclonus compares an ipBlock with the pod's address, as most network plugins do."""
_VERDICTS: Final = {"+": "allowed", "-": "denied"}


@dataclass(frozen=True)
class Cell:
    """One connection between pods, with what cyclonus expects of it."""

    source: str
    destination: str
    port: int
    protocol: str
    expected: str

    @property
    def is_loopback(self) -> bool:
        """Whether the pod asks itself."""
        return self.source == self.destination


@dataclass(frozen=True)
class Step:
    """The objects after a step of a case, and its truth table."""

    name: str
    objects: list[Object]
    cells: list[Cell]


@cache
def steps(group: str) -> list[Step]:
    """The steps of a group of cases."""
    return [
        Step(f"{case['case']} ({number})", _objects(step), list(_cells(step)))
        for case in _load(group)
        for number, step in enumerate(case["steps"], 1)
    ]


def number_of_cases() -> int:
    """How many cases the data holds."""
    return sum(len(_load(group)) for group in GROUPS)


@cache
def _load(name: str) -> Any:
    with (DATA / f"{name}.yaml").open() as file:
        return yaml.load(file, yaml.CSafeLoader)


def _of(step: Object, key: str) -> dict[str, Any]:
    """What a step says, else what is common to all."""
    said: dict[str, Any] = step.get(key) or _load("cluster")[key]
    return said


def _objects(step: Object) -> list[Object]:
    ports = _load("cluster")["ports"]
    return [
        *(namespace(name, **labels) for name, labels in _of(step, "namespaces").items()),
        *(pod(key, it["labels"], ports, (it["address"],)) for key, it in _of(step, "pods").items()),
        *({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"} | each for each in step["policies"]),
    ]


def _cells(step: Object) -> Iterator[Cell]:
    """Rows are sources, columns destinations, both in the order of the pods."""
    keys = list(_of(step, "pods"))
    for table in step["expected"]:
        for which, (row, source), (column, destination) in product(table["ports"], enumerate(keys), enumerate(keys)):
            protocol, port = which.split()
            yield Cell(source, destination, int(port), protocol, _VERDICTS[table["rows"][row][column]])
