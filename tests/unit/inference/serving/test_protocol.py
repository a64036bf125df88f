"""The Open Inference Protocol v2, as its clients use it."""

import json
import struct
from typing import Any

import msgspec
import pytest

from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.serving.application import InferenceApp, create_app
from inference.serving.protocol.messages import InferRequest, Parameters
from inference.settings import Settings
from tests.asgi import AsgiClient

TEXTS = ["free money", "review the patch"]


@pytest.fixture(scope="module")
def model(tiny_artifact: Artifact) -> TextClassifier:
    return TextClassifier.from_artifact(tiny_artifact)


@pytest.fixture
def app(model: TextClassifier) -> InferenceApp:
    app = create_app(Settings(model_uri="unused", max_texts=3, max_body_bytes=20_000))
    app.service.add_model(model)
    return app


@pytest.fixture
def client(app: InferenceApp) -> AsgiClient:
    return AsgiClient(app)


def tensor(**changes: Any) -> dict[str, Any]:
    """A sound input tensor, but for `changes`."""
    return {"name": "text", "shape": [2], "datatype": "BYTES", "data": TEXTS} | changes


def infer(client: AsgiClient, *, path: str = "/v2/models/spam/infer", **request: Any) -> dict[str, Any]:
    """The answer to a request that must succeed."""
    response = client.post(path, json={"inputs": [tensor()]} | request)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return dict(response.json())


def error(response: Any, status: int) -> str:
    """The text of an error, whose body must be the protocol's."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    return str(body["error"])


def test_answers_labels_and_probabilities(client: AsgiClient, model: TextClassifier) -> None:
    """Texts in, a label and a row of probabilities each out, flat and in row-major order."""
    answers = [model.predict(text) for text in TEXTS]
    assert infer(client) == {
        "model_name": "spam",
        "model_version": model.version,
        "outputs": [
            {"name": "label", "shape": [2], "datatype": "BYTES", "data": [answer.label for answer in answers]},
            {
                "name": "probabilities",
                "shape": [2, 2],
                "datatype": "FP64",
                "data": [share for answer in answers for share in answer.probabilities],
            },
        ],
    }


@pytest.mark.parametrize("shape_and_data", [([2, 1], TEXTS), ([2, 1], [[text] for text in TEXTS]), ([2], TEXTS)])
def test_takes_flat_and_nested_data(client: AsgiClient, shape_and_data: tuple[list[int], list[Any]]) -> None:
    """Flat or nested as the shape says, the answer is the same."""
    shape, data = shape_and_data
    assert infer(client, inputs=[tensor(shape=shape, data=data)]) == infer(client)


def test_echoes_the_id_and_only_if_given(client: AsgiClient) -> None:
    """`id` comes back as it was; without one, or with null, the key is absent."""
    assert infer(client, id="42")["id"] == "42"
    assert "id" not in infer(client)
    assert "id" not in infer(client, id=None)


@pytest.mark.parametrize("wanted", [["probabilities"], ["probabilities", "label"], []])
def test_filters_outputs(client: AsgiClient, wanted: list[str]) -> None:
    """`outputs` chooses what comes back, in its order; empty chooses all."""
    found = infer(client, outputs=[{"name": name} for name in wanted])["outputs"]
    assert [output["name"] for output in found] == (wanted or ["label", "probabilities"])


def test_takes_parameters_and_what_it_does_not_know(client: AsgiClient) -> None:
    """Parameters of request, inputs and outputs are taken, and so are keys of later versions of the protocol."""
    request: dict[str, Any] = {
        "parameters": {"a": 1},
        "inputs": [tensor(parameters={"content_type": "str"})],
        "outputs": [{"name": "label", "parameters": {"binary_data": False}}],
        "later": True,
    }
    assert infer(client, **request)["outputs"][0]["data"] == ["spam", "ham"]


def test_makes_nothing_of_parameters_that_it_does_not_know() -> None:
    """A client may send as many as a body holds: they are passed over, not kept."""
    sent = json.dumps({"inputs": [], "parameters": {f"key {number}": [number] for number in range(1_000)}})
    assert msgspec.json.decode(sent, type=InferRequest).parameters == Parameters()


def test_an_error_is_short_however_long_the_mistake(client: AsgiClient) -> None:
    """An error says what is wrong and quotes only a part of the request."""
    for wrong in ({"shape": [1] * 2_000}, {"datatype": "F" * 2_000}, {"name": "n" * 2_000}):
        assert len(error(client.post("/v2/models/spam/infer", json={"inputs": [tensor(**wrong)]}), 400)) < 250
    request = {"inputs": [tensor()], "outputs": [{"name": "n" * 2_000}]}
    assert len(error(client.post("/v2/models/spam/infer", json=request), 400)) < 250


def test_names_a_version(client: AsgiClient, model: TextClassifier) -> None:
    """The version in the path is the digest's short form."""
    assert infer(client, path=f"/v2/models/spam/versions/{model.version}/infer") == infer(client)


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ([], "found none"),
        ([tensor(name="words")], "'words'"),
        ([tensor(), tensor()], "exactly one"),
        ([tensor(shape=[3])], "means 3 texts, found 2"),
        ([tensor(shape=[2, 2])], "[n] or [n, 1], not [2, 2]"),
        ([tensor(shape=[])], "[n] or [n, 1]"),
        ([tensor(shape=[0], data=[])], "at least one"),
        ([tensor(shape=[-2])], "shape"),
        ([tensor(shape=[2.5])], "shape"),
        ([tensor(datatype="FP32")], "BYTES"),
        ([tensor(data=["a", 1])], "data[1]"),
        ([tensor(data=[["a"], ["b"]])], "data[0]: neither flat nor nested"),
        ([tensor(shape=[2, 1], data=["a", ["b", "c"]])], "data[1]: neither flat nor nested"),
        ([tensor(shape=[2, 1], data=[["a"], []])], "data[1]: neither flat nor nested"),
        ([tensor(shape=[2, 1], data=[["a", "b"]])], "means 2 texts, found 1"),
        ([tensor(data=[["a"], [["b"]]])], "data[1]"),
        ([tensor(shape=[4], data=["a"] * 4)], "at most 3"),
        (None, "inputs"),
        ([{"name": "text"}], "missing"),
    ],
)
def test_names_what_is_wrong_with_inputs(client: AsgiClient, inputs: Any, word: str) -> None:
    """Each bad tensor gets 400 and an error that names what is wrong."""
    assert word in error(client.post("/v2/models/spam/infer", json={"inputs": inputs}), 400)


def test_names_an_unknown_output(client: AsgiClient) -> None:
    """An output that does not exist is an error that lists those that do."""
    request = {"inputs": [tensor()], "outputs": [{"name": "labels"}]}
    assert "label, probabilities" in error(client.post("/v2/models/spam/infer", json=request), 400)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"inputs": NaN}', 400),
        (b'{"parameters": {"a":' + b"[" * 10_000, 400),
        (b'{"inputs": "' + b"a" * 20_000 + b'"}', 413),
    ],
)
def test_malformed_bodies_are_the_protocols_errors(client: AsgiClient, body: bytes, status: int) -> None:
    """Broken JSON and too much of it have the mandatory body too."""
    assert error(client.post("/v2/models/spam/infer", content=body), status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/other/ready", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", "/v2/models/spam/versions/1", 404),
        ("GET", "/v2/models/spam/versions/1/ready", 404),
        ("POST", "/v2/models/spam/versions/1/infer", 404),
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/models/spam/infer", 405),
        ("POST", "/v2", 405),
        ("DELETE", "/v2/models/spam", 405),
    ],
)
def test_unknown_names_and_methods_are_the_protocols_errors(
    client: AsgiClient, method: str, path: str, status: int
) -> None:
    """Whatever does not exist under /v2 says so in the protocol's way."""
    assert error(client.request(method, path), status)


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_says_what_the_server_is(client: AsgiClient, path: str) -> None:
    """Name, version and extensions are all there, at both spellings."""
    found = client.get(path).json()
    assert found["name"]
    assert found["version"]
    assert found["extensions"] == ["binary_tensor_data"]


def test_says_what_the_model_is(client: AsgiClient, model: TextClassifier) -> None:
    """Its metadata name exactly the tensors that infer takes and gives."""
    found = client.get("/v2/models/spam").json()
    assert found["versions"] == [model.version]
    assert found["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [(each["name"], each["datatype"], each["shape"]) for each in found["outputs"]] == [
        (output["name"], output["datatype"], [-1, *output["shape"][1:]]) for output in infer(client)["outputs"]
    ]
    assert client.get(f"/v2/models/spam/versions/{model.version}").json() == found


def test_is_live_and_ready(client: AsgiClient, app: InferenceApp) -> None:
    """Live always; ready with a model, until it drains."""
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert client.get("/v2/models/spam/ready").json() == {"name": "spam", "ready": True}
    app.service.admission.draining = True
    for path in ("/v2/health/ready", "/v2/models/spam/ready"):
        response = client.get(path)
        assert response.status_code == 503
        assert response.json()["ready"] is False
        assert "shutting down" in response.json()["error"]


def test_is_not_ready_without_a_model() -> None:
    """503, with the mandatory body, for everything that needs the model."""
    client = AsgiClient(create_app(Settings(model_uri="unused")))
    assert client.get("/v2/health/live").status_code == 200
    for path in ("/v2/health/ready", "/v2/models/spam/ready", "/v2/models/spam"):
        response = client.get(path)
        assert response.status_code == 503
        assert "no model is loaded" in response.json()["error"]
    body = json.dumps({"inputs": [tensor()]})
    assert "no model is loaded" in error(client.post("/v2/models/spam/infer", content=body), 503)


def binary(*texts: bytes, size: int | None = None, **changes: Any) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request whose texts follow its JSON."""
    raw = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    described = tensor(shape=[len(texts)], parameters={"binary_data_size": len(raw) if size is None else size})
    del described["data"]
    head = json.dumps({"inputs": [described | changes]}).encode()
    return head + raw, {"Inference-Header-Content-Length": str(len(head))}


def test_takes_binary_texts(client: AsgiClient) -> None:
    """Texts behind the JSON are answered as those in it."""
    content, headers = binary(*(text.encode() for text in TEXTS))
    response = client.post("/v2/models/spam/infer", content=content, headers=headers)
    assert response.json() == infer(client)


@pytest.mark.parametrize(
    ("request_parts", "word"),
    [
        (binary(b"a", size=3), "truncated"),
        (binary(b"a", size=99), "does not match"),
        (binary(b"a", size=-1), "does not match"),
        (binary(b"a", size=10**30), "binary_data_size"),
        (binary(b"a", parameters={"binary_data_size": "5"}), "binary_data_size"),
        (binary(b"a", data=["a"]), "does not match"),
        (binary(b"a", size=0), "belong to no tensor"),
        (binary(b"\xff"), "not UTF-8"),
        (binary(b"a", b"b", shape=[3]), "means 3 texts, found 2"),
        ((binary(b"a")[0], {"Inference-Header-Content-Length": "x"}), "a number of bytes"),
        ((binary(b"a")[0], {"Inference-Header-Content-Length": "9" * 30}), "not JSON"),
        ((binary(b"a")[0], {}), "not JSON"),
    ],
)
def test_names_what_is_wrong_with_binary_texts(
    client: AsgiClient, request_parts: tuple[bytes, dict[str, str]], word: str
) -> None:
    """Bytes that are not what the JSON says they are get 400."""
    content, headers = request_parts
    assert word in error(client.post("/v2/models/spam/infer", content=content, headers=headers), 400)


def split(response: Any) -> tuple[dict[str, Any], bytes]:
    """The JSON of a response, and the tensors behind it."""
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    return json.loads(response.content[:length]), response.content[length:]


def test_gives_binary_outputs(client: AsgiClient) -> None:
    """Every output follows the JSON in its order, with the values that it has in JSON."""
    label, probabilities = infer(client)["outputs"]
    request = {"inputs": [tensor()], "parameters": {"binary_data_output": True}}
    content, tail = split(client.post("/v2/models/spam/infer", json=request))
    sizes = [output["parameters"]["binary_data_size"] for output in content["outputs"]]
    assert [output["name"] for output in content["outputs"]] == ["label", "probabilities"]
    assert all("data" not in output for output in content["outputs"])
    assert sum(sizes) == len(tail)
    texts = b"".join(len(text).to_bytes(4, "little") + text.encode() for text in label["data"])
    assert tail == texts + struct.pack(f"<{len(probabilities['data'])}d", *probabilities["data"])


@pytest.mark.parametrize(
    ("of_the_request", "of_the_label", "in_binary"),
    [
        ({}, {"binary_data": True}, ["label"]),
        ({"binary_data_output": True}, {"binary_data": False}, ["probabilities"]),
        ({"binary_data_output": True}, {}, ["label", "probabilities"]),
        ({"binary_data_output": False}, {}, []),
        ({}, {"binary_data": False}, []),
    ],
)
def test_an_outputs_own_form_counts(
    client: AsgiClient, of_the_request: dict[str, bool], of_the_label: dict[str, bool], in_binary: list[str]
) -> None:
    """`binary_data` of an output overrides the request's `binary_data_output`; without both the answer is JSON."""
    outputs = [{"name": "label", "parameters": of_the_label}, {"name": "probabilities"}]
    request = {"inputs": [tensor()], "outputs": outputs, "parameters": of_the_request}
    response = client.post("/v2/models/spam/infer", json=request)
    content = split(response)[0] if in_binary else response.json()
    assert [output["name"] for output in content["outputs"] if "data" not in output] == in_binary
    given = [output for output in content["outputs"] if "data" in output]
    assert given == [output for output in infer(client)["outputs"] if output["name"] not in in_binary]


def test_binary_in_and_binary_out_meet(client: AsgiClient) -> None:
    """A request and its answer may both be binary, and long ones are answered by the thread alike."""
    content, headers = binary(*(text.encode() for text in TEXTS))
    length = int(headers["Inference-Header-Content-Length"])
    head = json.dumps(json.loads(content[:length]) | {"parameters": {"binary_data_output": True}, "id": "7"}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    found, _ = split(client.post("/v2/models/spam/infer", content=head + content[length:], headers=headers))
    assert found["id"] == "7"


def test_lists_its_model(client: AsgiClient) -> None:
    """As KServe does; none before it is loaded."""
    assert client.get("/v2/models").json() == {"models": ["spam"]}
    assert AsgiClient(create_app(Settings(model_uri="unused"))).get("/v2/models").json() == {"models": []}


def test_predict_takes_no_binary(client: AsgiClient) -> None:
    """The extension is the protocol's alone."""
    content, headers = binary(b"a")
    assert client.post("/predict", content=content, headers=headers).status_code in {400, 422}
