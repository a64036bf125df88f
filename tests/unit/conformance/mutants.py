"""For each case a server that differs from the conforming one in what this case asks, and in nothing else."""

import dataclasses
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

from conformance.cases import all_cases
from conformance.cases.bytes_ import TEXTS
from conformance.datatypes import DATATYPES
from tests.unit.conformance.protocol_server import HEADER, MODEL, TENSORS, Call, ProtocolServer, Reply

Handler = Callable[[Call], Reply]
Change = Callable[[Call, Reply], Reply]
BASE = f"/v2/models/{MODEL}"
INFER = f"{BASE}/infer"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A server, another that has not loaded its model, and how many requests a connection takes."""

    server: Handler
    loading: Handler
    most: int | None = None


def mutant_of(name: str) -> Mutant:
    """The mutant that the case `name` must catch."""
    healthy, loading = ProtocolServer(), ProtocolServer(loading=True)
    if name == "http.kept-alive":
        return Mutant(healthy, loading, most=1)
    if name in CHANGES:
        changed = _changed(healthy, CHANGES[name])
        return (
            Mutant(changed, loading)
            if not name.startswith("loading.")
            else Mutant(healthy, _changed(loading, CHANGES[name]))
        )
    if name in STATEFUL:
        return Mutant(STATEFUL[name](healthy), loading)
    if name.endswith(".error-object"):
        refusals = {name.removesuffix(".error-object")}
        return Mutant(ProtocolServer(unreadable=refusals), ProtocolServer(unreadable=refusals, loading=True))
    return Mutant(ProtocolServer(accepts={name}), ProtocolServer(accepts={name}, loading=True))


def _changed(handler: Handler, change: Change) -> Handler:
    return lambda call: change(call, handler(call))


# --- building blocks ---


def _content(reply: Reply, **members: Any) -> Reply:
    """The reply with other members of its content; None removes one."""
    content = {key: value for key, value in (reply.content | members).items() if value is not None or key == "id"}
    return dataclasses.replace(reply, content=content)


def _on(path: str, change: Callable[[Reply], Reply], method: str = "GET") -> Change:
    """Change what is answered at a path."""
    return lambda call, reply: change(reply) if (call.method, call.path) == (method, path) else reply


def _status(path: str, status: int) -> Change:
    return _on(path, lambda reply: dataclasses.replace(reply, status=status))


def _members(path: str, **members: Any) -> Change:
    return _on(path, lambda reply: _content(reply, **members))


def _first_tensor(key: str, **members: Any) -> Change:
    """Change the first tensor under `key` of the model's metadata."""

    def change(reply: Reply) -> Reply:
        tensors = reply.content[key]
        return _content(reply, **{key: [tensors[0] | members, *tensors[1:]]})

    return _on(BASE, change)


def _response(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Change the JSON of every inference response that has no binary data."""

    def changed(call: Call, reply: Reply) -> Reply:
        if not _is_inference(call) or reply.status != 200 or reply.tail:
            return reply
        return dataclasses.replace(reply, content=change(json.loads(json.dumps(reply.content))))

    return changed


def _output(name: str, **members: Any) -> Change:
    """Change members of one output; None removes one."""

    def change(content: dict[str, Any]) -> dict[str, Any]:
        for output in content["outputs"]:
            if output["name"] == name:
                output.update(members)
                for key in [key for key in output if output[key] is None]:
                    del output[key]
        return content

    return _response(change)


def _is_inference(call: Call) -> bool:
    return call.path.partition("?")[0].endswith("/infer")


def _asked(call: Call) -> dict[str, Any]:
    """The JSON of an inference request, as far as it is an object."""
    length = call.headers.get(HEADER, "")
    text = call.body[: int(length)] if length.isdecimal() else call.body
    try:
        value = json.loads(text) if _is_inference(call) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refused(condition: Callable[[dict[str, Any]], Any]) -> Change:
    """Refuse the inference requests that fulfil a condition."""
    return _refused_call(lambda call: condition(_asked(call)))


def _refused_call(condition: Callable[[Call], Any], status: int = 400) -> Change:
    return lambda call, reply: Reply(status, {"error": "not this one"}) if condition(call) else reply


def _inputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    inputs = request.get("inputs")
    return [item for item in inputs if isinstance(item, dict)] if isinstance(inputs, list) else []


def _parameter(value: object) -> Callable[[dict[str, Any]], bool]:
    def has(request: dict[str, Any]) -> bool:
        parameters = request.get("parameters")
        return isinstance(parameters, dict) and parameters.get("conformance_unknown") == value

    return has


def _plain_outputs(request: dict[str, Any]) -> list[str] | None:
    """The names of the outputs that a request names, when it says nothing else of them."""
    wanted = request.get("outputs")
    if not isinstance(wanted, list) or not all(list(item) == ["name"] for item in wanted):
        return None
    return [item["name"] for item in wanted]


def _altered(condition: Callable[[Call, dict[str, Any]], Any], edit: Callable[[list[Any]], list[Any]]) -> Change:
    """Change the elements of the outputs of requests that fulfil a condition."""

    def change(call: Call, reply: Reply) -> Reply:
        if reply.status != 200 or reply.tail or not condition(call, _asked(call)):
            return reply
        outputs = [output | {"data": edit(output["data"])} for output in reply.content["outputs"]]
        return _content(reply, outputs=outputs)

    return change


def _input_is(name: str, elements: list[Any]) -> Callable[[Call, dict[str, Any]], bool]:
    def is_it(_call: Call, request: dict[str, Any]) -> bool:
        return any(item.get("name") == name and item.get("data") == elements for item in _inputs(request))

    return is_it


def _emptied(elements: list[Any]) -> list[Any]:
    return elements[1:]


def _shaped(shape: list[int]) -> Callable[[dict[str, Any]], bool]:
    return lambda request: any(item.get("shape") == shape for item in _inputs(request)[:1])


def _identifier(change: Callable[[Any], Any]) -> Change:
    return _response(lambda content: content | {"id": change(content["id"])} if "id" in content else content)


def _binary_wanted(*, value: bool) -> Callable[[dict[str, Any]], bool]:
    def wanted(request: dict[str, Any]) -> bool:
        outputs = request.get("outputs")
        return isinstance(outputs, list) and any(
            isinstance(item, dict) and (item.get("parameters") or {}).get("binary_data") is value for item in outputs
        )

    return wanted


def _instead(condition: Callable[[dict[str, Any]], Any], edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Answer requests that fulfil a condition as if another had been sent."""

    def change(call: Call, reply: Reply) -> Reply:
        request = _asked(call)
        if reply.status != 200 or not condition(request):
            return reply
        return ProtocolServer()(dataclasses.replace(call, body=json.dumps(edit(request)).encode()))

    return change


def _transposed(data: list[Any]) -> list[Any]:
    return data[::2] + data[1::2]


def _kinds(request: dict[str, Any]) -> set[bool]:
    return {"data" in item for item in _inputs(request)}


def _header(condition: Callable[[Call], bool], **headers: str | None) -> Change:
    def change(call: Call, reply: Reply) -> Reply:
        merged = {key: value for key, value in (reply.headers | headers).items() if value is not None}
        return dataclasses.replace(reply, headers=merged) if condition(call) else reply

    return change


# --- the mutants ---

CHANGES: dict[str, Change] = {
    "health.live": _status("/v2/health/live", 202),
    "health.live-body": _members("/v2/health/live", live=None),
    "health.ready": _status("/v2/health/ready", 202),
    "health.ready-body": _members("/v2/health/ready", live=False, ready=False),
    "health.ready-key": _members("/v2/health/ready", live=None),
    "health.content-type": _header(lambda call: call.path == "/v2/health/live", **{"content-type": "text/plain"}),
    "server.answered": _on("/v2", lambda _: Reply(404, {"error": "not here"})),
    "server.name": _members("/v2", name=None),
    "server.version": _members("/v2", version=1.0),
    "server.extensions": _members("/v2", extensions=["binary_tensor_data", 7]),
    "server.trailing-slash": _on("/v2/", lambda _: Reply(404, {"error": "not here"})),
    "model.answered": _on(BASE, lambda _: Reply(404, {"error": "not here"})),
    "model.name": _members(BASE, name="another"),
    "model.platform": _members(BASE, platform=None),
    "model.platform-format": _members(BASE, platform="sklearn"),
    "model.inputs": _members(BASE, inputs=[]),
    "model.outputs": _members(BASE, outputs=[]),
    "model.tensor-names": _first_tensor("outputs", name=""),
    "model.tensor-datatypes": _first_tensor("outputs", datatype="STRING"),
    "model.tensor-shapes": _first_tensor("outputs", shape=[-2]),
    "model.versions": _members(BASE, versions=[1, 2]),
    "ready.answered": _status(f"{BASE}/ready", 202),
    "ready.body": _members(f"{BASE}/ready", ready="yes"),
    "ready.name": _members(f"{BASE}/ready", name=None),
    "ready.versions": _status(f"{BASE}/versions/1/ready", 404),
    "ready.unknown-model": _on("/v2/models/no-such-model/ready", lambda _: Reply(200, {"ready": True})),
    "loading.live": _status("/v2/health/live", 503),
    "loading.server-ready": _status("/v2/health/ready", 200),
    "loading.model-ready": _on(f"{BASE}/ready", lambda _: Reply(200, {"name": MODEL, "ready": True})),
    "infer.answered": _refused_call(lambda call: call.path.endswith("/infer") and call.method == "POST"),
    "infer.model-name": _response(lambda content: content | {"model_name": "another"}),
    "infer.all-outputs": lambda call, reply: (
        reply
        if "outputs" in _asked(call) or reply.status != 200 or reply.tail or not _is_inference(call)
        else _content(reply, outputs=[output for output in reply.content["outputs"] if output["name"] != "matrix"])
    ),
    "infer.known-outputs": _on(
        BASE,
        lambda reply: _content(reply, outputs=[item for item in reply.content["outputs"] if item["name"] != "bool"]),
    ),
    "infer.output-members": _output("bool", datatype=None),
    "infer.output-datatypes": _output("int16", datatype="INT32"),
    "infer.output-shapes": _output("matrix", shape=[4]),
    "infer.output-sizes": _output("bool", shape=[77]),
    "infer.output-elements": _output("int8", data=["zero", "one"]),
    "infer.strict-json": _response(lambda content: content | {"parameters": {"score": math.nan}}),
    "infer.content-type": _header(
        lambda call: call.path == INFER and "binary" not in call.body.decode(errors="ignore"),
        **{"content-type": "text/plain"},
    ),
    "infer.response-parameters": _response(lambda content: content | {"parameters": {"scores": [1]}}),
    "infer.unknown-members": _refused(lambda request: "model_name" in request),
    "infer.whitespace": _refused_call(lambda call: b"\r\n\t" in call.body),
    "versions.metadata": _members(f"{BASE}/versions/1", name="another"),
    "versions.inference": _on(f"{BASE}/versions/1/infer", lambda _: Reply(404, {"error": "not here"}), "POST"),
    "versions.used": _on(f"{BASE}/versions/2/infer", lambda reply: _content(reply, model_version="1"), "POST"),
    "versions.type": _on(INFER, lambda reply: reply if reply.tail else _content(reply, model_version=2), "POST"),
    "versions.reported": _response(lambda content: {key: content[key] for key in content if key != "model_version"}),
    "versions.omitted": _refused_call(lambda call: call.path == INFER and call.method == "POST"),
    "id.echoed": _identifier(lambda identifier: "" if identifier == "42" else identifier),
    "id.text": _identifier(str.strip),
    "id.long": _identifier(lambda identifier: identifier[:255]),
    "id.own": _identifier(lambda identifier: "request-0" if identifier.startswith("request-") else identifier),
    "id.never-null": _response(lambda content: {"id": None} | content),
    "id.absent": _response(lambda content: {"id": "invented"} | content),
    "id.empty": _response(lambda content: {key: content[key] for key in content if key != "id" or content["id"]}),
    "id.null": _refused(lambda request: "id" in request and request["id"] is None),
    "parameters.empty": _refused(lambda request: request.get("parameters") == {}),
    "parameters.string": _refused(_parameter("a text")),
    "parameters.number": _refused(_parameter(1.5)),
    "parameters.boolean": _refused(_parameter(value=True)),
    "parameters.of-an-input": _refused(
        lambda request: any("conformance_unknown" in (item.get("parameters") or {}) for item in _inputs(request))
    ),
    "parameters.of-an-output": _refused(lambda request: "outputs" in request and "conformance_unknown" in str(request)),
    "parameters.null": _refused(lambda request: "parameters" in request and request["parameters"] is None),
    "parameters.nested": _refused(_parameter({"a": [1, 2]})),
    "outputs.named": lambda call, reply: (
        _content(reply, outputs=[]) if reply.status == 200 and len(_plain_outputs(_asked(call)) or ()) == 1 else reply
    ),
    "outputs.only": _instead(
        lambda request: len(_plain_outputs(request) or ()) == 1, lambda request: request | {"outputs": []}
    ),
    "outputs.all-named": _instead(
        lambda request: _plain_outputs(request) == list(TENSORS),
        lambda request: request | {"outputs": request["outputs"][1:]},
    ),
    "outputs.order": _instead(
        lambda request: _plain_outputs(request) == list(TENSORS)[::-1],
        lambda request: request | {"outputs": request["outputs"][::-1]},
    ),
    "outputs.empty": lambda call, reply: _content(reply, outputs=[]) if _asked(call).get("outputs") == [] else reply,
    "shape.variable": _refused(lambda request: {str(item.get("shape"))[:2] for item in _inputs(request)} == {"[5"}),
    "shape.nested": _refused(lambda request: any(_is_nested(item, "matrix") for item in _inputs(request))),
    "shape.row-major": _altered(
        lambda _, request: any(_is_nested(item, "matrix") for item in _inputs(request)), _transposed
    ),
    "shape.zero": _refused(_shaped([0])),
    "shape.rank": _refused(_shaped([2, 1])),
    "bytes.escaped-or-raw": _altered(lambda call, _: b"prix \\u00e0" in call.body, _emptied),
    "bytes.order": _altered(
        _input_is("bytes", [f"text {number}" for number in range(5)]), lambda elements: elements[::-1]
    ),
    "binary.declared": _members("/v2", extensions=[]),
    "binary.input": _altered(lambda call, request: HEADER in call.headers and _kinds(request) == {False}, _emptied),
    "binary.one-input": _altered(
        lambda call, request: HEADER in call.headers and _kinds(request) == {False, True}, _emptied
    ),
    "binary.output": _instead(_binary_wanted(value=True), lambda request: request | {"outputs": []}),
    "binary.outputs": _instead(
        lambda request: "binary_data_output" in str(request) and "outputs" not in request,
        lambda request: request | {"parameters": {}},
    ),
    "binary.output-overrides": _instead(
        _binary_wanted(value=False), lambda request: request | {"outputs": [{"name": name} for name in TENSORS]}
    ),
    "binary.output-header": _header(lambda _: True, **{HEADER: None}),
    "http.pipelined": _identifier(
        lambda identifier: "pipelined-1" if identifier.startswith("pipelined-") else identifier
    ),
    "http.chunked": _refused_call(lambda call: "transfer-encoding" in call.headers, 411),
    "http.charset": _refused_call(lambda call: "charset" in call.headers.get("content-type", ""), 415),
    "http.query": _refused_call(lambda call: "?" in call.path, 404),
    "http.encoded-path": _refused_call(lambda call: "%65" in call.path, 404),
    "http.no-content-type": _refused_call(lambda call: not call.headers.get("content-type") and call.body, 415),
    "http.other-content-type": _refused_call(lambda call: call.headers.get("content-type") == "text/plain", 415),
    "http.method-not-allowed": _refused_call(lambda call: call.method == "GET" and call.path == INFER, 404),
    "http.huge-body": lambda _, reply: (
        dataclasses.replace(reply, content={"detail": "too large"}) if reply.status == 413 else reply
    ),
    "http.no-500": _refused_call(lambda call: call.path.startswith("/v2/no-such-path"), 500),
    **{
        f"datatype.{name.lower()}": _altered(_input_is(name.lower(), list(datatype.bounds)), _emptied)
        for name, datatype in DATATYPES.items()
        if name != "BYTES"
    },
    **{f"bytes.{name}": _altered(_input_is("bytes", [text]), _emptied) for name, (text, _) in TEXTS.items()},
}


def _is_nested(item: dict[str, Any], name: str) -> bool:
    data = item.get("data")
    well_formed = [[0.5, 1.0], [0.25, 2.0]]
    return item.get("name") == name and data == well_formed


def _forgetful(healthy: Handler) -> Handler:
    """A server that answers nothing after it has refused a body that was too large."""
    tired: list[Call] = []

    def handler(call: Call) -> Reply:
        reply = healthy(call)
        if tired and call.path == INFER:
            return Reply(503, {"error": "tired"})
        if reply.status == 413:
            tired.append(call)
        return reply

    return handler


def _restless(healthy: Handler) -> Handler:
    """A server that gives other outputs to each request."""
    numbers = itertools.count()

    def handler(call: Call) -> Reply:
        reply = healthy(call)
        if reply.status != 200 or reply.tail or not _is_inference(call):
            return reply
        outputs = [
            output | {"data": [next(numbers) for _ in output["data"]]} if output["name"] == "int64" else output
            for output in reply.content["outputs"]
        ]
        return _content(reply, outputs=outputs)

    return handler


STATEFUL: dict[str, Callable[[Handler], Handler]] = {"http.alive": _forgetful, "http.equal-answers": _restless}
CASES = {case.id: case for case in all_cases()}
LISTED = {*CHANGES, *STATEFUL, "http.kept-alive"}
"""The cases whose mutants are written here; the others' accept or misword a refusal of that name."""
