"""An ONNX model behind the Open Inference Protocol and `POST /predict`."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from inference import contract
from inference.model.onnx_model import DTYPES, OnnxModel
from inference.serving.application import InferenceApp, create_app
from inference.settings import Settings
from tests import onnx_artifacts, onnx_models
from tests.asgi import AsgiClient

RECORD = {"age": 30.0, "children": 1, "city": "Wien"}


def _app(model: Any, **settings: Any) -> InferenceApp:
    given: Any = {"model_uri": "unused", "runtime": "onnx", "max_texts": 3} | settings
    app = create_app(Settings(**given))
    app.service.add_model(model)
    return app


@pytest.fixture(scope="module")
def credit() -> AsgiClient:
    return AsgiClient(_app(onnx_artifacts.loaded(onnx_artifacts.credit())))


@pytest.fixture(scope="module")
def echo() -> AsgiClient:
    return AsgiClient(_app(onnx_artifacts.loaded(onnx_artifacts.echo())))


@pytest.fixture(scope="module")
def diabetes() -> AsgiClient:
    return AsgiClient(_app(onnx_artifacts.loaded(onnx_artifacts.diabetes()), max_texts=500))


def test_the_page_is_the_one_for_records_and_loads_nothing_from_elsewhere(credit: AsgiClient) -> None:
    response = credit.get(contract.ROOT_PATH)
    assert 'src="page/onnx.js"' in response.text
    assert "<textarea" not in response.text
    assert "//" not in response.text
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in response.headers["content-security-policy"]
    assert credit.get("/page/onnx.js").headers["content-type"] == "text/javascript; charset=utf-8"


ELEMENTS: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "FP16": [0.5, -2.0],
    "FP32": [0.5, -2.0],
    "FP64": [0.1, 1e300],
    "BYTES": ["Größe", ""],
    **{name: [0, 2**7 - 1] for name in ("INT8", "INT16", "INT32", "UINT8", "UINT16", "UINT32")},
    "INT64": [-(2**63), 2**63 - 1],
    "UINT64": [0, 2**64 - 1],
}


def _echo_inputs(**changes: Any) -> list[dict[str, Any]]:
    """One row of every datatype, but for the data of the datatypes in `changes`."""
    return [
        {"name": f"in_{name}", "shape": [1, 2], "datatype": name, "data": changes.get(name, data)}
        for name, data in ELEMENTS.items()
    ]


def _infer(client: AsgiClient, name: str, **request: Any) -> Any:
    return client.post(f"/v2/models/{name}/infer", json=request)


def test_every_datatype_goes_in_and_comes_out(echo: AsgiClient) -> None:
    response = _infer(echo, "echo", inputs=_echo_inputs(), id="7")
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["id"] == "7"
    assert {each["datatype"]: each["data"] for each in found["outputs"]} == ELEMENTS
    assert all(each["shape"] == [1, 2] for each in found["outputs"])


WRONG: dict[str, list[Any]] = {
    "BOOL": [0, "true", 1.5, None],
    "BYTES": [1, True, None, ["a"]],
    **{name: [1.5, "1", True, None, 2**64] for name in ELEMENTS if "INT" in name},
    **{name: ["1", True, None] for name in ("FP16", "FP32", "FP64")},
}


@pytest.mark.parametrize("datatype", ELEMENTS)
def test_an_element_of_another_kind_is_refused(echo: AsgiClient, datatype: str) -> None:
    position = list(ELEMENTS).index(datatype)
    for wrong in WRONG[datatype]:
        response = _infer(echo, "echo", inputs=_echo_inputs(**{datatype: [ELEMENTS[datatype][0], wrong]}))
        assert response.status_code == 400, (wrong, response.text)
        assert response.json()["error"].startswith(f"inputs[{position}].data: "), wrong


@pytest.mark.parametrize("datatype", [name for name in ELEMENTS if "INT" in name] + ["FP16", "FP32"])
def test_a_number_out_of_range_is_refused(echo: AsgiClient, datatype: str) -> None:
    beyond = 1e39 if datatype.startswith("FP") else int(np.iinfo(DTYPES[datatype]).max) + 1  # type: ignore[type-var]
    response = _infer(echo, "echo", inputs=_echo_inputs(**{datatype: [0, beyond]}))
    assert response.status_code == 400
    assert "out of" in response.json()["error"]


def test_inputs_with_different_numbers_of_rows_are_refused(echo: AsgiClient) -> None:
    """ONNX Runtime would repeat the single row."""
    inputs = _echo_inputs()
    inputs[3] |= {"shape": [2, 2], "data": inputs[3]["data"] * 2}
    response = _infer(echo, "echo", inputs=inputs)
    assert response.status_code == 400
    names = [each["name"] for each in inputs]
    assert response.json()["error"] == (
        f"inputs[3].shape: '{names[3]}' has 2 rows and '{names[0]}' has 1; all inputs must have the same number of rows"
    )


@pytest.mark.parametrize("datatype", ELEMENTS)
def test_another_datatype_than_the_signatures_is_refused(echo: AsgiClient, datatype: str) -> None:
    inputs = _echo_inputs()
    position = list(ELEMENTS).index(datatype)
    inputs[position]["datatype"] = "FP32" if datatype != "FP32" else "FP64"
    error = _infer(echo, "echo", inputs=inputs).json()["error"]
    assert error.startswith(f"inputs[{position}].datatype: 'in_{datatype}' has datatype {datatype}, not ")


def test_binary_data_goes_in_and_comes_out(echo: AsgiClient) -> None:
    """Every tensor follows the JSON, in both directions."""
    inputs, parts = _echo_inputs(), []
    for tensor in inputs:
        data = tensor.pop("data")
        if tensor["datatype"] == "BYTES":
            encoded = [text.encode() for text in data]
            part = b"".join(struct.pack("<I", len(text)) + text for text in encoded)
        else:
            part = np.array(data, DTYPES[tensor["datatype"]]).tobytes()
        tensor["parameters"] = {"binary_data_size": len(part)}
        parts.append(part)
    document = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"inference-header-content-length": str(len(document))}
    response = echo.post("/v2/models/echo/infer", content=document + b"".join(parts), headers=headers)
    assert response.status_code == 200, response.text
    size = int(response.headers["inference-header-content-length"])
    outputs = json.loads(response.content[:size])["outputs"]
    assert [each["parameters"]["binary_data_size"] for each in outputs] == [
        len(parts[list(ELEMENTS).index(each["datatype"])]) for each in outputs
    ]
    expected = [parts[list(ELEMENTS).index(each["datatype"])] for each in outputs]
    assert response.content[size:] == b"".join(expected)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (b"\x00" * 7, "means 8 bytes of binary data, found 7"),
        (b"\x00" * 9, "means 8 bytes of binary data, found 9"),
    ],
)
def test_binary_data_of_another_size_is_refused(credit: AsgiClient, part: bytes, message: str) -> None:
    children = {"name": "children", "shape": [1, 1], "datatype": "INT64"}
    inputs = [
        {"name": "age", "shape": [1, 1], "datatype": "FP32", "data": [1]},
        {"name": "city", "shape": [1, 1], "datatype": "BYTES", "data": ["Wien"]},
        {**children, "parameters": {"binary_data_size": len(part)}},
    ]
    document = json.dumps({"inputs": inputs}).encode()
    headers = {"inference-header-content-length": str(len(document))}
    response = credit.post("/v2/models/credit/infer", content=document + part, headers=headers)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_a_binary_bool_is_0_or_1_and_binary_texts_are_as_many_as_the_shape_says(echo: AsgiClient) -> None:
    for datatype, part, message in (
        ("BOOL", b"\x00\x02", "a binary element of BOOL is 0 or 1"),
        ("BYTES", b"\x01\x00\x00\x00a", "means 2 binary texts"),
        ("BYTES", b"\x01\x00\x00\x00a" * 3, "means 2 binary texts"),
    ):
        inputs = _echo_inputs()
        tensor = inputs[list(ELEMENTS).index(datatype)]
        del tensor["data"]
        tensor["parameters"] = {"binary_data_size": len(part)}
        document = json.dumps({"inputs": inputs}).encode()
        headers = {"inference-header-content-length": str(len(document))}
        response = echo.post("/v2/models/echo/infer", content=document + part, headers=headers)
        assert response.status_code == 400
        assert message in response.json()["error"]


def test_a_shape_of_binary_texts_beyond_any_memory_is_refused() -> None:
    strings = ("x", TensorProto.STRING, ["n", "m"])
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    artifact = onnx_artifacts.imported(onnx_models.graph(identity, [strings], [("y", *strings[1:])]), "texts")
    client = AsgiClient(_app(onnx_artifacts.loaded(artifact)))
    part = b"\x01\x00\x00\x00a"
    tensor = {"name": "x", "shape": [1, 2**63 - 1], "datatype": "BYTES", "parameters": {"binary_data_size": len(part)}}
    document = json.dumps({"inputs": [tensor]}).encode()
    headers = {"inference-header-content-length": str(len(document))}
    response = client.post("/v2/models/texts/infer", content=document + part, headers=headers)
    assert response.status_code == 400, response.text


def test_values_at_the_limits_of_the_training_range_are_in_range() -> None:
    """In FP32 0.1 is above the 0.1 of the baseline and 0.7 is below 0.7."""
    numbers = ("x", TensorProto.FLOAT, ["n", 1])
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    content = onnx_models.graph(identity, [numbers], [("y", *numbers[1:])])
    artifact = onnx_artifacts.imported(content, "limits", baseline="x\n0.1\n0.7\n")
    app = _app(onnx_artifacts.loaded(artifact))
    assert AsgiClient(app).post("/predict", json={"inputs": [{"x": 0.1}, {"x": 0.7}]}).status_code == 200
    labels = {"feature": "x", "model_version": artifact.version}
    assert app.service.metrics.registry.get_sample_value("inference_feature_out_of_range_total", labels) == 0


def _credit_inputs(rows: int = 1, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    tensors: dict[str, dict[str, Any]] = {
        "age": {"datatype": "FP32", "data": [30.0] * rows},
        "children": {"datatype": "INT64", "data": [1] * rows},
        "city": {"datatype": "BYTES", "data": ["Wien"] * rows},
    }
    return [{"name": name, "shape": [rows, 1], **each, **changes.get(name, {})} for name, each in tensors.items()]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (_credit_inputs()[:2], "inputs: 'city' is missing; the model has the inputs age, children, city"),
        ([], "inputs: 'age' is missing"),
        (_credit_inputs() + _credit_inputs()[:1], "inputs[3].name: 'age' is given twice"),
        (_credit_inputs(age={"name": "ages"}), "inputs[0].name: unknown input 'ages'; the model has age, children"),
        (_credit_inputs(age={"shape": [1]}), "inputs[0].shape: 'age' has shape [-1, 1], not [1]"),
        (_credit_inputs(age={"shape": [1, 2]}), "inputs[0].shape: 'age' has shape [-1, 1], not [1, 2]"),
        (_credit_inputs(age={"shape": [0, 1]}), "inputs[0].shape: at least one row is required"),
        (_credit_inputs(4), "inputs[0].shape: 4 rows; a request has at most 3"),
        (_credit_inputs(age={"shape": [1] * 50}), "not one of 50 dimensions"),
        (_credit_inputs(age={"data": [1, 2]}), "inputs[0].data: shape [1, 1] means 1 elements, found 2"),
        (_credit_inputs(age={"data": []}), "inputs[0].data: shape [1, 1] means 1 elements, found 0"),
        (_credit_inputs(age={"data": [[1, 2]]}), "inputs[0].data: shape [1, 1] means 1 elements, found [1, 2]"),
        (_credit_inputs(2, age={"data": [[1], [2, 3]]}), "inputs[0].data: neither flat nor nested like the shape"),
        (_credit_inputs(age={"data": [[[1]]]}), "inputs[0].data: "),
        (_credit_inputs(age={"data": 1}), "inputs[0].data: "),
        (_credit_inputs(age={"data": None}), "inputs[0].data: "),
    ],
)
def test_refuses_tensors_that_do_not_fit_the_signature(
    credit: AsgiClient, inputs: list[dict[str, Any]], message: str
) -> None:
    response = _infer(credit, "credit", inputs=inputs)
    assert response.status_code == 400, response.text
    assert message in response.json()["error"]


def test_only_the_requested_outputs_are_answered(credit: AsgiClient, diabetes: AsgiClient) -> None:
    outputs = _infer(credit, "credit", inputs=_credit_inputs(2), outputs=[{"name": "probabilities"}]).json()["outputs"]
    assert [(each["name"], each["shape"]) for each in outputs] == [("probabilities", [2, 2])]
    rows = onnx_models.random_forest().rows[:500]
    tensor = {"name": "X", "shape": list(rows.shape), "datatype": "FP32", "data": rows.tolist()}
    (found,) = _infer(diabetes, "diabetes", inputs=[tensor]).json()["outputs"]
    assert found["data"] == pytest.approx(onnx_models.random_forest().expected[:500, 0].tolist(), rel=1e-5)
    error = _infer(diabetes, "diabetes", inputs=[tensor], outputs=[{"name": "label"}]).json()["error"]
    assert error == "outputs[0].name: unknown output 'label'; the model has variable"


def test_metadata_is_the_signature(credit: AsgiClient) -> None:
    found = credit.get("/v2/models/credit").json()
    assert found["platform"] == "tenantry_onnxruntime"
    assert found["inputs"] == [
        {"name": "age", "datatype": "FP32", "shape": [-1, 1]},
        {"name": "children", "datatype": "INT64", "shape": [-1, 1]},
        {"name": "city", "datatype": "BYTES", "shape": [-1, 1]},
    ]
    assert found["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}]


def test_a_record_gets_a_label_and_a_list_gets_a_list(credit: AsgiClient) -> None:
    one = credit.post("/predict", json={"inputs": RECORD}).json()
    assert one["prediction"] == "no"
    assert 0.5 < one["confidence"] < 1
    assert credit.post("/predict", json={"inputs": {**RECORD, "children": 1.0}}).json() == one
    several = credit.post("/predict", json={"inputs": [RECORD, {**RECORD, "age": 80}]}).json()["predictions"]
    assert [each["prediction"] for each in several] == ["no", "yes"]
    assert several[0] == one


def test_probabilities_lists_every_label(credit: AsgiClient, diabetes: AsgiClient) -> None:
    """Of one record and of a list, for a classifier; other models refuse it."""
    one = credit.post("/predict", json={"inputs": RECORD, "probabilities": True}).json()
    assert list(one["probabilities"]) == ["no", "yes"]
    assert one["probabilities"][one["prediction"]] == one["confidence"]
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    several = credit.post("/predict", json={"inputs": [RECORD, RECORD], "probabilities": True}).json()
    assert several == {"predictions": [one, one]}
    assert "probabilities" not in credit.post("/predict", json={"inputs": RECORD, "probabilities": False}).json()
    names = onnx_models.random_forest().names
    refused = diabetes.post("/predict", json={"inputs": dict.fromkeys(names, 0.1), "probabilities": True})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "'probabilities' must be false: the model is not a classifier, it answers values"


def test_a_model_that_is_not_a_classifier_answers_values(diabetes: AsgiClient) -> None:
    model = onnx_models.random_forest()
    record = dict(zip(model.names, model.rows[0].tolist(), strict=True))
    assert diabetes.post("/predict", json={"inputs": record}).json() == {
        "values": {"variable": pytest.approx(float(model.expected[0, 0]), rel=1e-5)}
    }
    assert len(diabetes.post("/predict", json={"inputs": [record, record]}).json()["predictions"]) == 2


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({**RECORD, "agee": 1}, "record 0 has 'agee', which the model does not take; it takes age, children, city"),
        ({"age": 1, "children": 1}, "record 0 lacks 'city'; send null if the value is missing"),
        ([RECORD, {}], "record 1 lacks 'age'"),
        ({**RECORD, "age": "30"}, "record 0, 'age' is a JSON string; it has datatype FP32"),
        ({**RECORD, "age": True}, "record 0, 'age' is a JSON boolean; it has datatype FP32"),
        ({**RECORD, "age": [1]}, "record 0, 'age' is a JSON array; it has datatype FP32"),
        ({**RECORD, "children": 1.5}, "'children' is a JSON number that is not an integer; it has datatype INT64"),
        ({**RECORD, "children": None}, "record 0, 'children' is null; it has datatype INT64"),
        ({**RECORD, "city": 7}, "record 0, 'city' is a JSON integer; it has datatype BYTES"),
        ({**RECORD, "age": 1e300}, "a number is out of the range of FP32"),
        ({**RECORD, "children": 2**64}, "a number is out of the range of INT64"),
        ([], "Expected `array` of length >= 1"),
        ([RECORD] * 4, "4 records; a request has at most 3"),
        ("Wien", "Expected `object | array`"),
    ],
)
def test_refuses_records_that_do_not_fit_the_signature(credit: AsgiClient, inputs: Any, message: str) -> None:
    response = credit.post("/predict", json={"inputs": inputs})
    assert response.status_code == 422, response.text
    assert message in response.json()["detail"]


def test_values_without_probabilities_are_refused(credit: AsgiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer always has a confidence: a model that gives no number gives no answer."""
    monkeypatch.setattr(OnnxModel, "run", lambda *_: [np.array([[0.5, 0.5], [np.nan, np.nan]], np.float32)])
    response = credit.post("/predict", json={"inputs": [RECORD, RECORD]})
    assert response.status_code == 422
    assert response.json()["detail"] == "record 1 has values for which the model has no probabilities"
    (found,) = _infer(credit, "credit", inputs=_credit_inputs(2)).json()["outputs"]
    assert found["data"] == [0.5, 0.5, None, None]


def test_missing_and_unusual_values_are_counted_per_feature() -> None:
    app = _app(onnx_artifacts.loaded(onnx_artifacts.credit()))
    client = AsgiClient(app)
    records = [RECORD, {**RECORD, "age": None, "city": "Paris"}, {**RECORD, "age": 99, "children": 3, "city": None}]
    assert client.post("/predict", json={"inputs": records}).status_code == 200
    _infer(client, "credit", inputs=_credit_inputs(1, age={"data": [19]}))
    registry, version = app.service.metrics.registry, onnx_artifacts.credit().version

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {**labels, "model_version": version})

    counted = {
        feature: (
            value("inference_feature_missing_total", feature=feature),
            value("inference_feature_out_of_range_total", feature=feature),
            value("inference_feature_baseline_missing_ratio", feature=feature),
        )
        for feature in ("age", "children", "city")
    }
    assert counted == {"age": (1, 2, 0.25), "children": (0, 1, 0), "city": (1, 1, 0)}
    assert {name for name in contract.FEATURE_METRICS if value(name, feature="age") is None} == set()
    predictions = [value("inference_predictions_total", label=label) for label in ("no", "yes")]
    assert sum(each or 0 for each in predictions) == 4
    assert value("inference_prediction_confidence_count") == 4


def test_a_long_run_leaves_the_event_loop_to_others() -> None:
    """A slow model is answered in the thread, whatever the size of the request."""
    model = onnx_artifacts.loaded(onnx_artifacts.credit())
    quick, slow = _app(model), _app(model)
    model.row_seconds = 1.0  # type: ignore[misc] # as if one row took a second
    slow.service.add_model(model)
    assert quick.service.predict_endpoint.offload_bytes > 0
    assert slow.service.predict_endpoint.offload_bytes == slow.service.infer_endpoint.offload_bytes == 0
    assert AsgiClient(slow).post("/predict", json={"inputs": RECORD}).json()["prediction"] == "no"
    queue = slow.service.metrics.registry.get_sample_value("inference_phase_duration_seconds_count", {"phase": "queue"})
    assert queue == 1
