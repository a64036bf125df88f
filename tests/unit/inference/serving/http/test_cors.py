"""Which answers pages of other origins may read, in a running service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference import api_keys
from inference.origins import is_origin, parse_origins
from tests.service import Service, service

APP, LOCAL, OTHER = "https://app.example.com", "http://localhost:5173", "https://evil.example"
BODY = b'{"text": "free money"}'
SHARED = ["/predict", "/model", "/openapi.json", "/v2", "/v2/models/spam", "/v2/models/spam/infer", "/v2/health/ready"]
NOT_SHARED = ["/metrics", "/healthz", "/readyz", "/", "/docs", "/page/page.js", "/v2x"]
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def running(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """It requires keys, since pages send them."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "shop").write_text(api_keys.entry_text([api_keys.ApiKey(api_keys.digest_of(b"key"))]))
    log = tmp_path_factory.mktemp("log") / "log"
    with service(model, log, api_keys_dir=folder, allowed_origins=f"{APP} {LOCAL}", max_body_bytes=1_000) as found:
        yield found


def ask(running: Service, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
    lines = ["Host: a", "Connection: close", f"Content-Length: {len(body)}", *headers]
    (answer,) = running.exchange("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)
    return answer


def preflight(running: Service, path: str, origin: str = APP) -> Answer:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")
    return ask_without_body(running, "OPTIONS", path, f"Origin: {origin}", *asked)


def ask_without_body(running: Service, method: str, path: str, *headers: str) -> Answer:
    """An answer to which a body does not belong."""
    lines = ["Host: a", "Connection: close", *headers]
    with running.connect() as client:
        client.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode())
        content = b""
        while piece := client.recv(65_536):
            content += piece
    head, _, rest = content.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return int(line.split()[1]), dict(field.split(": ", 1) for field in fields), rest


@pytest.mark.parametrize("origin", [APP, LOCAL])
@pytest.mark.parametrize("path", SHARED)
def test_a_preflight_is_answered_without_a_key(running: Service, path: str, origin: str) -> None:
    status, headers, body = preflight(running, path, origin)
    assert (status, body) == (204, b"")
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert {"authorization", "x-api-key", "content-type"} <= set(headers["access-control-allow-headers"].split(", "))
    assert headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in headers


def test_a_page_reads_answers_and_errors(running: Service) -> None:
    """An error that a page cannot read looks like a failure of the network."""
    for headers, body, status in (
        (("X-API-Key: key",), BODY, 200),
        ((), BODY, 401),
        (("X-API-Key: key",), b"no JSON", 400),
        (("X-API-Key: key",), bytes(2_000), 413),
    ):
        answer = ask(running, "POST", "/predict", f"Origin: {APP}", *headers, body=body)
        assert (answer[0], answer[1].get("access-control-allow-origin")) == (status, APP)
        assert "retry-after" in answer[1]["access-control-expose-headers"].split(", ")
        assert answer[1]["vary"] == "origin"


@pytest.mark.parametrize(
    "origins",
    [[OTHER], ["null"], ["*"], [APP.upper()], [f"{APP}:443"], [f"{APP}.evil.example"], [APP, OTHER], [""], []],
)
def test_other_origins_get_no_permission(running: Service, origins: list[str]) -> None:
    """Caches must keep their answers apart nevertheless."""
    lines = [f"Origin: {origin}" for origin in origins]
    found = ask(running, "POST", "/predict", *lines, "X-API-Key: key", body=BODY)
    assert (found[0], found[1]["vary"]) == (200, "origin")
    assert not [name for name in found[1] if name.startswith("access-control")]
    refused = ask(running, "OPTIONS", "/predict", *lines, "Access-Control-Request-Method: POST")
    assert refused[0] == 405
    assert not [name for name in refused[1] if name.startswith("access-control")]


@pytest.mark.parametrize("path", NOT_SHARED)
def test_what_is_for_operators_is_never_shared(running: Service, path: str) -> None:
    for status, headers, _ in (
        ask(running, "GET", path, f"Origin: {APP}", body=b""),
        ask(running, "OPTIONS", path, f"Origin: {APP}", "Access-Control-Request-Method: GET"),
    ):
        assert status in {200, 404, 405}
        assert not [name for name in headers if name.startswith("access-control")]


def test_options_without_a_requested_method_is_not_a_preflight(running: Service) -> None:
    assert ask(running, "OPTIONS", "/predict", f"Origin: {APP}")[0] == 405


def test_without_allowed_origins_nothing_is_shared(model: Path, tmp_path: Path) -> None:
    with service(model, tmp_path / "log") as closed:
        for method, status in (("POST", 200), ("OPTIONS", 405)):
            asked = "Access-Control-Request-Method: POST"
            found = ask(closed, method, "/predict", f"Origin: {APP}", asked, body=BODY if method == "POST" else b"")
            assert found[0] == status
            assert not {"vary", "access-control-allow-origin"} & found[1].keys()


@pytest.mark.parametrize(
    "origin", [APP, "https://a", "https://a.example:8443", LOCAL, "http://127.0.0.1", "http://[::1]:81"]
)
def test_accepts_what_browsers_send(origin: str) -> None:
    assert is_origin(origin)
    assert parse_origins(f" {origin} {APP}") == {origin, APP}


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "app.example.com", f"{APP}/", f"{APP}/page", "https://*.example.com", "https://App.example.com"),
        *(f"{APP}:443", f"{APP}:0", f"{APP}:70000", "http://app.example.com", "http://localhost:80", "ftp://a"),
        *("https://", "https://-a", "https://user@a", f"{APP}\n", "https://a_b"),
    ],
)
def test_refuses_what_browsers_never_send_or_is_not_safe(origin: str) -> None:
    assert not is_origin(origin)
