"""A valid inference request and its response."""

import json
import math
from typing import Any, Final, NoReturn

from conformance.case import Cases
from conformance.datatypes import DATATYPES
from conformance.messages import JSON_TYPE, kind
from conformance.outcomes import FailedError, NotApplicableError
from conformance.responses import outputs
from conformance.spec import openapi, rest, rfc
from conformance.target import Target
from conformance.tensors import VARIABLE, Tensor, flat

cases: Final = Cases()
RESPONSE: Final = rest("Inference Response JSON Object")
OUTPUT: Final = rest("Response Output")


@cases.case("infer.answered", "must", RESPONSE, expects="Status 200 and a JSON object.")
def answered(target: Target) -> None:
    """A request with the inputs that the metadata describes is answered with 200 and the response object."""
    if target.request is not None:
        target.first_answer()
        return
    inputs = target.described.inputs
    if not inputs:
        raise NotApplicableError("the metadata describes no inputs; see model.inputs")
    target.ask({"inputs": [tensor.filled(tensor.sized(2)) for tensor in inputs]})


@cases.case("infer.model-name", "must", RESPONSE, expects="`model_name` is the name in the path.")
def model_name(target: Target) -> None:
    """`model_name` is the name of the model that was used."""
    name = target.first_answer().get("model_name")
    if name != target.model:
        raise FailedError(f"'model_name' is {kind(name)}, not '{target.model}'")


@cases.case("infer.all-outputs", "must", rest("Inference Request JSON Object"), expects="Every output of the metadata.")
def all_outputs(target: Target) -> None:
    """A request that names no outputs gets all outputs that the model produces."""
    described = [tensor.name for tensor in target.described.outputs]
    if not described:
        raise NotApplicableError("the metadata describes no outputs; see model.outputs")
    found = [output.get("name") for output in _outputs(target)]
    missing = [name for name in described if name not in found]
    if missing:
        raise FailedError(f"the outputs {', '.join(missing)} are missing; there are {', '.join(map(str, found))}")


@cases.case("infer.known-outputs", "must", rest("Model Metadata Response JSON Object"), expects="No other outputs.")
def known_outputs(target: Target) -> None:
    """The metadata lists the outputs that the model produces."""
    described = [tensor.name for tensor in target.described.outputs]
    if not described:
        raise NotApplicableError("the metadata describes no outputs; see model.outputs")
    unknown = [str(output["name"]) for output in _outputs(target) if output.get("name", "") not in ("", *described)]
    if unknown:
        raise FailedError(f"the metadata does not list the outputs {', '.join(unknown)}")


@cases.case(
    "infer.output-members",
    "must",
    openapi("response_output"),
    expects="`name`, `shape`, `datatype` and `data` in each output.",
)
def output_members(target: Target) -> None:
    """Each output has a name, a shape, a data type, and data."""
    for output in _outputs(target):
        missing = [key for key in ("name", "shape", "datatype", "data") if key not in output]
        if missing:
            raise FailedError(f"output {output.get('name')!r} has no {', '.join(missing)}")


@cases.case("infer.output-datatypes", "must", OUTPUT, expects="The data type in the metadata.")
def output_datatypes(target: Target) -> None:
    """An output's data type is that of its elements, which the metadata describes."""
    for tensor, output in _described(target):
        if output.get("datatype", tensor.datatype.name) != tensor.datatype.name:
            raise FailedError(
                f"output '{tensor.name}' has datatype {kind(output['datatype'])}; in the metadata it is "
                f"'{tensor.datatype.name}'"
            )


@cases.case(
    "infer.output-shapes",
    "must",
    rest("Model Metadata Response JSON Object"),
    expects="As many dimensions as in the metadata; a dimension that is not -1 there has the same size.",
)
def output_shapes(target: Target) -> None:
    """The metadata describes an output's shape; only dimensions of -1 vary."""
    for tensor, output in _described(target):
        shape = output.get("shape")
        if not isinstance(shape, list):
            continue  # infer.output-sizes reports it
        fits = len(shape) == len(tensor.shape) and all(
            described == VARIABLE or described == size  # noqa: PLR1714 - a size may be anything, also unhashable
            for described, size in zip(tensor.shape, shape, strict=True)
        )
        if not fits:
            raise FailedError(f"output '{tensor.name}' has shape {shape}; in the metadata it is {list(tensor.shape)}")


@cases.case(
    "infer.output-sizes",
    "must",
    OUTPUT,
    expects="As many elements in `data` as the product of `shape`, whose dimensions are whole numbers from 0 upward.",
)
def output_sizes(target: Target) -> None:
    """An output's shape and data represent the full shape and contents of the batch."""
    for output in _outputs(target):
        if "shape" not in output or "data" not in output:
            continue  # infer.output-members reports it
        shape, name = output["shape"], output.get("name")
        if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
            raise FailedError(f"output {name!r} has shape {shape!r}")
        if not isinstance(output["data"], list):
            raise FailedError(f"output {name!r} has data that is {kind(output['data'])}")
        found = len(flat(output["data"]))
        if found != math.prod(shape):
            raise FailedError(f"output {name!r} has {found} elements; shape {shape} means {math.prod(shape)}")


@cases.case(
    "infer.output-elements",
    "must",
    rest("Tensor Data"),
    expects="Strings for BYTES, true and false (or 1 and 0) for BOOL, whole numbers for integers, numbers for FP.",
)
def output_elements(target: Target) -> None:
    """Each element is an integer, a floating-point number, a string or a boolean, as the data type says."""
    for output in _outputs(target):
        datatype = DATATYPES.get(str(output.get("datatype")))
        for element in flat(output.get("data", [])):
            if datatype is not None and not datatype.has(element):
                raise FailedError(f"output {output.get('name')!r} of {datatype.name} has {kind(element)} as an element")


@cases.case("infer.strict-json", "must", rfc(8259, "section 6"), expects="No NaN and no Infinity in the body.")
def strict_json(target: Target) -> None:
    """The protocol uses JSON, which has no numbers that are not finite."""

    def refuse(token: str) -> NoReturn:
        raise FailedError(f"the response has {token}, which is not JSON")

    answer = target.send(target.inference(target.valid())).require(200)
    json.loads(answer.body, parse_constant=refuse)


@cases.case("infer.content-type", "should", rest("Inference Request Examples"), expects="application/json.")
def content_type(target: Target) -> None:
    """An inference response has the content type application/json."""
    answer = target.send(target.inference(target.valid())).require(200)
    if answer.media_type != JSON_TYPE:
        raise FailedError(f"the content type is '{answer.media_type}'")


@cases.case(
    "infer.response-parameters",
    "must",
    rest("Parameters"),
    expects="An object whose values are strings, numbers and booleans, wherever `parameters` is there.",
)
def response_parameters(target: Target) -> None:
    """`parameters`, which is optional, maps names to strings, numbers or booleans."""
    response = target.first_answer()
    owners = [("the response", response), *((f"output {o.get('name')!r}", o) for o in _objects(response))]
    owners = [(name, owner) for name, owner in owners if "parameters" in owner]
    if not owners:
        raise NotApplicableError("the response has no parameters")
    for name, owner in owners:
        parameters = owner["parameters"]
        if not isinstance(parameters, dict):
            raise FailedError(f"'parameters' of {name} is {kind(parameters)}")
        for key, value in parameters.items():
            if not isinstance(value, str | int | float):
                raise FailedError(f"parameter '{key}' of {name} is {kind(value)}")


@cases.case(
    "infer.unknown-members",
    "unclear",
    rest("Inference Request JSON Object"),
    expects="The text does not say whether a server passes over members that it does not know.",
)
def unknown_members(target: Target) -> str:
    """A request has `id`, `parameters`, `inputs` and `outputs`: here it also has `model_name`."""
    answer = target.send(target.inference(target.valid(model_name=target.model)))
    return f"status {answer.status}"


@cases.case("infer.whitespace", "must", rfc(8259, "section 2"), expects="The outputs of the same request without it.")
def whitespace(target: Target) -> None:
    """JSON allows white space around its tokens."""
    body = json.dumps(target.valid(), indent=4).replace("\n", "\r\n\t").encode()
    target.require_same(target.inference(b"\n " + body + b" \n"), "without the white space")


def _outputs(target: Target) -> list[dict[str, Any]]:
    return _objects(target.first_answer())


def _objects(response: dict[str, Any]) -> list[dict[str, Any]]:
    found = response.get("outputs")
    if not isinstance(found, list) or not all(isinstance(output, dict) for output in found):
        raise FailedError(f"'outputs' is {kind(found)}, not an array of objects")
    return found


def _described(target: Target) -> list[tuple[Tensor, dict[str, Any]]]:
    by_name = outputs(target.first_answer())
    return [(tensor, by_name[tensor.name]) for tensor in target.described.outputs if tensor.name in by_name]
