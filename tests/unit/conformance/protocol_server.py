"""A small server that conforms to the protocol, in the form of a function from a request to an answer.

Its one model, `echo`, takes a tensor of every data type and a matrix, and gives each one back. Every request that it
refuses has a name, that of the case which sends it, so that a mutant can accept it, or refuse it in another form.
"""

import json
import math
import re
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from conformance.datatypes import DATATYPES
from conformance.tensors import flat, nested

MODEL = "echo"
VERSIONS = ("1", "2")
EXTENSION = "binary_tensor_data"
HEADER = "inference-header-content-length"
TENSORS = {
    **{name.lower(): (name, [-1]) for name in ("BYTES", *(name for name in DATATYPES if name != "BYTES"))},
    "matrix": ("FP32", [-1, 2]),
}
"""Name, data type and shape of each input; the outputs are the same."""
_MODEL_PATH = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/ready|/infer)?")
_MOST_BYTES = 400_000
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Call:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer; `content` is the JSON that becomes the body, `tail` follows it."""

    status: int
    content: Any
    headers: dict[str, str] = field(default_factory=lambda: dict(_JSON))
    tail: bytes = b""

    @property
    def body(self) -> bytes:
        """The body's bytes; content that is bytes already is taken as it is."""
        content = self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        return content + self.tail


class RefusedError(Exception):
    """The request cannot be served."""

    def __init__(self, name: str, status: int, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


class AcceptedError(Exception):
    """The request cannot be served, and this mutant answers all the same."""


class ProtocolServer:
    """The server.

    Args:
        accepts: Names of the requests that it accepts though it should refuse them.
        unreadable: Names of the requests that it refuses without the error object.
        loading: Whether its model is not loaded yet.
    """

    def __init__(
        self, *, accepts: Collection[str] = (), unreadable: Collection[str] = (), loading: bool = False
    ) -> None:
        self.accepts = accepts
        self.unreadable = unreadable
        self.loading = loading

    def __call__(self, call: Call) -> Reply:
        """Answer a request."""
        try:
            return self.route(call)
        except AcceptedError:
            outputs = [{"name": "bytes", "shape": [1], "datatype": "BYTES", "data": ["a"]}]
            return Reply(200, {"name": MODEL, "model_name": MODEL, "outputs": outputs})
        except RefusedError as error:
            key = "detail" if error.name in self.unreadable else "error"
            allow = {"allow": "POST"} if error.status == 405 else {}
            return Reply(error.status, {key: str(error)}, _JSON | allow)

    def refuse(self, name: str, message: str, status: int = 400) -> NoReturn:
        """Say why a request cannot be served."""
        if name in self.accepts:
            raise AcceptedError
        raise RefusedError(name, status, message)

    def route(self, call: Call) -> Reply:
        """Find who answers."""
        path = call.path.partition("?")[0]
        if path == "/v2/health/live":
            return Reply(200, {"live": True})
        if path == "/v2/health/ready":
            ready = not self.loading
            return Reply(200 if ready else 503, {"live": ready, "ready": ready})
        if path in {"/v2", "/v2/"}:
            return Reply(200, {"name": "protocol-server", "version": "1.0", "extensions": [EXTENSION]})
        matched = _MODEL_PATH.fullmatch(re.sub("%65", "e", path))
        if matched is None:
            self.refuse("http.unknown-path", "there is no such path", 404)
        return self.model(call, *matched.groups())

    def model(self, call: Call, model: str, version: str | None, suffix: str | None) -> Reply:
        """Answer for a model."""
        kind = {None: "-metadata", "/infer": "", "/ready": "-ready"}[suffix]
        if model != MODEL:
            self.refuse(f"errors.unknown-model{kind}", f"there is no model '{model}'", 404)
        if version is not None and version not in VERSIONS:
            self.refuse(f"versions.unknown{kind}", f"there is no version '{version}'", 404)
        if suffix == "/ready":
            return Reply(503 if self.loading else 200, {"name": MODEL, "ready": not self.loading})
        if suffix == "/infer":
            if call.method != "POST":
                self.refuse("http.get-inference", "inference is a POST", 405)
            return self.infer(call, version or VERSIONS[-1])
        if call.method != "GET":
            self.refuse("http.post-metadata", "metadata is a GET", 405)
        tensors = [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in TENSORS.items()]
        return Reply(
            200,
            {"name": MODEL, "versions": list(VERSIONS), "platform": "none_echo", "inputs": tensors, "outputs": tensors},
        )

    def infer(self, call: Call, version: str) -> Reply:
        """Answer an inference request."""
        if self.loading:
            self.refuse("loading.inference", "the model is not loaded", 503)
        if len(call.body) > _MOST_BYTES:
            raise RefusedError("http.huge-body", 413, f"a body has at most {_MOST_BYTES} bytes")
        request, tail = self.read(call)
        values = self.inputs(request["inputs"], tail)
        wanted = self.outputs(request.get("outputs"))
        everything = bool((request.get("parameters") or {}).get("binary_data_output"))
        outputs, packed = [], []
        for name, binary in wanted.items():
            kind = TENSORS[name][0]
            shape, data = values[name]
            output: dict[str, Any] = {"name": name, "datatype": kind, "shape": shape}
            if everything if binary is None else binary:
                packed.append(DATATYPES[kind].pack(data))
                output["parameters"] = {"binary_data_size": len(packed[-1])}
            else:
                output["data"] = data
            outputs.append(output)
        content = {"model_name": MODEL, "model_version": version, "parameters": {}, "outputs": outputs}
        if request.get("id") is not None:
            content["id"] = request["id"]
        if not packed:
            return Reply(200, content)
        headers = {"content-type": "application/octet-stream", HEADER: str(len(json.dumps(content)))}
        return Reply(200, content, headers, b"".join(packed))

    def read(self, call: Call) -> tuple[dict[str, Any], bytes | None]:
        """The request's JSON, checked as far as it is not about tensors, and what follows it."""
        text, tail = call.body, None
        if HEADER in call.headers:
            length = call.headers[HEADER]
            if not length.isdecimal():
                self.refuse("binary.header-not-a-number", "the header is not a number")
            if int(length) > len(call.body):
                self.refuse("binary.header-too-large", "the header is larger than the body")
            text, tail = call.body[: int(length)], call.body[int(length) :]
        if not text:
            self.refuse("errors.empty-body", "the body is empty")
        request = self.parse(text)
        if not isinstance(request, dict):
            name = "errors.null-body" if request is None else "errors.array-body"
            self.refuse(name, "the body is not an object")
        if "inputs" not in request:
            self.refuse("errors.no-inputs-member", "there is no 'inputs'")
        if not isinstance(request["inputs"], list):
            self.refuse("errors.inputs-not-an-array", "'inputs' is not an array")
        if isinstance(request.get("id"), int):
            self.refuse("id.number", "'id' is a number")
        if isinstance(request.get("parameters"), list):
            self.refuse("parameters.not-an-object", "'parameters' is not an object")
        return request, tail

    def parse(self, text: bytes) -> Any:
        """JSON, and nothing else."""

        def no_constant(token: str) -> NoReturn:
            self.refuse("errors.nan", f"{token} is not JSON")

        try:
            return json.loads(text.decode(), parse_constant=no_constant)
        except RecursionError:
            self.refuse("errors.deep-nesting", "the body is nested too deep")
        except UnicodeDecodeError:
            self.refuse("errors.not-utf-8", "the body is not UTF-8")
        except json.JSONDecodeError as error:
            name = "errors.text-after-json" if error.msg == "Extra data" else "errors.malformed-json"
            self.refuse(name, f"the body is not JSON: {error}")

    def inputs(self, items: list[Any], tail: bytes | None) -> dict[str, tuple[list[int], list[Any]]]:
        """Shape and elements of every input."""
        if not items:
            self.refuse("errors.empty-inputs", "there are no inputs")
        values: dict[str, tuple[list[int], list[Any]]] = {}
        for item in items:
            if not isinstance(item, dict):
                self.refuse("errors.input-not-an-object", "an input is not an object")
            name = self.name_of(item)
            if name in values:
                self.refuse("errors.repeated-input", f"input '{name}' is there twice")
            if name not in TENSORS:
                known = "errors.extra-input" if len(items) > len(TENSORS) else "errors.unknown-input"
                self.refuse(known, f"there is no input '{name}'")
            datatype, shape = self.datatype_of(item, name), self.shape_of(item, name)
            data, tail = self.data_of(item, datatype, shape, tail)
            values[name] = (shape, data)
        if tail:
            self.refuse("binary.left-over", f"{len(tail)} bytes belong to no input")
        return values

    def name_of(self, item: dict[str, Any]) -> str:
        """The name of an input."""
        if "name" not in item:
            self.refuse("errors.no-name", "an input has no name")
        if not isinstance(item["name"], str):
            self.refuse("errors.name-not-a-string", "an input's name is not a string")
        return item["name"]

    def datatype_of(self, item: dict[str, Any], name: str) -> str:
        """The data type of an input."""
        if "datatype" not in item:
            self.refuse("errors.no-datatype", f"input '{name}' has no datatype")
        datatype = item["datatype"]
        if not isinstance(datatype, str):
            self.refuse("errors.datatype-not-a-string", "a datatype is not a string")
        if datatype not in DATATYPES:
            self.refuse("datatype.unknown", f"there is no datatype '{datatype}'")
        if datatype != TENSORS[name][0]:
            self.refuse("datatype.of-another-input", f"input '{name}' is of {TENSORS[name][0]}")
        return datatype

    def shape_of(self, item: dict[str, Any], name: str) -> list[int]:
        """The shape of an input."""
        if "shape" not in item:
            self.refuse("errors.no-shape", f"input '{name}' has no shape")
        shape = item["shape"]
        if not isinstance(shape, list):
            self.refuse("shape.not-an-array", "a shape is not an array")
        for size in shape:
            if isinstance(size, str):
                self.refuse("shape.text", "a dimension is a string")
            if isinstance(size, float):
                self.refuse("shape.fraction", "a dimension is not an integer")
            if size < 0:
                self.refuse("shape.negative", "a dimension is negative")
            if size >= 2**64:
                self.refuse("shape.beyond-64-bits", "a dimension is not a 64-bit integer")
        if shape[1:] == [2**32]:
            self.refuse("shape.overflowing", "the shape has too many elements")
        described = TENSORS[name][1]
        if any(size not in {-1, given} for size, given in zip(described, shape, strict=False)):
            self.refuse("shape.fixed-dimension", f"input '{name}' has shape {described}")
        return shape

    def data_of(
        self, item: dict[str, Any], datatype: str, shape: list[int], tail: bytes | None
    ) -> tuple[list[Any], bytes | None]:
        """The elements of an input, and what is left of the bytes behind the JSON."""
        size = (item.get("parameters") or {}).get("binary_data_size")
        if size is not None and "data" in item:
            self.refuse("binary.twice", "an input has its data twice")
        if size is not None:
            return self.binary_data(datatype, shape, size, tail or b"")
        if "data" not in item:
            self.refuse("errors.no-data", "an input has no data")
        data = item["data"]
        if not isinstance(data, list):
            self.refuse("errors.data-not-an-array", "data is not an array")
        elements = flat(data)
        is_nested, missing = any(isinstance(element, list) for element in data), math.prod(shape) - len(elements)
        if is_nested and missing:
            self.refuse("shape.ragged", "a row is longer or shorter than the shape says")
        if is_nested and nested(elements, shape) != data:
            self.refuse("shape.nested-otherwise", "the data is not nested as the shape says")
        if missing:
            name = "shape.too-few-elements" if missing > 0 else "shape.too-many-elements"
            self.refuse(name, f"shape {shape} does not fit {len(elements)} elements")
        self.check(datatype, elements)
        return elements, tail

    def binary_data(self, datatype: str, shape: list[int], size: object, tail: bytes) -> tuple[list[Any], bytes]:
        """The elements of an input that is in binary form, and what follows them."""
        if not isinstance(size, int):
            self.refuse("binary.size-text", "binary_data_size is not an integer")
        if size < 0:
            self.refuse("binary.size-negative", "binary_data_size is negative")
        if size > len(tail):
            name = "binary.size-too-large" if tail else "binary.missing-data"
            self.refuse(name, f"binary_data_size is {size}, {len(tail)} bytes follow")
        try:
            elements = DATATYPES[datatype].unpack(tail[:size])
        except ValueError as error:
            if isinstance(error, UnicodeDecodeError):
                self.refuse("binary.not-utf-8", str(error))
            self.refuse("binary.element-too-long" if datatype == "BYTES" else "binary.size-too-small", str(error))
        if len(elements) != math.prod(shape):
            self.refuse("binary.size-too-small", f"shape {shape} does not fit {len(elements)} elements")
        return elements, tail[size:]

    def check(self, datatype: str, elements: Sequence[Any]) -> None:
        """Refuse elements that the data type does not have."""
        for element in elements:
            if element is None:
                self.refuse("datatype.null-element", "an element is null")
            if isinstance(element, dict):
                self.refuse("datatype.object-element", "an element is an object")
            if not DATATYPES[datatype].has(element):
                self.refuse("datatype.other-kind", f"{element!r} is not of {datatype}")
        try:
            DATATYPES[datatype].pack(elements)
        except UnicodeEncodeError:
            self.refuse("bytes.lone-surrogate", "an element is half of a surrogate pair")
        except (struct.error, OverflowError) as error:
            self.refuse("datatype.out-of-range", f"not of {datatype}: {error}")

    def outputs(self, wanted: Any) -> dict[str, bool | None]:
        """The outputs that a request names, each with whether it is wanted in binary form."""
        if wanted is not None and not isinstance(wanted, list):
            self.refuse("outputs.not-an-array", "'outputs' is not an array")
        if not wanted:
            return dict.fromkeys(TENSORS)
        found: dict[str, bool | None] = {}
        for item in wanted:
            if "name" not in item:
                self.refuse("outputs.nameless", "an output has no name")
            if item["name"] not in TENSORS:
                self.refuse("outputs.unknown", f"there is no output '{item['name']}'")
            found[item["name"]] = (item.get("parameters") or {}).get("binary_data")
        return found
