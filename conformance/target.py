"""The server and model under test, and what was learned about them before the first case."""

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from conformance.datatypes import Element
from conformance.messages import JSON_TYPE, Answer, Exchange, Request
from conformance.outcomes import FailedError, NotApplicableError
from conformance.responses import difference, outputs
from conformance.tensors import VARIABLE, ModelMetadata, Tensor, flat
from conformance.wire import Wire


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

        Where the first dimension of every input varies, all inputs are made as long as there are elements: it is the
        size of the batch, which a server may require to be the same for all.
        """
        shapes = dict(self.shapes)
        if all(each.shape and each.shape[0] == VARIABLE for each in self.described.inputs):
            rows = math.ceil(len(elements) / math.prod(shapes[tensor.name][1:]))
            shapes = {name: (rows, *shape[1:]) for name, shape in shapes.items()}
        inputs = [each.filled(shapes[each.name]) for each in self.described.inputs]
        count = math.prod(shapes[tensor.name])
        chosen = [elements[index % len(elements)] for index in range(count)]
        inputs[self.described.inputs.index(tensor)] = tensor.filled(shapes[tensor.name], chosen)
        return self.valid(inputs=inputs)

    def echoed(self, tensor: Tensor, response: dict[str, Any]) -> list[Any] | None:
        """What came back of an input, flat; None where no output repeats it."""
        name = self.echoes.get(tensor.name)
        output = outputs(response).get(name) if name else None
        return None if name is None else flat((output or {}).get("data"))

    def require_same(self, request: Request, what: str, *, reference: object = None) -> None:
        """Send a request that must be answered like another one.

        Args:
            request: The request.
            what: How it differs from the other one, as in "without a query".
            reference: The body of the other one, by default of the valid request.

        Raises:
            FailedError: it is not answered, or its outputs differ, from a model that answers equal requests equally.
        """
        expected = self.ask(self.valid() if reference is None else reference)
        self.require_equal(self.send(request).require(200).object(), expected, what)

    def require_equal(self, response: dict[str, Any], expected: dict[str, Any], what: str) -> None:
        """Compare the outputs of two responses.

        Raises:
            FailedError: they differ, and the model is one that answers equal requests equally.
        """
        found = difference(response, expected) if self.deterministic else ""
        if found:
            raise FailedError(f"{found} as for the request {what}")

    def first_answer(self) -> dict[str, Any]:
        """The response to the valid request, asked anew."""
        return self.ask(self.valid())
