"""Requests that an ONNX model is known to answer: the first row of its test vector."""

from math import prod
from typing import Any

from inference.model.manifest import OnnxManifest
from inference.model.signature import Cell, TensorSignature


def records_example(manifest: OnnxManifest) -> dict[str, Any]:
    """Return a body of `POST /predict`."""
    cells = manifest.test.inputs
    if manifest.features:
        return {"inputs": {each.name: cells[each.input][each.column] for each in manifest.features}}
    return {"inputs": {each.name: _nested(cells[each.name], _sizes(each)) for each in manifest.inputs}}


def tensors_example(manifest: OnnxManifest) -> dict[str, Any]:
    """Return a body of the protocol's `infer`."""
    return {
        "inputs": [
            {
                "name": each.name,
                "shape": [1, *_sizes(each)],
                "datatype": each.datatype,
                "data": manifest.test.inputs[each.name][: each.row_elements],
            }
            for each in manifest.inputs
        ]
    }


def _sizes(spec: TensorSignature) -> list[int]:
    return [max(size, 1) for size in spec.row_shape]


def _nested(cells: list[Cell], sizes: list[int]) -> Any:
    """The first elements as lists of these sizes."""
    if not sizes:
        return cells[0]
    step = prod(sizes[1:])
    return [_nested(cells[place * step :], sizes[1:]) for place in range(sizes[0])]
