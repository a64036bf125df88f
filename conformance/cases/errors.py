"""Requests that a server cannot serve, and how it says so."""

import json
from typing import Final

from conformance.case import Cases
from conformance.cases.identifiers import ERROR
from conformance.cases.readiness import UNKNOWN
from conformance.messages import Request
from conformance.spec import openapi, rest, rfc
from conformance.target import Target

cases: Final = Cases()
_REQUEST: Final = rest("Inference Request JSON Object")
_INPUT: Final = openapi("request_input")
_METADATA: Final = rest("Model Metadata Response JSON Object")
_METADATA_ERROR: Final = rest("Model Metadata Response JSON Error Object")
_DEEP: Final = 100_000


@cases.invalid("errors.unknown-model", "must", rest("Inference"), error_source=ERROR)
def unknown_model(target: Target) -> Request:
    """The path names the model, so a model that does not exist cannot be asked."""
    return target.inference(target.valid(), path=target.path("/infer", model=UNKNOWN, version=""))


@cases.invalid("errors.unknown-model-metadata", "must", rest("Model Metadata"), error_source=_METADATA_ERROR)
def unknown_model_metadata(target: Target) -> Request:
    """The path names the model, so a model that does not exist has no metadata."""
    return Request("GET", target.path(model=UNKNOWN, version=""))


@cases.invalid("errors.malformed-json", "must", _REQUEST, error_source=ERROR)
def malformed_json(target: Target) -> Request:
    """The body is JSON: here it ends in the middle."""
    return target.inference(json.dumps(target.valid()).encode()[:-5])


@cases.invalid("errors.text-after-json", "must", _REQUEST, error_source=ERROR)
def text_after_json(target: Target) -> Request:
    """The body is one JSON object: here a word follows it."""
    return target.inference(json.dumps(target.valid()).encode() + b" more")


@cases.invalid("errors.nan", "should", rfc(8259, "section 6"), error_source=ERROR)
def nan(target: Target) -> Request:
    """JSON has no NaN: here it is the value of a parameter."""
    return target.inference(target.valid(parameters={"conformance_unknown": float("nan")}))


@cases.invalid("errors.not-utf-8", "should", rfc(8259, "section 8.1"), error_source=ERROR)
def not_utf_8(target: Target) -> Request:
    """JSON is in UTF-8: here a byte of the id is not."""
    return target.inference(json.dumps(target.valid(id="@")).encode().replace(b'"@"', b'"\xff"'))


@cases.invalid("errors.empty-body", "must", _REQUEST, error_source=ERROR)
def empty_body(target: Target) -> Request:
    """The inference request object is required in the body."""
    target.require_request()
    return target.inference(b"")


@cases.invalid("errors.array-body", "must", _REQUEST, error_source=ERROR)
def array_body(target: Target) -> Request:
    """The inference request is an object: here it is an array."""
    return target.inference([target.valid()])


@cases.invalid("errors.null-body", "must", _REQUEST, error_source=ERROR)
def null_body(target: Target) -> Request:
    """The inference request is an object: here it is null."""
    target.require_request()
    return target.inference(None)


@cases.invalid("errors.deep-nesting", "must", _REQUEST, error_source=ERROR)
def deep_nesting(target: Target) -> Request:
    """The inference request is an object: here it is an array in 100,000 arrays."""
    target.require_request()
    return target.inference(b"[" * _DEEP + b"]" * _DEEP)


@cases.invalid("errors.no-inputs-member", "must", openapi("inference_request"), error_source=ERROR)
def no_inputs_member(target: Target) -> Request:
    """`inputs` is required."""
    body = target.valid(id="1")
    del body["inputs"]
    return target.inference(body)


@cases.invalid("errors.inputs-not-an-array", "must", _REQUEST, error_source=ERROR)
def inputs_not_an_array(target: Target) -> Request:
    """`inputs` is an array: here it is a string."""
    return target.inference(target.valid(inputs="all"))


@cases.invalid("errors.input-not-an-object", "must", _REQUEST, error_source=ERROR)
def input_not_an_object(target: Target) -> Request:
    """An input is an object: here it is a string."""
    return target.inference(target.valid(inputs=["text"]))


@cases.invalid("errors.empty-inputs", "must", _METADATA, error_source=ERROR)
def empty_inputs(target: Target) -> Request:
    """The metadata lists the inputs that the model requires: here the request has none."""
    return target.inference(target.valid(inputs=[]))


@cases.invalid("errors.unknown-input", "should", _METADATA, error_source=ERROR)
def unknown_input(target: Target) -> Request:
    """The metadata lists the inputs that the model requires: here one has another name."""
    return target.inference(target.changed(name="no-such-input"))


@cases.invalid("errors.extra-input", "should", _METADATA, error_source=ERROR)
def extra_input(target: Target) -> Request:
    """The metadata lists the inputs of the model: here the request has one more."""
    body = target.valid()
    body["inputs"].append(body["inputs"][0] | {"name": "no-such-input"})
    return target.inference(body)


@cases.invalid("errors.repeated-input", "should", rest("Request Input"), error_source=ERROR)
def repeated_input(target: Target) -> Request:
    """The name says which input a tensor is: here two tensors have the same name."""
    body = target.valid()
    body["inputs"].append(body["inputs"][0])
    return target.inference(body)


@cases.invalid("errors.no-name", "should", _INPUT, error_source=ERROR)
def no_name(target: Target) -> Request:
    """`name` of an input is required."""
    return target.inference(target.changed(name=None))


@cases.invalid("errors.no-shape", "should", _INPUT, error_source=ERROR)
def no_shape(target: Target) -> Request:
    """`shape` of an input is required."""
    return target.inference(target.changed(shape=None))


@cases.invalid("errors.no-datatype", "should", _INPUT, error_source=ERROR)
def no_datatype(target: Target) -> Request:
    """`datatype` of an input is required."""
    return target.inference(target.changed(datatype=None))


@cases.invalid("errors.no-data", "must", _INPUT, error_source=ERROR)
def no_data(target: Target) -> Request:
    """`data` of an input is required."""
    return target.inference(target.changed(data=None))


@cases.invalid("errors.data-not-an-array", "must", rest("Tensor Data"), error_source=ERROR)
def data_not_an_array(target: Target) -> Request:
    """`data` is a JSON array: here it is an object."""
    return target.inference(target.changed(data={"0": 1}))


@cases.invalid("errors.name-not-a-string", "should", _INPUT, error_source=ERROR)
def name_not_a_string(target: Target) -> Request:
    """`name` of an input is a string."""
    return target.inference(target.changed(name=7))


@cases.invalid("errors.datatype-not-a-string", "should", _INPUT, error_source=ERROR)
def datatype_not_a_string(target: Target) -> Request:
    """`datatype` of an input is a string."""
    return target.inference(target.changed(datatype=7))
