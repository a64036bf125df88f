"""The JSON messages of the protocol's `infer` for an ONNX model."""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from inference.serving.protocol.messages import InferOutputRequest, Parameters


class TensorInput(Struct):
    """An input tensor."""

    name: Annotated[str, Meta(description="An input of the model; GET /v2/models/{model} lists them.")]
    shape: Annotated[
        list[Annotated[int, Meta(ge=0)]],
        Meta(description="The number of rows, and then what the metadata of the model says."),
    ]
    datatype: Annotated[str, Meta(description="The one of the metadata.")]
    data: Annotated[
        Raw | UnsetType,
        Meta(
            description="The elements, flat or nested like `shape`; absent if they follow the JSON in binary form.",
            extra_json_schema={"type": "array"},
        ),
    ] = UNSET
    parameters: Parameters | None = None


class TensorRequest(Struct):
    """Tensors for the model."""

    inputs: Annotated[list[TensorInput], Meta(description="Every input of the model, once.")]
    id: Annotated[str | None, Meta(description="Returned in the response.")] = None
    parameters: Parameters | None = None
    outputs: Annotated[
        list[InferOutputRequest] | None, Meta(description="The requested outputs; absent or empty: all outputs.")
    ] = None
