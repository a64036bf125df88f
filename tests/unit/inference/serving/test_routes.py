"""What each route of the service's own says, asked through ASGI."""

import gzip
import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import __version__, contract
from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.model.interface import Prediction
from inference.serving.application import InferenceApp, create_app
from inference.settings import Settings
from tests.asgi import AsgiClient

SETTINGS = Settings(model_uri="unused", max_texts=3, max_text_characters=1_000, max_body_bytes=5_000, offload_bytes=300)


@pytest.fixture(scope="module")
def model(tiny_artifact: Artifact) -> TextClassifier:
    return TextClassifier.from_artifact(tiny_artifact)


@pytest.fixture
def app(model: TextClassifier) -> InferenceApp:
    """An application that has its model, with small limits."""
    app = create_app(SETTINGS)
    app.service.add_model(model)
    return app


@pytest.fixture
def client(app: InferenceApp) -> AsgiClient:
    return AsgiClient(app)


@pytest.fixture
def unready() -> AsgiClient:
    """A client of a service whose model is not there yet."""
    return AsgiClient(create_app(Settings(model_uri="unused")))


@pytest.fixture(scope="module")
def shared_client(model: TextClassifier) -> AsgiClient:
    """One for all examples of a property."""
    app = create_app(SETTINGS)
    app.service.add_model(model)
    return AsgiClient(app)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem document of a response that must have this status."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return dict(document)


def test_predicts_a_text(client: AsgiClient, model: TextClassifier) -> None:
    """A text gets its label and the label's probability, exactly as the model says."""
    response = client.post("/predict", json={"text": "free money"})
    expected = model.predict("free money")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"prediction": expected.label, "confidence": expected.confidence}


def test_predicts_a_list(client: AsgiClient, model: TextClassifier) -> None:
    """A list of texts gets a list of answers in its order."""
    response = client.post("/predict", json={"text": ["free money", "review the patch"]})
    assert [each["prediction"] for each in response.json()["predictions"]] == ["spam", "ham"]
    assert response.json()["predictions"][1]["confidence"] == model.predict("review the patch").confidence


@pytest.mark.parametrize("text", ["free money " * 40, "x" * 999])
def test_long_texts_leave_the_loop_with_the_same_answer(client: AsgiClient, model: TextClassifier, text: str) -> None:
    """A body above the offload limit is answered in a thread, and alike."""
    found = client.post("/predict", json={"text": text}).json()
    assert found["confidence"] == model.predict(text).confidence


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"text": "free " * 100}),
        ("/predict", {"text": ["free"] * 100}),
        ("/v2/models/spam/infer", {"inputs": [], "parameters": {"a": "free " * 100}}),
    ],
)
def test_long_bodies_are_read_one_at_a_time_off_the_loop(
    app: InferenceApp, client: AsgiClient, path: str, body: dict[str, object]
) -> None:
    """Right or wrong, those of all routes share one thread: however many come, the loop has its turn."""
    endpoint, threads = app.service.routes.find_path("POST", path).endpoint, set[str]()
    assert endpoint is not None
    read = endpoint._decode

    def spy(content: Any) -> object:
        threads.add(threading.current_thread().name)
        return read(content)

    endpoint._decode = spy
    assert client.post(path, json=body).status_code in {200, 400, 422}
    assert threads == {"answer_0"}


def test_counts_how_long_a_long_body_waited(app: InferenceApp, client: AsgiClient) -> None:
    """Its wait for the thread is its place in the queue, and no part of what scoring costs."""
    app.service.thread.submit(time.sleep, 0.2)
    client.post("/predict", json={"text": "free " * 100})
    waited, scored = (app.service.metrics.phases[phase].read()[1] for phase in ("queue", "predict"))
    assert waited > 0.1
    assert scored < waited


def test_explains(client: AsgiClient, model: TextClassifier) -> None:
    """`explain` adds the terms that pushed the answer, with their places in the text as it was given."""
    text = "Win FREE money"
    found = client.post("/predict", json={"text": text, "explain": True}).json()
    assert found["explanation"] == [push._asdict() for push in model.explain(text, 1_000)]
    assert text[found["explanation"][0]["start"] : found["explanation"][0]["end"]].lower()


def test_lists_all_probabilities_if_asked(client: AsgiClient, model: TextClassifier) -> None:
    texts = ["free money now", "xyzzy plugh"]
    found = client.post("/predict", json={"text": texts, "probabilities": True}).json()["predictions"]
    for text, answer in zip(texts, found, strict=True):
        prediction = model.predict(text)
        assert answer["probabilities"] == dict(zip(model.labels, prediction.probabilities, strict=True))
        assert "explanation" not in answer
    both = client.post("/predict", json={"text": texts[0], "probabilities": True, "explain": True}).json()
    assert set(both) == {"prediction", "confidence", "explanation", "probabilities", "known_words"}


def test_says_how_many_words_it_knows_only_if_details_are_asked_for(client: AsgiClient) -> None:
    for option in ("explain", "probabilities"):
        answers = client.post("/predict", json={"text": ["free money xyzzy", "xyzzy"], option: True}).json()
        assert [answer["known_words"] for answer in answers["predictions"]] == [2, 0]
    assert set(client.post("/predict", json={"text": "xyzzy"}).json()) == {"prediction", "confidence"}


def test_shares_the_explained_terms_among_texts(model: TextClassifier) -> None:
    """A request's explanations together have at most `max_explained_terms` terms, or one a text."""
    app = create_app(Settings(model_uri="unused", max_explained_terms=2))
    app.service.add_model(model)
    texts = ["win free money now", "free money now"]
    answers = AsgiClient(app).post("/predict", json={"text": texts, "explain": True}).json()["predictions"]
    assert [len(answer["explanation"]) for answer in answers] == [1, 1]


def test_explains_a_bounded_number_of_characters(model: TextClassifier) -> None:
    """An explanation costs more than an answer, so it has a limit of its own, over all texts of a request."""
    app = create_app(Settings(model_uri="unused", max_explained_characters=10))
    app.service.add_model(model)
    body = {"text": ["123456", "12345"]}
    assert AsgiClient(app).post("/predict", json=body).status_code == 200
    assert "at most 10" in problem(AsgiClient(app).post("/predict", json=body | {"explain": True}), 422)["detail"]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b'{"text": ' + b"[" * 4_000, 422, "JSON values"),
        (b'{"text": ' + b"[" * 200, 422, "text[0]"),
        (b'{"text": NaN}', 400, "JSON"),
        (b'{"text": "\\ud800"}', 400, "JSON"),
        (b'{"text": "\xed\xa0\x80"}', 400, "JSON"),
        (b'\xef\xbb\xbf{"text": "a"}', 400, "JSON"),
        (b"[]", 422, "object"),
        (b"{}", 422, "text"),
        (b'{"text": 1}', 422, "text"),
        (b'{"text": null}', 422, "text"),
        (b'{"text": ["a", 1]}', 422, "text[1]"),
        (b'{"text": []}', 422, "text"),
        (b'{"text": "a", "explian": true}', 422, "explian"),
        (b'{"text": "a", "explain": 1}', 422, "explain"),
        (b'{"text": ["a", "a", "a", "a"]}', 422, "at most 3"),
        (json.dumps({"text": "a" * 1_001}).encode(), 422, "at most 1000"),
        (json.dumps({"text": ["a", "a" * 1_001]}).encode(), 422, "text 1 has"),
        (json.dumps({"text": "a" * 5_001}).encode(), 413, "at most 5000"),
    ],
)
def test_names_what_is_wrong_with_a_body(client: AsgiClient, body: bytes, status: int, word: str) -> None:
    """Each bad body gets its status and a problem document that names what is wrong."""
    assert word in problem(client.post("/predict", content=body), status)["detail"]


def test_decompresses_gzip_only(client: AsgiClient) -> None:
    """A gzip body is answered under any server; another coding, and gzip twice, are a 415."""
    headers = {"content-encoding": "gzip"}
    assert client.post("/predict", content=gzip.compress(b'{"text": "a"}'), headers=headers).status_code == 200
    problem(client.post("/predict", content=b"x", headers=headers), 400)
    for encodings in (["br"], ["gzip", "gzip"]):
        problem(client.post("/predict", content=b"x", headers=[("content-encoding", each) for each in encodings]), 415)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\U0001f600", "İ", "a" * 1_000])
def test_answers_odd_texts(client: AsgiClient, text: str) -> None:
    """Whatever Unicode a text holds, it has an answer, an explained one too."""
    answer = client.post("/predict", json={"text": text, "explain": True})
    assert answer.status_code == 200
    assert 0 <= answer.json()["confidence"] <= 1


@given(body=st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["text", "explain", "inputs"]), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_body_makes_a_500(shared_client: AsgiClient, body: bytes) -> None:
    """Whatever bytes or JSON come, the answer is 200 or a client's error."""
    for path in ("/predict", "/v2/models/spam/infer"):
        assert shared_client.post(path, content=body).status_code in {200, 400, 413, 422}


def test_a_fault_of_its_own_is_a_problem_and_one_log_line(
    client: AsgiClient, app: InferenceApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault is answered with 500 without its cause, and logged with its place but never with the text."""

    def broken(text: str) -> Prediction:
        raise RuntimeError(text)

    monkeypatch.setattr(app.service.model, "predict", broken)
    detail = problem(client.post("/predict", json={"text": "confidential"}), 500)["detail"]
    printed = capsys.readouterr()
    assert "RuntimeError" in printed.out
    assert "test_routes.py" in printed.out
    assert "confidential" not in detail + printed.out + printed.err
    assert app.service.metrics.requests["predict"]["server_error"] == 1


def test_unknown_paths_are_problems(client: AsgiClient) -> None:
    """404 and 405 are problem documents; 405 says which method is right."""
    problem(client.get("/nope"), 404)
    problem(client.get("/page/nope"), 404)
    problem(client.get("/predict/"), 404)
    response = client.get("/predict")
    problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_is_alive_but_not_ready_before_the_model_is_there(unready: AsgiClient) -> None:
    """Without a model the process is alive, and a prediction is answered with 503."""
    assert unready.get(contract.LIVENESS_PATH).json() == {"status": "ok"}
    problem(unready.get(contract.READINESS_PATH), 503)
    problem(unready.get(contract.MODEL_PATH), 503)
    response = unready.post("/predict", json={"text": "a"})
    problem(response, 503)
    assert response.headers["retry-after"] == "1"


def test_is_ready_with_a_model_until_it_drains(client: AsgiClient, app: InferenceApp) -> None:
    """A service with a model is ready until it drains; while it drains it still answers."""
    assert client.get(contract.READINESS_PATH).status_code == 200
    app.service.admission.draining = True
    assert "shutting down" in problem(client.get(contract.READINESS_PATH), 503)["detail"]
    assert client.post("/predict", json={"text": "a"}).status_code == 200


def test_shows_the_models_card(client: AsgiClient, model: TextClassifier) -> None:
    """GET /model says which model it is and how well it does."""
    card = client.get(contract.MODEL_PATH).json()
    assert card["digest"] == model.digest
    assert card["version"] == model.digest[:12]
    assert card["labels"] == list(model.labels)
    assert model.manifest.metrics
    assert card["manifest"]["metrics"]["accuracy"] == model.manifest.metrics.accuracy


@pytest.mark.parametrize("path", [contract.ROOT_PATH, contract.DOCS_PATH])
def test_pages_load_nothing_from_elsewhere(client: AsgiClient, path: str) -> None:
    """The pages are HTML whose policy forbids every foreign host."""
    response = client.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in response.headers["content-security-policy"]
    assert "//" not in response.text.replace("http://www.w3.org/", "").replace("://127.0.0.1", "")


def test_version_is_the_projects(pytestconfig: pytest.Config) -> None:
    """The image has no package metadata, so the version stands in the code; it is pyproject.toml's."""
    assert f'\nversion = "{__version__}"\n' in (pytestconfig.rootpath / "pyproject.toml").read_text()


def test_a_long_body_of_many_values_is_refused_before_it_is_decoded(app: InferenceApp, client: AsgiClient) -> None:
    """Decoding a megabyte of empty texts would keep all other requests waiting."""
    endpoint = app.service.predict_endpoint
    endpoint._decode = None  # type: ignore[assignment] # it is not asked
    detail = problem(client.post("/predict", content=b'{"text": [' + b'"",' * 1_200 + b'""]}'), 422)["detail"]
    assert "JSON values" in detail


def test_a_refusal_quotes_little_of_the_request(client: AsgiClient) -> None:
    """However long an unknown field is, the answer is short."""
    body = json.dumps({"x" * 4_000: 1}).encode()
    assert len(client.post("/predict", content=body).content) < 700


@pytest.mark.parametrize("accept", ["text/plain;version=abc", "application/openmetrics-text;version=9.9", ";;;", "é"])
def test_scrapes_of_any_accept_header_are_answered(client: AsgiClient, accept: str) -> None:
    """Content negotiation never fails: for an unknown format the answer is Prometheus's text format."""
    response = client.get("/metrics", headers={"accept": accept.encode()})
    assert response.status_code == 200
    assert "inference_requests_total" in response.text


def test_the_page_is_the_one_for_texts(client: AsgiClient) -> None:
    """A text model has the page with a field for a text."""
    page = client.get(contract.ROOT_PATH).text
    assert 'src="page/text.js"' in page
    assert "<textarea" in page


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/docs"])
def test_files_know_what_the_client_has(client: AsgiClient, path: str) -> None:
    """A file that has not changed is a 304 without a body; a range is ignored."""
    response = client.get(path, headers={"range": "bytes=x"})
    assert response.status_code == 200
    again = client.get(path, headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
