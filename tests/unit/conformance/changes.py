"""Ways to change what a server answers, of which the mutants are made."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from tests.unit.conformance.protocol_server import HEADER, MODEL, Call, ProtocolServer, Reply

BASE = f"/v2/models/{MODEL}"
INFER = f"{BASE}/infer"
Handler = Callable[[Call], Reply]
Change = Callable[[Call, Reply], Reply]


def content(reply: Reply, **members: Any) -> Reply:
    """The reply with other members of its content; None removes one."""
    content = {key: value for key, value in (reply.content | members).items() if value is not None or key == "id"}
    return dataclasses.replace(reply, content=content)


def on(path: str, change: Callable[[Reply], Reply], method: str = "GET") -> Change:
    """Change what is answered at a path."""
    return lambda call, reply: change(reply) if (call.method, call.path) == (method, path) else reply


def status(path: str, status: int) -> Change:
    return on(path, lambda reply: dataclasses.replace(reply, status=status))


def members(path: str, **members: Any) -> Change:
    return on(path, lambda reply: content(reply, **members))


def first_tensor(key: str, **members: Any) -> Change:
    """Change the first tensor under `key` of the model's metadata."""

    def change(reply: Reply) -> Reply:
        tensors = reply.content[key]
        return content(reply, **{key: [tensors[0] | members, *tensors[1:]]})

    return on(BASE, change)


def response(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Change the JSON of every inference response that has no binary data."""

    def changed(call: Call, reply: Reply) -> Reply:
        if not is_inference(call) or reply.status != 200 or reply.tail:
            return reply
        return dataclasses.replace(reply, content=change(json.loads(json.dumps(reply.content))))

    return changed


def output(name: str, **members: Any) -> Change:
    """Change members of one output; None removes one."""

    def change(content: dict[str, Any]) -> dict[str, Any]:
        for output in content["outputs"]:
            if output["name"] == name:
                output.update(members)
                for key in [key for key in output if output[key] is None]:
                    del output[key]
        return content

    return response(change)


def is_inference(call: Call) -> bool:
    return call.path.partition("?")[0].endswith("/infer")


def asked(call: Call) -> dict[str, Any]:
    """The JSON of an inference request, as far as it is an object."""
    length = call.headers.get(HEADER, "")
    text = call.body[: int(length)] if length.isdecimal() else call.body
    try:
        value = json.loads(text) if is_inference(call) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def refused(condition: Callable[[dict[str, Any]], Any]) -> Change:
    """Refuse the inference requests that fulfil a condition."""
    return refused_call(lambda call: condition(asked(call)))


def refused_call(condition: Callable[[Call], Any], status: int = 400) -> Change:
    return lambda call, reply: Reply(status, {"error": "not this one"}) if condition(call) else reply


def inputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    inputs = request.get("inputs")
    return [item for item in inputs if isinstance(item, dict)] if isinstance(inputs, list) else []


def parameter(value: object) -> Callable[[dict[str, Any]], bool]:
    def has(request: dict[str, Any]) -> bool:
        parameters = request.get("parameters")
        return isinstance(parameters, dict) and parameters.get("conformance_unknown") == value

    return has


def plain_outputs(request: dict[str, Any]) -> list[str] | None:
    """The names of the outputs that a request names, when it says nothing else of them."""
    wanted = request.get("outputs")
    if not isinstance(wanted, list) or not all(list(item) == ["name"] for item in wanted):
        return None
    return [item["name"] for item in wanted]


def altered(condition: Callable[[Call, dict[str, Any]], Any], edit: Callable[[list[Any]], list[Any]]) -> Change:
    """Change the elements of the outputs of requests that fulfil a condition."""

    def change(call: Call, reply: Reply) -> Reply:
        if reply.status != 200 or reply.tail or not condition(call, asked(call)):
            return reply
        outputs = [output | {"data": edit(output["data"])} for output in reply.content["outputs"]]
        return content(reply, outputs=outputs)

    return change


def input_is(name: str, elements: list[Any]) -> Callable[[Call, dict[str, Any]], bool]:
    def is_it(_call: Call, request: dict[str, Any]) -> bool:
        return any(item.get("name") == name and item.get("data") == elements for item in inputs(request))

    return is_it


def emptied(elements: list[Any]) -> list[Any]:
    return elements[1:]


def shaped(shape: list[int]) -> Callable[[dict[str, Any]], bool]:
    return lambda request: any(item.get("shape") == shape for item in inputs(request)[:1])


def identifier(change: Callable[[Any], Any]) -> Change:
    return response(lambda content: content | {"id": change(content["id"])} if "id" in content else content)


def binary_wanted(*, value: bool) -> Callable[[dict[str, Any]], bool]:
    def wanted(request: dict[str, Any]) -> bool:
        outputs = request.get("outputs")
        return isinstance(outputs, list) and any(
            isinstance(item, dict) and (item.get("parameters") or {}).get("binary_data") is value for item in outputs
        )

    return wanted


def instead(condition: Callable[[dict[str, Any]], Any], edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Answer requests that fulfil a condition as if another had been sent."""

    def change(call: Call, reply: Reply) -> Reply:
        request = asked(call)
        if reply.status != 200 or not condition(request):
            return reply
        return ProtocolServer()(dataclasses.replace(call, body=json.dumps(edit(request)).encode()))

    return change


def transposed(data: list[Any]) -> list[Any]:
    return data[::2] + data[1::2]


def kinds(request: dict[str, Any]) -> set[bool]:
    return {"data" in item for item in inputs(request)}


def header(condition: Callable[[Call], bool], **headers: str | None) -> Change:
    def change(call: Call, reply: Reply) -> Reply:
        merged = {key: value for key, value in (reply.headers | headers).items() if value is not None}
        return dataclasses.replace(reply, headers=merged) if condition(call) else reply

    return change


def is_nested(item: dict[str, Any], name: str) -> bool:
    data = item.get("data")
    well_formed = [[0.5, 1.0], [0.25, 2.0]]
    return item.get("name") == name and data == well_formed
