"""Kubernetes quantities of CPU and memory, as checked text and as whole numbers.

The user's text is kept as it is written (`0.5` stays `0.5`); sums use millicores and bytes.
"""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from constructs_lib.platform._section import refuse

_CPU = re.compile(r"(?P<number>[0-9]+(\.[0-9]{1,3})?)(?P<unit>m?)")
_MEMORY = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>Ki|Mi|Gi|Ti|k|M|G|T)?")
_POD_CORES = 32
_BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def millicores(cpu: str) -> int:
    """A CPU quantity in millicores: `500m` and `0.5` are 500."""
    match = _CPU.fullmatch(cpu)
    if match is None:
        raise ValueError(f"'{cpu}' is not a CPU quantity")
    return int(Decimal(match["number"]) * (1 if match["unit"] else 1000))


def byte_count(memory: str) -> int:
    """A memory quantity in bytes: `512Mi` is 536870912."""
    match = _MEMORY.fullmatch(memory)
    if match is None:
        raise ValueError(f"'{memory}' is not a memory quantity")
    return int(Decimal(match["number"]) * _BYTES.get(match["unit"] or "", 1))


def cpu_text(count: int) -> str:
    """Millicores as Kubernetes writes them: 500 is `500m`, 2000 is `2`."""
    return f"{count}m" if count % 1000 else str(count // 1000)


def memory_text(count: int) -> str:
    """Bytes in the largest binary unit that represents them exactly."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]}{unit}"
    return str(count)


def _as_text(value: Any) -> Any:
    """YAML reads `cpu: 1` as a number; a quantity is text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _check_cpu(cpu: str) -> str:
    match = _CPU.fullmatch(cpu)
    if match is None or millicores(cpu) < 1 or (match["unit"] and "." in match["number"]):
        refuse("must be a CPU quantity of at least 1m: cores, or millicores with the suffix m", "write 250m, 0.5 or 2")
    return cpu


def _check_memory(memory: str) -> str:
    if _MEMORY.fullmatch(memory) is None or byte_count(memory) < _BYTES["Mi"]:
        refuse(
            "must be a memory quantity of at least 1Mi: a number with Ki, Mi, Gi, Ti, k, M, G or T",
            "write 512Mi or 1Gi",
        )
    return memory


def _check_pod_cpu(cpu: str) -> str:
    if millicores(cpu) > _POD_CORES * 1000:
        refuse(
            f"must be at most {_POD_CORES} cores, since a pod runs one process", f"write {cpu}m for {cpu} millicores"
        )
    return cpu


def _schema(pattern: str) -> dict[str, Any]:
    """The JSON Schema of a quantity; a plain number is valid too."""
    return {"type": ["string", "number"], "pattern": re.sub(r"\?P<\w+>", "", f"^{pattern}$")}


Cpu = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_check_cpu),
    Field(json_schema_extra=_schema(_CPU.pattern)),
]
"""CPU as Kubernetes writes it: `250m`, `0.5`, `2`."""
PodCpu = Annotated[Cpu, AfterValidator(_check_pod_cpu)]
"""CPU of one pod; a number without unit that can only mean millicores is refused."""
Memory = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_check_memory),
    Field(json_schema_extra=_schema(_MEMORY.pattern)),
]
"""Memory as Kubernetes writes it: `512Mi`, `1Gi`."""
