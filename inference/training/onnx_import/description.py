"""What the graph of an ONNX model says of its inputs, outputs and labels; the rest is found by running it."""

from typing import Final

import msgspec
import onnx

from inference.errors import ConversionError, excerpt
from inference.model.signature import FREE, TensorSignature

_DATATYPES: Final[dict[int, str]] = {
    int(element): datatype
    for element, datatype in (
        (onnx.TensorProto.BOOL, "BOOL"),
        (onnx.TensorProto.INT8, "INT8"),
        (onnx.TensorProto.INT16, "INT16"),
        (onnx.TensorProto.INT32, "INT32"),
        (onnx.TensorProto.INT64, "INT64"),
        (onnx.TensorProto.UINT8, "UINT8"),
        (onnx.TensorProto.UINT16, "UINT16"),
        (onnx.TensorProto.UINT32, "UINT32"),
        (onnx.TensorProto.UINT64, "UINT64"),
        (onnx.TensorProto.FLOAT16, "FP16"),
        (onnx.TensorProto.FLOAT, "FP32"),
        (onnx.TensorProto.DOUBLE, "FP64"),
        (onnx.TensorProto.STRING, "BYTES"),
    )
}


class Description(msgspec.Struct, frozen=True):
    """The inputs, the declared outputs, and the labels in the order of the probabilities, if the graph has them."""

    inputs: tuple[TensorSignature, ...]
    outputs: tuple[TensorSignature, ...]
    labels: tuple[str, ...]


def describe(model: onnx.ModelProto, labels: tuple[str, ...]) -> Description:
    """Read the signature of `model`, after `replace_zip_maps`; `labels` are those of `read_labels`, before it.

    Raises:
        ConversionError: an input or output is not a tensor that the protocol has, or the rows of an input are fixed.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = tuple(_tensor("input", value) for value in model.graph.input if value.name not in constants)
    if not inputs:
        raise ConversionError("has no inputs")
    for spec in inputs:
        if not spec.shape:
            raise ConversionError(f"input '{spec.name}' has no rows; the first dimension of every input must be free")
        if spec.shape[0] != FREE:
            raise ConversionError(
                f"input '{spec.name}' has shape {list(spec.shape)}; requests have different numbers of rows, so its"
                " first dimension must be free: export the model with a dynamic batch dimension"
            )
    outputs = tuple(_tensor("output", value) for value in model.graph.output)
    return Description(inputs, outputs, labels)


def replace_zip_maps(model: onnx.ModelProto) -> None:
    """Let the model give its probabilities as a tensor instead of a list of maps, the default of some converters."""
    declared = {value.name: value for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type == "ZipMap" and node.output[0] in declared:
            columns = len(_class_labels(node))
            node.op_type, node.domain = "Identity", ""
            del node.attribute[:]
            kind = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [None, columns])
            declared[node.output[0]].type.CopyFrom(kind)
    if not any(opset.domain in {"", "ai.onnx"} for opset in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("", 13))  # the one of Identity


def _tensor(what: str, value: onnx.ValueInfoProto) -> TensorSignature:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise ConversionError(f"{what} '{excerpt(value.name)}' is a {kind or 'value of unknown type'}, not a tensor")
    tensor = value.type.tensor_type
    if tensor.elem_type not in _DATATYPES:
        name = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise ConversionError(f"{what} '{excerpt(value.name)}' has elements of {name}; the protocol has no such type")
    shape = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else FREE for dim in tensor.shape.dim]
    found = {"name": value.name, "datatype": _DATATYPES[tensor.elem_type], "shape": shape or [FREE]}
    if what == "input" and not tensor.HasField("shape"):
        raise ConversionError(f"input '{excerpt(value.name)}' has no shape; export the model with shapes")
    if what == "input" and not shape:
        found["shape"] = [1]  # a single value: refused by `describe`, which asks for a free dimension
    try:
        return msgspec.convert(found, TensorSignature)
    except msgspec.ValidationError as error:
        raise ConversionError(f"{what} '{excerpt(value.name)}': {error}") from error


def read_labels(model: onnx.ModelProto) -> tuple[str, ...]:
    """The labels that a classifier of the graph names, in the order of its probabilities; empty if there are none."""
    for node in reversed(model.graph.node):
        if labels := _class_labels(node):
            return labels
    return ()


def _class_labels(node: onnx.NodeProto) -> tuple[str, ...]:
    found: list[str] = []
    for attribute in node.attribute:
        if attribute.name in {"classlabels_strings", "classlabels_int64s", "classlabels_ints"}:
            found += [text.decode() for text in attribute.strings] + [str(number) for number in attribute.ints]
    return tuple(found)
