"""The binary tensor data extension, which servers may offer."""

import json
from typing import Any, Final

from conformance.binary_data import EXTENSION, HEADER, SIZE, all_in_json, binary_request, split
from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.datatypes import DATATYPES
from conformance.messages import Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.responses import outputs
from conformance.spec import binary, rest
from conformance.target import Target
from conformance.tensors import flat

cases: Final = Cases()
_REQUEST: Final = binary("Binary Tensor Request")


@cases.case(
    "binary.declared",
    "must",
    rest("Server Metadata Response JSON Object"),
    expects=f"'{EXTENSION}' in `extensions`.",
)
def declared(target: Target) -> None:
    """`extensions` lists the extensions that the server supports; this one is called binary_tensor_data."""
    target.require_binary()
    answer = target.get("/v2")
    if answer.is_error:
        raise NotApplicableError("the server has no metadata; see server.answered")
    extensions = answer.object().get("extensions")
    if not isinstance(extensions, list) or EXTENSION not in extensions:
        raise FailedError(f"the server takes binary tensor data; its extensions are {extensions}")


@cases.case("binary.input", "must", _REQUEST, expects="The outputs of the same request in JSON.")
def input_(target: Target) -> None:
    """An input's data may follow the JSON in binary form: little-endian, row-major, BYTES with their lengths."""
    target.require_binary()
    target.require_same(binary_request(target, target.valid()), "in JSON")


@cases.case("binary.one-input", "must", _REQUEST, expects="The outputs of the same request in JSON.")
def one_input(target: Target) -> None:
    """Each input says for itself whether its data is in JSON or in binary form."""
    target.require_binary()
    body = target.valid()
    if len(body["inputs"]) == 1:
        raise NotApplicableError("the model has one input")
    first = binary_request(target, body | {"inputs": body["inputs"][:1]})
    length = int(first.headers[HEADER])
    head, tail = json.loads((first.body or b"")[:length]), (first.body or b"")[length:]
    text = json.dumps(body | {"inputs": [*head["inputs"], *body["inputs"][1:]]}).encode()
    request = target.inference(text + tail, headers=dict(first.headers) | {HEADER: str(len(text))})
    target.require_same(request, "in JSON")


@cases.case("binary.output", "must", _REQUEST, expects=f"The output as binary data, its length in `{SIZE}`.")
def output(target: Target) -> None:
    """An output that is requested with binary_data true follows the JSON of the response in binary form."""
    target.require_binary()
    for name in target.outputs:
        body = target.valid(outputs=[{"name": name, "parameters": {"binary_data": True}}])
        response = split(target.send(target.inference(body)).require(200))
        _require_binary_output(response, name)
        _require_value(target, response, name)


@cases.case("binary.outputs", "must", _REQUEST, expects="Every output as binary data, in the order of the JSON.")
def all_outputs(target: Target) -> None:
    """The request's parameter binary_data_output asks for every output in binary form."""
    target.require_binary()
    response = split(target.send(target.inference(target.valid(parameters={"binary_data_output": True}))).require(200))
    for name in target.outputs:
        _require_binary_output(response, name)
        _require_value(target, response, name)


@cases.case("binary.output-overrides", "must", _REQUEST, expects="That output in JSON.")
def overrides(target: Target) -> None:
    """binary_data false on an output overrides the request's binary_data_output."""
    target.require_binary()
    name = next(iter(target.outputs))
    wanted = [{"name": name, "parameters": {"binary_data": False}}]
    body = target.valid(parameters={"binary_data_output": True}, outputs=wanted)
    answer = target.send(target.inference(body)).require(200)
    response = answer.object() if HEADER.lower() not in answer.headers else split(answer)[0]
    if "data" not in outputs(response).get(name, {}):
        raise FailedError(f"output '{name}' has no data in the JSON")


@cases.case("binary.output-header", "must", _REQUEST, expects=f"{HEADER}: the length of the JSON, in bytes.")
def output_header(target: Target) -> None:
    """A response with binary data has the header that gives the length of its JSON."""
    target.require_binary()
    answer = target.send(target.inference(target.valid(parameters={"binary_data_output": True}))).require(200)
    length = answer.headers.get(HEADER.lower())
    if length is None and all_in_json(answer):
        raise NotApplicableError("no output is in binary form; see binary.outputs")
    if length is None:
        raise FailedError(f"the answer lacks the header {HEADER}")
    if not length.isdecimal() or int(length) > len(answer.body):
        raise FailedError(f"{HEADER} is {length}; the body has {len(answer.body)} bytes")


@cases.case(
    "binary.not-utf-8",
    "unclear",
    _REQUEST,
    expects="An element of BYTES is any bytes; a model of texts may refuse what is not a text.",
)
def not_utf_8(target: Target) -> str:
    """An element of BYTES is a length and that many bytes."""
    target.require_binary()
    tensor = target.input_of("BYTES")
    request = binary_request(target, target.fill(tensor, ["@@"]))
    body = (request.body or b"").replace(b"\x02\x00\x00\x00@@", b"\x02\x00\x00\x00\xff\xfe")
    return f"status {target.send(target.inference(body, headers=request.headers)).status}"


@cases.case(
    "binary.twice", "unclear", _REQUEST, expects="The text does not say which counts, or whether it is an error."
)
def twice(target: Target) -> str:
    """An input's data is in JSON or in binary form: here it is in both."""
    target.require_binary()
    body = target.valid()
    request = binary_request(target, body)
    length = int(request.headers[HEADER])
    head = json.loads((request.body or b"")[:length])
    for item, original in zip(head["inputs"], body["inputs"], strict=True):
        item["data"] = original["data"]
    text = json.dumps(head).encode()
    tail = (request.body or b"")[length:]
    sent = target.inference(text + tail, headers=dict(request.headers) | {HEADER: str(len(text))})
    return f"status {target.send(sent).status}"


@cases.invalid("binary.size-too-small", "should", _REQUEST, error_source=ERROR)
def size_too_small(target: Target) -> Request:
    """binary_data_size is the size of the tensor's data: here it is one byte less than the shape needs."""
    return _sized(target, -1)


@cases.invalid("binary.size-too-large", "should", _REQUEST, error_source=ERROR)
def size_too_large(target: Target) -> Request:
    """binary_data_size is the size of the tensor's data: here it is 1,000 bytes more than the body has."""
    return _sized(target, 1000)


@cases.invalid("binary.size-negative", "should", _REQUEST, error_source=ERROR)
def size_negative(target: Target) -> Request:
    """binary_data_size is a size, so it is not negative."""
    return _with_size(target, lambda _: -1)


@cases.invalid("binary.size-text", "should", _REQUEST, error_source=ERROR)
def size_text(target: Target) -> Request:
    """binary_data_size is an integer."""
    return _with_size(target, lambda _: "many")


@cases.invalid("binary.missing-data", "should", _REQUEST, error_source=ERROR)
def missing_data(target: Target) -> Request:
    """binary_data_size says that data follows the JSON: here the body ends after the JSON."""
    target.require_binary()
    return binary_request(target, target.valid(), tail=b"")


@cases.invalid("binary.left-over", "should", _REQUEST, error_source=ERROR)
def left_over(target: Target) -> Request:
    """The body is the JSON and the tensors' data: here seven bytes follow that belong to no tensor."""
    target.require_binary()
    request = binary_request(target, target.valid())
    return target.inference((request.body or b"") + b"\0\1\2\3\4\5\6", headers=request.headers)


@cases.invalid("binary.header-too-large", "should", _REQUEST, error_source=ERROR)
def header_too_large(target: Target) -> Request:
    """The header gives the length of the JSON: here it is larger than the body."""
    target.require_binary()
    return binary_request(target, target.valid(), header="100000000")


@cases.invalid("binary.header-not-a-number", "should", _REQUEST, error_source=ERROR)
def header_not_a_number(target: Target) -> Request:
    """The header gives the length of the JSON as a number."""
    target.require_binary()
    return binary_request(target, target.valid(), header="many")


@cases.invalid("binary.element-too-long", "should", _REQUEST, error_source=ERROR)
def element_too_long(target: Target) -> Request:
    """An element of BYTES is a length and that many bytes: here the length is more than the data has."""
    target.require_binary()
    tensor = target.input_of("BYTES")
    request = binary_request(target, target.fill(tensor, ["@@"]))
    body = (request.body or b"").replace(b"\x02\x00\x00\x00@@", b"\xff\xff\xff\x7f@@")
    return target.inference(body, headers=request.headers)


def _sized(target: Target, change: int) -> Request:
    return _with_size(target, lambda size: size + change)


def _with_size(target: Target, change: Any) -> Request:
    target.require_binary()
    body = target.valid()
    request = binary_request(target, body)
    length = int(request.headers[HEADER])
    head = json.loads((request.body or b"")[:length])
    parameters = head["inputs"][-1]["parameters"]
    parameters[SIZE] = change(parameters[SIZE])
    text, tail = json.dumps(head).encode(), (request.body or b"")[length:]
    if isinstance(parameters[SIZE], int) and change(0) == -1 and parameters[SIZE] >= 0:
        tail = tail[:-1]  # what follows agrees with the size, so that only the shape does not
    return target.inference(text + tail, headers=dict(request.headers) | {HEADER: str(len(text))})


def _require_binary_output(response: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    if name not in response[1]:
        raise FailedError(f"output '{name}' is not in binary form: it has no usable {SIZE}")


def _require_value(target: Target, response: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    expected = flat(target.outputs[name].get("data"))
    datatype = DATATYPES.get(str(target.outputs[name].get("datatype")))
    if datatype is None or not target.deterministic or not all(map(datatype.has, expected)):
        return  # there is nothing to compare with
    found = response[1][name]
    if len(found) != len(expected) or not all(map(datatype.same, found, expected)):
        raise FailedError(f"output '{name}' is {found[:4]} in binary form and {expected[:4]} in JSON")
