"""Requests with binary tensor data: the JSON, and after it the elements as bytes."""

import json
from typing import Any, Final

from conformance.messages import Request
from conformance.target import Target
from conformance.tensors import flat

EXTENSION: Final = "binary_tensor_data"
"""How a server that takes binary tensor data names the extension in its metadata."""
HEADER: Final = "Inference-Header-Content-Length"


def binary_request(
    target: Target, body: dict[str, Any], *, tail: bytes | None = None, header: str | None = None
) -> Request:
    """A request whose inputs' data follows the JSON in binary form.

    Args:
        target: The model.
        body: A request with its data in JSON.
        tail: What follows the JSON, instead of the data.
        header: What the header says, instead of the length of the JSON.
    """
    packed = []
    tensors = {tensor.name: tensor for tensor in target.described.inputs}
    inputs = []
    for item in body["inputs"]:
        data = tensors[item["name"]].datatype.pack(flat(item["data"]))
        parameters = {"binary_data_size": len(data)} | item.get("parameters", {})
        inputs.append({key: value for key, value in item.items() if key != "data"} | {"parameters": parameters})
        packed.append(data)
    text = json.dumps(body | {"inputs": inputs}).encode()
    headers = {"Content-Type": "application/octet-stream", HEADER: header if header is not None else str(len(text))}
    return target.inference(text + (b"".join(packed) if tail is None else tail), headers=headers)
