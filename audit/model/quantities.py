"""Kubernetes' quantities: 250m, 1.5, 512Mi, 2e3."""

import re
from decimal import Decimal
from typing import Final

_QUANTITY: Final = re.compile(r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+\.)([numkMGTPE]|[KMGTPE]i)?\Z")
_FACTORS: Final[dict[str | None, Decimal]] = {
    None: Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def quantity(given: object) -> Decimal | None:
    """The number that a quantity stands for, or None where it is not one."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    found = _QUANTITY.match(str(given))
    return Decimal(found[1]) * _FACTORS[found[2]] if found else None
