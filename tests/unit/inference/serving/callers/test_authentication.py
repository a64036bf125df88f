"""API keys in a running service: who is answered, who is not, and how keys change without a restart."""

import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference import api_keys
from inference.api_keys import ApiKey
from inference.serving.application import create_app
from inference.settings import Settings
from tests.asgi import AsgiClient
from tests.models import write_tiny_model
from tests.service import Service, poll, read_all, service

BODY = b'{"text": "free money"}'
INFER = b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["free money"]}]}'
WRONG_KEYS = 10_000
KEY, OTHER, OLD = "tnt_first", "tnt_second", "tnt_expired"
Answer = tuple[int, dict[str, str], bytes]


def write_keys(folder: Path, **keys: str) -> None:
    """Replace the entries of a folder as Kubernetes does: files appear whole."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in keys:
            path.unlink()
    for name, text in keys.items():
        new = folder / f".{name}"
        new.write_text(text)
        new.rename(folder / name)


def entry(*keys: str, expires: datetime | None = None) -> str:
    return api_keys.entry_text([ApiKey(api_keys.digest_of(key.encode()), expires) for key in keys])


EXPIRED = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def running(model: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    write_keys(folder, shop=entry(KEY), late=entry(OLD, expires=EXPIRED))
    log = tmp_path_factory.mktemp("log") / "log"
    with service(model, log, api_keys_dir=folder, api_keys_reload_seconds=0.05, access_log=True) as started:
        yield started


@pytest.fixture(autouse=True)
def _same_keys(running: Service, folder: Path) -> None:
    """The keys of the fixture are in force when a test begins."""
    write_keys(folder, shop=entry(KEY), late=entry(OLD, expires=EXPIRED))
    assert poll(lambda: _status(running, KEY) == 200 and _status(running, OTHER) == 401)
    assert poll(lambda: running.metrics()["inference_api_keys_valid"] == 1)


def ask(running: Service, *headers: str, path: str = "/predict", body: bytes = BODY, method: str = "POST") -> Answer:
    lines = "".join(f"{each}\r\n" for each in headers).encode()
    head = b"%b %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % (method.encode(), path.encode())
    (found,) = running.exchange(head + lines + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    return found


def _status(running: Service, key: str) -> int:
    return ask(running, f"X-API-Key: {key}")[0]


@pytest.mark.parametrize(
    "header", [f"Authorization: Bearer {KEY}", f"authorization: bearer   {KEY}", f"X-API-Key: {KEY}"]
)
def test_a_valid_key_is_accepted_in_either_header(running: Service, header: str) -> None:
    assert ask(running, header)[0] == 200
    assert ask(running, header, path="/v2/models/spam/infer", body=INFER)[0] == 200
    assert ask(running, header, path="/model", body=b"", method="GET")[0] == 200


def test_a_long_body_is_answered_with_a_key(running: Service) -> None:
    body = json.dumps({"text": "free money " * 5_000}).encode()
    assert ask(running, f"X-API-Key: {KEY}", body=body)[0] == 200
    assert ask(running, body=body)[0] == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predict"),
        ("POST", "/%70redict"),
        ("POST", "/predict?key=x"),
        ("POST", "http://a/predict"),
        ("POST", "/v2/models/spam/infer"),
        ("POST", "/v2/models/other/infer"),
        ("POST", "/v2/models/spam/versions/1/infer"),
        ("GET", "/model"),
        ("GET", "/%6dodel"),
    ],
)
def test_predictions_and_the_model_card_require_a_key(running: Service, method: str, path: str) -> None:
    status, headers, _ = ask(running, path=path, method=method)
    assert status == 401
    assert headers["www-authenticate"] == 'Bearer realm="tenantry"'


def test_a_head_request_requires_a_key_where_get_does(running: Service) -> None:
    with running.connect() as client:
        client.sendall(b"HEAD /model HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/docs", "/openapi.json", "/v2/health/ready"])
def test_probes_metrics_and_pages_require_no_key(running: Service, path: str) -> None:
    assert ask(running, path=path, body=b"", method="GET")[0] == 200


def test_errors_are_problem_documents_and_have_the_protocols_form_under_v2(running: Service) -> None:
    status, headers, body = ask(running, "X-API-Key: wrong")
    assert (status, headers["content-type"]) == (401, "application/problem+json")
    assert headers["www-authenticate"] == 'Bearer realm="tenantry", error="invalid_token"'
    assert json.loads(body) == {
        "status": 401,
        "title": "Unauthorized",
        "detail": "the API key is not valid; it may be misspelled or revoked",
    }
    status, headers, body = ask(running, path="/v2/models/spam/infer", body=INFER)
    assert (status, headers["content-type"]) == (401, "application/json")
    assert list(json.loads(body)) == ["error"]


def test_an_expired_key_is_forbidden(running: Service) -> None:
    status, headers, body = ask(running, f"Authorization: Bearer {OLD}")
    assert (status, json.loads(body)["title"]) == (403, "Forbidden")
    assert "www-authenticate" not in headers
    name = 'inference_caller_requests_rejected_total{caller="late",reason="expired"}'
    assert running.metrics()[name] >= 1


@pytest.mark.parametrize(
    "headers",
    [
        ("Authorization: Basic dG50X2ZpcnN0",),
        ("Authorization: Bearer",),
        ("Authorization: Bearer ",),
        ("X-API-Key:",),
        (f"Authorization: Bearer {KEY}", f"X-API-Key: {KEY}"),
        (f"X-API-Key: {KEY}", f"X-API-Key: {OTHER}"),
        (f"X-API-Key: {KEY}, {KEY}",),
        (f"Cookie: api-key={KEY}",),
        (f"X-API-Key: {KEY.upper()}",),
        (f"X-API-Key: sha256:{api_keys.digest_of(KEY.encode()).hex()}",),
    ],
)
def test_anything_else_is_not_a_key(running: Service, headers: tuple[str, ...]) -> None:
    assert ask(running, *headers)[0] == 401


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=300))
def test_no_other_value_is_a_key(running: Service, value: str) -> None:
    """Whatever a client sends, it gets an answer, and not a prediction."""
    with running.connect() as client:
        client.sendall(message(value.encode("latin-1"), is_last=True))
        assert client.recv(65_536).split()[1] in {b"401", b"400"}


def test_ten_thousand_wrong_keys_are_refused_and_the_right_one_is_accepted(running: Service) -> None:
    refused = 'inference_requests_total{outcome="client_error",route="predict"}'
    before = running.metrics()[refused]
    requests = [message(b"wrong-%d" % number, is_last=number == WRONG_KEYS - 1) for number in range(WRONG_KEYS)]
    with running.connect(60) as client:
        sender = threading.Thread(target=client.sendall, args=(b"".join(requests),))
        sender.start()
        statuses = Counter(re.findall(rb"HTTP/1\.1 (\d{3})", read_all(client)))
        sender.join()
    assert statuses == {b"401": WRONG_KEYS}
    assert running.metrics()[refused] - before == WRONG_KEYS
    assert _status(running, KEY) == 200


def message(key: bytes, *, is_last: bool) -> bytes:
    """A prediction's bytes, with a key."""
    connection = b"close" if is_last else b"keep-alive"
    return b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: %b\r\nX-API-Key: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        connection,
        key,
        len(BODY),
        BODY,
    )


def test_keys_change_without_a_restart(running: Service, folder: Path) -> None:
    write_keys(folder, shop=entry(KEY, OTHER))
    assert poll(lambda: _status(running, OTHER) == 200)
    assert _status(running, KEY) == 200
    write_keys(folder, shop=entry(OTHER))
    assert poll(lambda: _status(running, KEY) == 401)
    assert _status(running, OTHER) == 200


def test_an_invalid_secret_keeps_the_previous_keys_and_is_reported(running: Service, folder: Path) -> None:
    write_keys(folder, shop=entry(OTHER), broken="sha256:123")
    assert poll(lambda: running.metrics()["inference_api_keys_valid"] == 0)
    assert (_status(running, KEY), _status(running, OTHER)) == (200, 401)
    (line,) = [each for each in running.lines() if "not loaded" in each["event"]][-1:]
    assert line["level"] == "error"
    assert line["error"] == "caller 'broken', line 1: must be 'sha256:<64 hexadecimal digits> [expiry]'"


def test_without_entries_nobody_is_answered(running: Service, folder: Path) -> None:
    shutil.rmtree(folder)
    assert poll(lambda: _status(running, KEY) == 401)
    assert running.metrics()["inference_api_key_callers"] == 0
    folder.mkdir()


def test_no_key_and_no_digest_is_logged_or_measured(running: Service) -> None:
    for key in (KEY, "tnt_wrong_and_secret"):
        _status(running, key)
    shown = running.log.read_text() + running.ask("/metrics")[2].decode()
    for key in (KEY, OTHER, OLD, "tnt_wrong_and_secret"):
        assert key not in shown
        assert api_keys.digest_of(key.encode()).hex()[:8] not in shown


def test_a_service_that_starts_with_an_invalid_secret_refuses_every_caller(model: Path, tmp_path: Path) -> None:
    write_keys(tmp_path / "keys", shop=entry(KEY), broken="sha256:123")
    with service(model, tmp_path / "log", api_keys_dir=tmp_path / "keys") as started:
        assert _status(started, KEY) == 401
        assert started.metrics()["inference_api_keys_valid"] == 0


def test_the_application_requires_a_key_under_any_asgi_server(folder: Path) -> None:
    app = create_app(Settings(model_uri="unused", api_keys_dir=str(folder)))
    client = AsgiClient(app)
    for method, path in (("POST", "/predict"), ("POST", "/v2/models/spam/infer"), ("GET", "/model")):
        assert client.request(method, path, content=BODY).status_code == 401, path


def test_the_document_says_which_operations_require_a_key(running: Service) -> None:
    document = json.loads(running.ask("/openapi.json")[2])
    assert document["components"]["securitySchemes"].keys() == {"bearer", "apiKey"}
    protected = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    }
    assert {("post", "/predict"), ("get", "/model")} <= protected
    assert not {("get", "/metrics"), ("get", "/healthz")} & protected
    assert {"401", "403"} <= document["paths"]["/predict"]["post"]["responses"].keys()


def test_without_a_folder_no_key_is_required(model: Path, tmp_path: Path) -> None:
    with service(model, tmp_path / "log") as open_service:
        assert ask(open_service)[0] == 200
        assert ask(open_service, "X-API-Key: anything")[0] == 200
