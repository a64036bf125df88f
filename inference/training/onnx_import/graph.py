"""The graph of an ONNX file: what it may contain, and its tensors whole in one file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import onnx
from onnx import external_data_helper

from inference.errors import ConversionError, excerpt

MAX_BYTES: Final = 2**30
"""A larger model, with its external data, is refused."""
_BUILT_IN: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""The domains whose operators ONNX Runtime contains; all others need a library, which is code."""
_SHOWN: Final = 5


def load_whole(path: Path) -> onnx.ModelProto:
    """Read an ONNX file with its external data, and check it.

    Raises:
        ConversionError: it is not an ONNX file, too large, has custom operators, or its external data is not there.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ConversionError(f"has {path.stat().st_size} bytes; a model has at most {MAX_BYTES}")
    try:
        model = onnx.load_model(path, load_external_data=False)
    except Exception as error:
        raise ConversionError(f"is not an ONNX file: {excerpt(error)}") from error
    if not model.graph.output:
        raise ConversionError("is not an ONNX file, or its graph has no outputs")
    _check_operators(model)
    _load_external_data(model, path)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ConversionError(f"is not a valid ONNX model: {excerpt(error)}") from error
    return model


def _check_operators(model: onnx.ModelProto) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    custom = sorted(
        {
            f"{node.domain}.{node.op_type}"
            for node in _nodes(model)
            if node.domain not in _BUILT_IN and (node.domain, node.op_type) not in own
        }
    )
    if custom:
        shown = ", ".join(custom[:_SHOWN])
        raise ConversionError(
            f"has custom operators, which need a library of code: {excerpt(shown)}; export it with operators of ONNX"
        )


def _load_external_data(model: onnx.ModelProto, path: Path) -> None:
    folder = path.parent
    external = [tensor for tensor in _tensors(model) if external_data_helper.uses_external_data(tensor)]
    files = {_external_file(tensor, folder) for tensor in external}
    size = sum(file.stat().st_size for file in {path, *files})
    if size > MAX_BYTES:
        raise ConversionError(f"has {size} bytes with its external data; a model has at most {MAX_BYTES}")
    for tensor in external:
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:
            raise ConversionError(f"external data of '{excerpt(tensor.name)}': {excerpt(error)}") from error
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _external_file(tensor: onnx.TensorProto, folder: Path) -> Path:
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    path = folder / location
    if not location or not path.resolve().is_relative_to(folder.resolve()):
        raise ConversionError(
            f"external data of '{excerpt(tensor.name)}' is at '{excerpt(location)}'; it must be in the model's folder"
        )
    if not path.is_file():
        raise ConversionError(f"external data '{excerpt(location)}' is not there; copy it beside the model")
    return path


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        yield from _subgraphs(node)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            if graph.node or graph.initializer:
                yield from _graphs(graph)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for graph in _subgraphs(node):
                yield from graph.node


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in _graphs(model.graph):
        yield from graph.initializer
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
