"""What is found out about a server and its model before the first case."""

from typing import Any, Final

from conformance.binary_data import EXTENSION, binary_request
from conformance.outcomes import FailedError
from conformance.responses import difference, outputs
from conformance.target import Target
from conformance.tensors import Tensor, flat, read_metadata

_SIZES: Final = ((2,), (2, 1), (1,))
"""What dimensions of variable size are tried with, until the model takes a request."""


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
            target.deterministic = not difference(response, again)
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
    if EXTENSION in target.extensions:
        target.binary = True
        return
    try:
        target.binary = not target.send(binary_request(target, target.valid())).is_error
    except FailedError:
        target.binary = False
