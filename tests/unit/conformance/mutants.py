"""For each case a server that differs from the conforming one in what this case asks, and in nothing else."""

import dataclasses
import itertools
import math
from collections.abc import Callable

from conformance.cases import all_cases
from conformance.cases.bytes_ import TEXTS
from conformance.datatypes import DATATYPES
from tests.unit.conformance.changes import (
    BASE,
    INFER,
    Change,
    Handler,
    altered,
    asked,
    binary_wanted,
    content,
    emptied,
    first_tensor,
    header,
    identifier,
    input_is,
    inputs,
    instead,
    is_inference,
    is_nested,
    kinds,
    members,
    on,
    output,
    parameter,
    plain_outputs,
    refused,
    refused_call,
    response,
    shaped,
    status,
    transposed,
)
from tests.unit.conformance.protocol_server import HEADER, MODEL, TENSORS, Call, ProtocolServer, Reply


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


CHANGES: dict[str, Change] = {
    "health.live": status("/v2/health/live", 202),
    "health.live-body": members("/v2/health/live", live=None),
    "health.ready": status("/v2/health/ready", 202),
    "health.ready-body": members("/v2/health/ready", live=False, ready=False),
    "health.ready-key": members("/v2/health/ready", live=None),
    "health.content-type": header(lambda call: call.path == "/v2/health/live", **{"content-type": "text/plain"}),
    "server.answered": on("/v2", lambda _: Reply(404, {"error": "not here"})),
    "server.name": members("/v2", name=None),
    "server.version": members("/v2", version=1.0),
    "server.extensions": members("/v2", extensions=["binary_tensor_data", 7]),
    "server.trailing-slash": on("/v2/", lambda _: Reply(404, {"error": "not here"})),
    "model.answered": on(BASE, lambda _: Reply(404, {"error": "not here"})),
    "model.name": members(BASE, name="another"),
    "model.platform": members(BASE, platform=None),
    "model.platform-format": members(BASE, platform="sklearn"),
    "model.inputs": members(BASE, inputs=[]),
    "model.outputs": members(BASE, outputs=[]),
    "model.tensor-names": first_tensor("outputs", name=""),
    "model.tensor-datatypes": first_tensor("outputs", datatype="STRING"),
    "model.tensor-shapes": first_tensor("outputs", shape=[-2]),
    "model.versions": members(BASE, versions=[1, 2]),
    "ready.answered": status(f"{BASE}/ready", 202),
    "ready.body": members(f"{BASE}/ready", ready="yes"),
    "ready.name": members(f"{BASE}/ready", name=None),
    "ready.versions": status(f"{BASE}/versions/1/ready", 404),
    "ready.unknown-model": on("/v2/models/no-such-model/ready", lambda _: Reply(200, {"ready": True})),
    "loading.live": status("/v2/health/live", 503),
    "loading.server-ready": status("/v2/health/ready", 200),
    "loading.model-ready": on(f"{BASE}/ready", lambda _: Reply(200, {"name": MODEL, "ready": True})),
    "infer.answered": refused_call(lambda call: call.path.endswith("/infer") and call.method == "POST"),
    "infer.model-name": response(lambda content: content | {"model_name": "another"}),
    "infer.all-outputs": lambda call, reply: (
        reply
        if "outputs" in asked(call) or reply.status != 200 or reply.tail or not is_inference(call)
        else content(reply, outputs=[output for output in reply.content["outputs"] if output["name"] != "matrix"])
    ),
    "infer.known-outputs": on(
        BASE,
        lambda reply: content(reply, outputs=[item for item in reply.content["outputs"] if item["name"] != "bool"]),
    ),
    "infer.output-members": output("bool", datatype=None),
    "infer.output-datatypes": output("int16", datatype="INT32"),
    "infer.output-shapes": output("matrix", shape=[4]),
    "infer.output-sizes": output("bool", shape=[77]),
    "infer.output-elements": output("int8", data=["zero", "one"]),
    "infer.strict-json": response(lambda content: content | {"parameters": {"score": math.nan}}),
    "infer.content-type": header(
        lambda call: call.path == INFER and "binary" not in call.body.decode(errors="ignore"),
        **{"content-type": "text/plain"},
    ),
    "infer.response-parameters": response(lambda content: content | {"parameters": {"scores": [1]}}),
    "infer.unknown-members": refused(lambda request: "model_name" in request),
    "infer.whitespace": refused_call(lambda call: b"\r\n\t" in call.body),
    "versions.metadata": members(f"{BASE}/versions/1", name="another"),
    "versions.inference": on(f"{BASE}/versions/1/infer", lambda _: Reply(404, {"error": "not here"}), "POST"),
    "versions.used": on(f"{BASE}/versions/2/infer", lambda reply: content(reply, model_version="1"), "POST"),
    "versions.type": on(INFER, lambda reply: reply if reply.tail else content(reply, model_version=2), "POST"),
    "versions.reported": response(lambda content: {key: content[key] for key in content if key != "model_version"}),
    "versions.omitted": refused_call(lambda call: call.path == INFER and call.method == "POST"),
    "id.echoed": identifier(lambda identifier: "" if identifier == "42" else identifier),
    "id.text": identifier(str.strip),
    "id.long": identifier(lambda identifier: identifier[:255]),
    "id.own": identifier(lambda identifier: "request-0" if identifier.startswith("request-") else identifier),
    "id.never-null": response(lambda content: {"id": None} | content),
    "id.absent": response(lambda content: {"id": "invented"} | content),
    "id.empty": response(lambda content: {key: content[key] for key in content if key != "id" or content["id"]}),
    "id.null": refused(lambda request: "id" in request and request["id"] is None),
    "parameters.empty": refused(lambda request: request.get("parameters") == {}),
    "parameters.string": refused(parameter("a text")),
    "parameters.number": refused(parameter(1.5)),
    "parameters.boolean": refused(parameter(value=True)),
    "parameters.of-an-input": refused(
        lambda request: any("conformance_unknown" in (item.get("parameters") or {}) for item in inputs(request))
    ),
    "parameters.of-an-output": refused(lambda request: "outputs" in request and "conformance_unknown" in str(request)),
    "parameters.null": refused(lambda request: "parameters" in request and request["parameters"] is None),
    "parameters.nested": refused(parameter({"a": [1, 2]})),
    "outputs.named": lambda call, reply: (
        content(reply, outputs=[]) if reply.status == 200 and len(plain_outputs(asked(call)) or ()) == 1 else reply
    ),
    "outputs.only": instead(
        lambda request: len(plain_outputs(request) or ()) == 1, lambda request: request | {"outputs": []}
    ),
    "outputs.all-named": instead(
        lambda request: plain_outputs(request) == list(TENSORS),
        lambda request: request | {"outputs": request["outputs"][1:]},
    ),
    "outputs.order": instead(
        lambda request: plain_outputs(request) == list(TENSORS)[::-1],
        lambda request: request | {"outputs": request["outputs"][::-1]},
    ),
    "outputs.empty": lambda call, reply: content(reply, outputs=[]) if asked(call).get("outputs") == [] else reply,
    "shape.variable": refused(
        lambda request: (
            {str(item.get("shape"))[:2] for item in inputs(request)} == {"[5"}
            and not any("text 0" in item.get("data", ()) for item in inputs(request))  # that is bytes.order
        )
    ),
    "shape.nested": refused(lambda request: any(is_nested(item, "matrix") for item in inputs(request))),
    "shape.row-major": altered(
        lambda _, request: any(is_nested(item, "matrix") for item in inputs(request)), transposed
    ),
    "shape.zero": refused(shaped([0])),
    "shape.rank": refused(shaped([2, 1])),
    "bytes.escaped-or-raw": altered(lambda call, _: b"prix \\u00e0" in call.body, emptied),
    "bytes.order": altered(
        input_is("bytes", [f"text {number}" for number in range(5)]), lambda elements: elements[::-1]
    ),
    "binary.declared": members("/v2", extensions=[]),
    "binary.input": altered(lambda call, request: HEADER in call.headers and kinds(request) == {False}, emptied),
    "binary.one-input": altered(
        lambda call, request: HEADER in call.headers and kinds(request) == {False, True}, emptied
    ),
    "binary.output": instead(binary_wanted(value=True), lambda request: request | {"outputs": []}),
    "binary.outputs": instead(
        lambda request: "binary_data_output" in str(request) and "outputs" not in request,
        lambda request: request | {"parameters": {}},
    ),
    "binary.output-overrides": instead(
        binary_wanted(value=False), lambda request: request | {"outputs": [{"name": name} for name in TENSORS]}
    ),
    "binary.output-header": header(lambda _: True, **{HEADER: None}),
    "http.pipelined": identifier(
        lambda identifier: "pipelined-1" if identifier.startswith("pipelined-") else identifier
    ),
    "http.chunked": refused_call(lambda call: "transfer-encoding" in call.headers, 411),
    "http.charset": refused_call(lambda call: "charset" in call.headers.get("content-type", ""), 415),
    "http.query": refused_call(lambda call: "?" in call.path, 404),
    "http.encoded-path": refused_call(lambda call: "%65" in call.path, 404),
    "http.no-content-type": refused_call(lambda call: not call.headers.get("content-type") and call.body, 415),
    "http.other-content-type": refused_call(lambda call: call.headers.get("content-type") == "text/plain", 415),
    "http.method-not-allowed": refused_call(lambda call: call.method == "GET" and call.path == INFER, 404),
    "http.huge-body": lambda _, reply: (
        dataclasses.replace(reply, content={"detail": "too large"}) if reply.status == 413 else reply
    ),
    "http.no-500": refused_call(lambda call: call.path.startswith("/v2/no-such-path"), 500),
    **{
        f"datatype.{name.lower()}": altered(input_is(name.lower(), list(datatype.bounds)), emptied)
        for name, datatype in DATATYPES.items()
        if name != "BYTES"
    },
    **{f"bytes.{name}": altered(input_is("bytes", [text]), emptied) for name, (text, _) in TEXTS.items()},
}


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
        if reply.status != 200 or reply.tail or not is_inference(call):
            return reply
        outputs = [
            output | {"data": [next(numbers) for _ in output["data"]]} if output["name"] == "int64" else output
            for output in reply.content["outputs"]
        ]
        return content(reply, outputs=outputs)

    return handler


STATEFUL: dict[str, Callable[[Handler], Handler]] = {"http.alive": _forgetful, "http.equal-answers": _restless}
CASES = {case.id: case for case in all_cases()}
LISTED = {*CHANGES, *STATEFUL, "http.kept-alive"}
"""The cases whose mutants are written here; the others' accept or misword a refusal of that name."""
