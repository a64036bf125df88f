"""Requests and responses with binary tensor data: the JSON, and after it the elements as bytes."""

import json
from typing import Any, Final

from conformance.datatypes import DATATYPES
from conformance.messages import Answer, Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.responses import outputs
from conformance.target import Target
from conformance.tensors import flat

EXTENSION: Final = "binary_tensor_data"
"""How a server that takes binary tensor data names the extension in its metadata."""
HEADER: Final = "Inference-Header-Content-Length"
SIZE: Final = "binary_data_size"
"""The parameter of a tensor that is in binary form."""


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
        parameters = {SIZE: len(data)} | item.get("parameters", {})
        inputs.append({key: value for key, value in item.items() if key != "data"} | {"parameters": parameters})
        packed.append(data)
    text = json.dumps(body | {"inputs": inputs}).encode()
    headers = {"Content-Type": "application/octet-stream", HEADER: header if header is not None else str(len(text))}
    return target.inference(text + (b"".join(packed) if tail is None else tail), headers=headers)


def binary_size(output: dict[str, Any]) -> int | None:
    """How many bytes an output says that it has after the JSON; None where its data is in JSON."""
    parameters = output.get("parameters")
    size = parameters.get(SIZE) if isinstance(parameters, dict) else None
    return size if type(size) is int and size >= 0 else None


def split(answer: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON of a response, and the elements of the outputs that follow it, by name."""
    length = answer.headers.get(HEADER.lower())
    if length is None and all_in_json(answer):
        raise FailedError("the outputs are in JSON")
    if length is None or not length.isdecimal():
        raise NotApplicableError("the response has no usable header; see binary.output-header")
    head = Answer(answer.status, answer.headers, answer.body[: int(length)]).object()
    tail, found = answer.body[int(length) :], {}
    for name, item in outputs(head).items():
        size = binary_size(item)
        if size is None:
            continue
        if size > len(tail):
            raise FailedError(f"output '{name}': {SIZE} is {size}, {len(tail)} bytes are left")
        datatype = DATATYPES.get(str(item.get("datatype")))
        try:
            found[name] = datatype.unpack(tail[:size]) if datatype else []
        except ValueError as error:
            raise FailedError(f"output '{name}': {error}") from error
        tail = tail[size:]
    if tail:
        raise FailedError(f"{len(tail)} bytes after the JSON belong to no output")
    return head, found


def all_in_json(answer: Answer) -> bool:
    """Whether a response has no output in binary form."""
    try:
        return all("data" in item for item in outputs(answer.object()).values())
    except FailedError:  # the body is not JSON alone
        return False
