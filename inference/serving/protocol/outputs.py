"""The outputs that a client requests."""

from collections.abc import Collection, Mapping

from msgspec import UNSET

from inference.errors import BadRequestError
from inference.serving.protocol.messages import InferRequest
from inference.serving.protocol.tensor_messages import TensorRequest


def requested_outputs(request: InferRequest | TensorRequest, names: Collection[str]) -> Mapping[str, bool]:
    """Return the names of the requested outputs in their order, each with whether it is requested in binary form.

    Args:
        request: The JSON of the request.
        names: The outputs of the model.

    Raises:
        BadRequestError: An output does not exist.
    """
    default = request.parameters is not None and request.parameters.binary_data_output
    if not request.outputs:
        return dict.fromkeys(names, default)
    requested: dict[str, bool] = {}
    for index, output in enumerate(request.outputs):
        if output.name not in names:
            raise BadRequestError(
                f"outputs[{index}].name: unknown output '{output.name[:100]}'; the model has {', '.join(names)}"
            )
        own = output.parameters.binary_data if output.parameters else UNSET
        requested.setdefault(output.name, default if own is UNSET else own)
    return requested
