"""The server and model under test, and what was learned about them before the first case."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from conformance.datatypes import Element
from conformance.outcomes import FailedError, NotApplicableError
from conformance.tensors import VARIABLE, ModelMetadata, Tensor, flat, read_metadata
from conformance.wire import JSON_TYPE, Answer, Exchange, Request, Wire, kind

BINARY_EXTENSION: Final = "binary_tensor_data"
HEADER: Final = "Inference-Header-Content-Length"
_SIZES: Final = ((2,), (2, 1), (1,))
"""What dimensions of variable size are tried with, until the model takes a request."""
_TOLERANCE: Final = 1e-4
"""How much floating-point outputs of equal requests may differ, relatively: batching changes the order of sums."""


class Target:
    """A model on a server.

    Args:
        wire: The connection to the server.
        model: Name of the model.
        version: Version to ask; None: the path has none, and the server chooses.
        huge_bytes: Size of the largest body that is sent.
        loading: The connection to a server of the same kind that has not loaded its model; None: there is none.

    Attributes:
        metadata: The model's, or None where the server does not describe its tensors.
        request: A valid inference request, or None where none is known.
        outputs: The outputs that `request` got, by name.
        shapes: The shape of each input in `request`, by name.
        echoes: The inputs that an output repeats, with the output's name: there, values can be compared.
        deterministic: Whether the model answers equal requests equally.
        binary: Whether the server takes binary tensor data.
        said: What the cases before the present one sent and received.
    """

    def __init__(
        self, wire: Wire, model: str, *, version: str | None, huge_bytes: int, loading: Wire | None = None
    ) -> None:
        self.wire = wire
        self.model = model
        self.version = version
        self.huge_bytes = huge_bytes
        self.loading = loading
        self.metadata: ModelMetadata | None = None
        self.request: dict[str, Any] | None = None
        self.outputs: dict[str, dict[str, Any]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.echoes: dict[str, str] = {}
        self.extensions: list[str] = []
        self.server: dict[str, Any] = {}
        self.deterministic = True
        self.binary = False
        self.said: list[Exchange] = []

    # --- paths and requests ---

    def path(self, suffix: str = "", *, model: str | None = None, version: str | None = None) -> str:
        """A path of a model, by default of the one under test; an empty `version` leaves the version out."""
        version = self.version if version is None else version
        middle = "" if not version else f"/versions/{quote(version, safe='')}"
        return f"/v2/models/{quote(model or self.model, safe='')}{middle}{suffix}"

    def get(self, path: str) -> Answer:
        """Ask for a document."""
        return self.send(Request("GET", path))

    def send(self, request: Request) -> Answer:
        """Send a request."""
        return self.wire.send(request)

    def inference(self, body: object, *, path: str | None = None, headers: Mapping[str, str] | None = None) -> Request:
        """An inference request; a `body` of bytes is sent as it is, another one as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return Request("POST", path or self.path("/infer"), content, {"Content-Type": JSON_TYPE} | dict(headers or {}))

    def ask(self, body: object, *, path: str | None = None) -> dict[str, Any]:
        """Send an inference request that must be answered.

        Raises:
            FailedError: it is not answered with 200 and a JSON object.
        """
        return self.send(self.inference(body, path=path)).require(200).object()

    # --- what is known ---

    def require_request(self) -> None:
        """Go on only where a valid request is known.

        Raises:
            NotApplicableError: none is known.
        """
        if self.request is None:
            raise NotApplicableError("no valid request is known; see infer.answered")

    @property
    def described(self) -> ModelMetadata:
        """The model's metadata.

        Raises:
            NotApplicableError: there is none.
        """
        if self.metadata is None:
            raise NotApplicableError("the model's tensors are not described; see the cases under 'model'")
        return self.metadata

    def valid(self, **members: object) -> dict[str, Any]:
        """A copy of the valid request, with more members.

        Raises:
            NotApplicableError: no valid request is known.
        """
        self.require_request()
        copied: dict[str, Any] = json.loads(json.dumps(self.request))  # several times as fast as copy.deepcopy
        return copied | members

    def changed(self, tensor: Tensor | None = None, /, **members: object) -> dict[str, Any]:
        """The valid request with other members of one input, by default of the first; None removes a member."""
        request = self.valid()
        name = (tensor or self.first).name
        target = next(item for item in request["inputs"] if item["name"] == name)
        for key, value in members.items():
            if value is None:
                del target[key]
            else:
                target[key] = value
        return request

    @property
    def first(self) -> Tensor:
        """The first input.

        Raises:
            NotApplicableError: no valid request is known, so neither is an input.
        """
        self.require_request()
        return self.described.inputs[0]

    def input_of(self, *datatypes: str, dimensions: int = 0, echoed: bool = False) -> Tensor:
        """An input with one of the data types, if any are given, and at least so many dimensions.

        Raises:
            NotApplicableError: the model has none.
        """
        self.require_request()
        for tensor in self.described.inputs:
            fits = (not datatypes or tensor.datatype.name in datatypes) and len(tensor.shape) >= dimensions
            if fits and (not echoed or tensor.name in self.echoes):
                return tensor
        wanted = [f"of {' or '.join(datatypes)}"] if datatypes else []
        wanted += [f"with {dimensions} dimensions or more"] if dimensions else []
        wanted += ["that an output repeats"] if echoed else []
        raise NotApplicableError(f"the model has no input {' '.join(wanted)}")

    def require_binary(self) -> None:
        """Go on only where the server takes binary tensor data.

        Raises:
            NotApplicableError: it does not say so, and refuses a request with it.
        """
        self.require_request()
        if not self.binary:
            raise NotApplicableError("the server does not offer binary tensor data")

    def fill(self, tensor: Tensor, elements: list[Element]) -> dict[str, Any]:
        """The valid request with as many of `elements`, repeated, as one input holds.

        Where the input's first dimension varies, it is made as long as there are elements, unless other inputs may
        have to be as long.
        """
        shape = list(self.shapes[tensor.name])
        alone = len(self.described.inputs) == 1 or tensor.name in self.echoes
        if alone and shape and tensor.shape[0] == VARIABLE:
            shape[0] = math.ceil(len(elements) / math.prod(shape[1:]))
        data = [elements[index % len(elements)] for index in range(math.prod(shape))]
        return self.changed(tensor, shape=shape, data=data)

    def echoed(self, tensor: Tensor, response: dict[str, Any]) -> list[Any] | None:
        """What came back of an input, flat; None where no output repeats it."""
        name = self.echoes.get(tensor.name)
        output = outputs(response).get(name) if name else None
        return None if name is None else flat((output or {}).get("data"))

    def require_equal(self, one: dict[str, Any], other: dict[str, Any], what: str) -> None:
        """Compare the outputs of two responses to equal requests.

        Raises:
            FailedError: they differ, and the model is one that answers equal requests equally.
        """
        if self.deterministic and not same_outputs(one, other):
            raise FailedError(f"the outputs differ from those of {what}")

    def first_answer(self) -> dict[str, Any]:
        """The response to the valid request, asked anew."""
        return self.ask(self.valid())


def outputs(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The outputs of a response by name, without those that are malformed: other cases report them."""
    found = response.get("outputs")
    if not isinstance(found, list):
        raise FailedError(f"'outputs' is {kind(found)}, not an array")
    return {
        output["name"]: output for output in found if isinstance(output, dict) and isinstance(output.get("name"), str)
    }


def same_outputs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two responses have the same outputs; floating-point elements may differ a little."""
    first, second = outputs(one), outputs(other)
    return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if (one.get("datatype"), one.get("shape")) != (other.get("datatype"), other.get("shape")):
        return False
    first, second = flat(one.get("data")), flat(other.get("data"))
    return len(first) == len(second) and all(map(_close, first, second))


def _close(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other


def learn(target: Target) -> None:
    """Find out what the cases need to know: metadata, a valid request, what the model does with it.

    Whatever goes wrong leaves the fact unknown: a case reports it.
    """
    _learn_server(target)
    try:
        target.metadata = read_metadata(target.get(target.path()).require(200).object())
    except FailedError:
        return
    if not target.metadata.inputs:
        return
    if not _learn_request(target) and target.version is None and target.metadata.versions:
        target.version = target.metadata.versions[-1]  # a server may insist on a version
        _learn_request(target)
    if target.request is not None:
        _learn_echoes(target)
        _learn_binary(target)


def _learn_server(target: Target) -> None:
    try:
        target.server = target.get("/v2").require(200).object()
    except FailedError:
        return
    extensions = target.server.get("extensions")
    if isinstance(extensions, list):
        target.extensions = [extension for extension in extensions if isinstance(extension, str)]


def _learn_request(target: Target) -> bool:
    inputs = target.described.inputs
    for sizes in _SIZES:
        shapes = {tensor.name: tensor.sized(*sizes) for tensor in inputs}
        request = {"inputs": [tensor.filled(shapes[tensor.name]) for tensor in inputs]}
        try:
            response = target.ask(request)
            again = target.ask(request)
            target.outputs = outputs(response)
            target.deterministic = same_outputs(response, again)
        except FailedError:
            continue
        target.request, target.shapes = request, shapes
        return True
    return False


def _learn_echoes(target: Target) -> None:
    inputs = target.described.inputs
    other = {
        "inputs": [
            tensor.filled(target.shapes[tensor.name], tensor.elements(target.shapes[tensor.name], shift=1 + index))
            for index, tensor in enumerate(inputs)
        ]
    }
    try:
        found = [(target.valid(), target.outputs), (other, outputs(target.ask(other)))]
    except FailedError:
        return
    for index, tensor in enumerate(inputs):
        for name in target.outputs:
            if all(_repeats(tensor, sent["inputs"][index], got.get(name)) for sent, got in found):
                target.echoes.setdefault(tensor.name, name)


def _repeats(tensor: Tensor, sent: dict[str, Any], got: dict[str, Any] | None) -> bool:
    if got is None or got.get("datatype") != tensor.datatype.name:
        return False
    data = flat(got.get("data"))
    return len(data) == len(sent["data"]) and all(map(tensor.datatype.same, data, sent["data"]))


def _learn_binary(target: Target) -> None:
    if BINARY_EXTENSION in target.extensions:
        target.binary = True
        return
    try:
        target.binary = not target.send(binary_request(target, target.valid())).is_error
    except FailedError:
        target.binary = False


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
