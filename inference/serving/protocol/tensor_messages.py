"""The JSON messages of an ONNX model: of the protocol's `infer`, and of `POST /predict` with records."""

from typing import Annotated, Any

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


class RecordsRequest(Struct, forbid_unknown_fields=True):
    """One record, or several."""

    inputs: Annotated[
        dict[str, Any] | Annotated[list[dict[str, Any]], Meta(min_length=1)],
        Meta(
            description="A record with a value for each feature, null if it is missing; or a list of records, which"
            " gets a list of answers. A model that is not tabular takes a row of each input instead.",
        ),
    ]


class ValuesResponse(Struct, frozen=True):
    """The answer to one record of a model that is not a classifier."""

    values: Annotated[
        dict[str, Any], Meta(description="Each output by name: a value, or a list if a row has more than one.")
    ]


class ValuesBatchResponse(Struct, frozen=True):
    """The answers to a list of records, in its order."""

    predictions: list[ValuesResponse]
