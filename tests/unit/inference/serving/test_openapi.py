"""The OpenAPI document is what the service does: a machine that knows nothing else finds no difference."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.openapi import from_url

from inference.serving.application import create_app
from inference.settings import Settings
from tests import onnx_artifacts
from tests.models import write_tiny_model
from tests.service import Service, service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service, watched by a client that never ends early."""
    folder = tmp_path_factory.mktemp("openapi")
    with service(write_tiny_model(folder / "model"), folder / "log", max_text_characters=500) as found:
        yield found


@pytest.fixture(scope="module")
def document(running: Service) -> dict[str, Any]:
    """The document as it is served."""
    return dict(httpx.get(f"{running.url}/openapi.json", trust_env=False).json())


OPERATIONS = [
    (method, path)
    for path, methods in create_app(Settings(model_uri="unused")).openapi()["paths"].items()
    for method in methods
]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_in_the_document(running: Service, method: str, path: str, mode: GenerationMode) -> None:
    """Whatever fits or does not fit the document: status, media type and body of the answer are those it names."""
    operation = from_url(f"{running.url}/openapi.json")[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        case.call_and_validate()

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # there is nothing to get wrong


@pytest.fixture(scope="module")
def running_onnx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of an ONNX model that takes every value of every datatype."""
    folder = tmp_path_factory.mktemp("openapi-onnx")
    model = onnx_artifacts.written(onnx_artifacts.echo(), folder / "model")
    with service(model, folder / "log", runtime="onnx") as found:
        yield found


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", ["/predict", "/v2/models/{model}/infer"])
def test_every_answer_of_an_onnx_model_is_in_the_document(
    running_onnx: Service, path: str, mode: GenerationMode
) -> None:
    """The routes that differ between the runtimes."""
    test_every_answer_is_in_the_document(running_onnx, "post", path, mode)


def test_the_document_of_an_onnx_model_describes_records_and_tensors(running_onnx: Service) -> None:
    """Neither texts nor labels of a text model are in it."""
    document = httpx.get(f"{running_onnx.url}/openapi.json", trust_env=False).json()
    assert {"RecordsRequest", "TensorRequest", "ValuesResponse"} <= document["components"]["schemas"].keys()
    assert not {"PredictRequest", "InferRequest"} & document["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("struct", "path"), [("RecordsRequest", "/predict"), ("TensorRequest", "/v2/models/echo/infer")]
)
def test_the_examples_of_an_onnx_model_are_answered(running_onnx: Service, struct: str, path: str) -> None:
    document = httpx.get(f"{running_onnx.url}/openapi.json", trust_env=False).json()
    (example,) = document["components"]["schemas"][struct]["examples"]
    answer = httpx.post(f"{running_onnx.url}{path}", json=example, trust_env=False)
    assert answer.status_code == 200, answer.text


def test_documents_every_error_in_its_form(document: dict[str, Any]) -> None:
    """Under /v2 errors are the protocol's, everywhere else they are problem documents."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if status < "400":
                    continue
                (media_type,) = response["content"]
                expected = "application/json" if path.startswith("/v2") else "application/problem+json"
                assert media_type == expected, (method, path, status)


def test_documents_the_limits_that_hold(document: dict[str, Any]) -> None:
    """A client can read off how much it may send."""
    one, several = document["components"]["schemas"]["PredictRequest"]["properties"]["text"]["anyOf"]
    assert one["maxLength"] == 500
    assert several["maxItems"] == 1_000
    assert several["minItems"] == 1


def test_the_examples_work(running: Service, document: dict[str, Any]) -> None:
    """What the document shows can be pasted."""
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == {"text", "explained", "probabilities", "texts"}
    for example in content["examples"].values():
        assert httpx.post(f"{running.url}/predict", json=example["value"], trust_env=False).status_code == 200


def test_writes_every_route(document: dict[str, Any]) -> None:
    """Nothing that the service answers is left out, and each operation has an id of its own."""
    assert {
        "/", "/predict", "/healthz", "/readyz", "/metrics", "/model", "/v2", "/v2/", "/v2/health/live",
        "/v2/health/ready", "/v2/models", "/v2/models/{model}", "/v2/models/{model}/ready", "/v2/models/{model}/infer",
        "/v2/models/{model}/versions/{version}", "/v2/models/{model}/versions/{version}/ready",
        "/v2/models/{model}/versions/{version}/infer",
    } == set(document["paths"])  # fmt: skip
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
