"""The outputs of an inference response, and whether two responses have the same."""

import math
from typing import Any, Final

from conformance.messages import kind
from conformance.outcomes import FailedError
from conformance.tensors import flat

_TOLERANCE: Final = 1e-4
"""How much floating-point outputs of equal requests may differ, relatively: batching changes the order of sums."""


def outputs(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The outputs of a response by name, without those that are malformed: other cases report them."""
    found = response.get("outputs")
    if not isinstance(found, list):
        raise FailedError(f"'outputs' is {kind(found)}, not an array")
    return {
        output["name"]: output for output in found if isinstance(output, dict) and isinstance(output.get("name"), str)
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """What the first output that differs is in both responses; empty where all are the same."""
    first, second = outputs(one), outputs(other)
    if first.keys() != second.keys():
        return f"the outputs are {', '.join(first) or 'none'}, not {', '.join(second) or 'none'}"
    for name in first:
        for key in ("datatype", "shape"):
            if first[name].get(key) != second[name].get(key):
                return f"output '{name}' has {key} {first[name].get(key)}, not {second[name].get(key)}"
        data, expected = flat(first[name].get("data")), flat(second[name].get("data"))
        if len(data) != len(expected) or not all(map(_close, data, expected)):
            return f"output '{name}' is {str(data)[:100]}, not {str(expected)[:100]}"
    return ""


def _close(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other
