"""Kubernetes quantities of CPU and memory: checked text in, whole numbers out.

The text that a user wrote is kept as it is (`0.5` stays `0.5`), so that YAML in is YAML out; sums are made in
millicores and bytes.
"""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from constructs_lib.platform._section import refuse

_CPU = re.compile(r"(?P<number>[0-9]+(\.[0-9]{1,3})?)(?P<unit>m?)")
_MEMORY = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>Ki|Mi|Gi|Ti|k|M|G|T)?")
_BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def millicores(cpu: str) -> int:
    """The thousandths of a core that a CPU quantity means: `500m` and `0.5` are 500."""
    match = _CPU.fullmatch(cpu)
    if match is None:
        raise ValueError(f"'{cpu}' is no CPU quantity")
    return int(Decimal(match["number"]) * (1 if match["unit"] else 1000))


def byte_count(memory: str) -> int:
    """The bytes that a memory quantity means: `512Mi` is 536870912."""
    match = _MEMORY.fullmatch(memory)
    if match is None:
        raise ValueError(f"'{memory}' is no memory quantity")
    return int(Decimal(match["number"]) * _BYTES.get(match["unit"] or "", 1))


def cpu_text(thousandths: int) -> str:
    """The quantity of so many thousandths of a core, as Kubernetes itself writes it: 500 is `500m`, 2000 is `2`."""
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory_text(count: int) -> str:
    """The quantity of so many bytes in the largest binary unit that loses nothing."""
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
        refuse("is a CPU quantity of at least 1m: cores, or thousandths with m", "write 250m, 0.5 or 2")
    return cpu


def _check_memory(memory: str) -> str:
    if _MEMORY.fullmatch(memory) is None or byte_count(memory) < _BYTES["Mi"]:
        refuse("is a memory quantity of at least 1Mi: a number and one of Ki, Mi, Gi, k, M, G", "write 512Mi or 1Gi")
    return memory


def _schema(pattern: str) -> dict[str, Any]:
    """What an editor holds a quantity against: a number is fine, too."""
    return {"type": ["string", "number"], "pattern": re.sub(r"\?P<\w+>", "", f"^{pattern}$")}


Cpu = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_check_cpu),
    Field(json_schema_extra=_schema(_CPU.pattern)),
]
"""CPU as Kubernetes writes it: `250m`, `0.5`, `2`."""
Memory = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_check_memory),
    Field(json_schema_extra=_schema(_MEMORY.pattern)),
]
"""Memory as Kubernetes writes it: `512Mi`, `1Gi`."""
