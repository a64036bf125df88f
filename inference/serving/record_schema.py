"""The JSON Schema of a record of a tabular model, for the OpenAPI document."""

from typing import Any, Final

from inference.model.manifest import OnnxManifest

_LARGEST: Final = {"FP16": 65504.0, "FP32": 3.4028234663852886e38}
_BITS: Final = {f"{sign}INT{bits}": bits for sign in ("", "U") for bits in (8, 16, 32, 64)}


def record_schema(manifest: OnnxManifest) -> dict[str, Any]:
    """Return the schema of one record; every feature is required."""
    datatypes = {spec.name: spec.datatype for spec in manifest.inputs}
    properties = {feature.name: _value(datatypes[feature.input]) for feature in manifest.features}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _value(datatype: str) -> dict[str, Any]:
    if datatype == "BOOL":
        return {"type": "boolean"}
    if datatype == "BYTES":
        return {"type": ["string", "null"]}
    if datatype in _BITS:
        bits = _BITS[datatype]
        low, high = (0, 2**bits - 1) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return {"type": "integer", "minimum": low, "maximum": high}
    largest = _LARGEST.get(datatype)
    return {"type": ["number", "null"], **({"minimum": -largest, "maximum": largest} if largest else {})}
