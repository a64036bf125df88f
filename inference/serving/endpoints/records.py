"""Records of `POST /predict`, turned into the arrays that a model takes."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from inference.errors import InvalidInputError
from inference.model.interface import BYTES
from inference.model.manifest import OnnxManifest
from inference.model.onnx_model import Array
from inference.model.signature import TensorSignature, fits
from inference.serving.protocol.tensors import nested, to_array

_MAX_NAME: Final = 100
_MAX_MESSAGE: Final = 200
_MISSING: Final[dict[str, Any]] = {"FP16": float("nan"), "FP32": float("nan"), "FP64": float("nan"), BYTES: ""}
"""What the model receives for null, by datatype; the others have no such value."""
_KINDS: Final[dict[str, tuple[type, ...]]] = {"BOOL": (bool,), BYTES: (str,)}
_FLOAT: Final = (float, int)
_INTEGER: Final = (int,)


class Records:
    """Reads records for the model that `manifest` describes.

    A record of a tabular model has a value per feature; any other has a row per input, as nested lists.
    """

    def __init__(self, manifest: OnnxManifest) -> None:
        self._inputs: Final = manifest.inputs
        self._columns: Final = [
            (spec, [feature.name for feature in manifest.features if feature.input == spec.name])
            for spec in manifest.inputs
        ]
        self._is_tabular: Final = bool(manifest.features)
        names = [feature.name for feature in manifest.features] or [spec.name for spec in manifest.inputs]
        self._names: Final = frozenset(names)
        self._listed: Final = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")  # noqa: PLR2004 - a few

    def arrays(self, records: Sequence[dict[str, Any]]) -> dict[str, Array]:
        """Return the inputs of the model, a row per record.

        Raises:
            InvalidInputError: A record lacks a feature, has an unknown one, or has a value of another datatype.
        """
        for index, record in enumerate(records):
            if record.keys() != self._names:
                self._explain_names(index, record)
        if not self._is_tabular:
            return {spec.name: self._rows(spec, records) for spec in self._inputs}
        return {
            spec.name: self._matrix(spec, [[record[name] for name in names] for record in records], names)
            for spec, names in self._columns
        }

    def _explain_names(self, index: int, record: dict[str, Any]) -> None:
        if unknown := sorted(record.keys() - self._names):
            raise InvalidInputError(
                f"record {index} has '{unknown[0][:_MAX_NAME]}', which the model does not take; it takes {self._listed}"
            )
        missing = sorted(self._names - record.keys())
        raise InvalidInputError(f"record {index} lacks '{missing[0]}'; send null if the value is missing")

    def _matrix(self, spec: TensorSignature, rows: list[list[Any]], names: list[str]) -> Array:
        datatype = spec.datatype
        kinds = _KINDS.get(datatype) or (_FLOAT if datatype.startswith("FP") else _INTEGER)
        for index, row in enumerate(rows):
            for place, value in enumerate(row):
                if type(value) not in kinds:
                    row[place] = _converted(index, names[place], value, datatype)
        try:
            array = to_array(rows, datatype)
        except ValueError as error:
            raise InvalidInputError(f"{error}; the features are {self._listed}") from error
        return array.reshape(len(rows), *spec.row_shape)

    def _rows(self, spec: TensorSignature, records: Sequence[dict[str, Any]]) -> Array:
        try:
            rows = [nested(record[spec.name], spec.datatype, len(spec.row_shape)) for record in records]
            array = to_array(rows, spec.datatype)
        except (msgspec.ValidationError, ValueError) as error:
            raise InvalidInputError(f"'{spec.name}': {str(error)[:_MAX_MESSAGE]}") from error
        if not fits(array.shape, spec.shape):
            raise InvalidInputError(
                f"'{spec.name}' has shape {list(spec.row_shape)} per record, not {list(array.shape[1:])}"
            )
        return array


def _converted(index: int, name: str, value: object, datatype: str) -> object:
    """What the model receives for null, and for an integer that is written with a fraction of zero."""
    if value is None and datatype in _MISSING:
        return _MISSING[datatype]
    if isinstance(value, float) and value.is_integer() and "INT" in datatype:
        return int(value)
    found = "null" if value is None else f"a JSON {_json_kind(value)}"
    raise InvalidInputError(f"record {index}, '{name}' is {found}; it has datatype {datatype}")


def _json_kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number that is not an integer", str: "string", list: "array"}
    return next((name for kind, name in kinds.items() if type(value) is kind), "object")
