"""HEAD is answered wherever GET is, with the same headers and no body."""

from collections.abc import Iterator

import pytest

from tests.models import write_tiny_model
from tests.service import Service, read_all, service

PATHS = [
    *("/", "/page/page.css", "/page/text.js", "/page/icon.svg", "/docs", "/docs/viewer.js", "/openapi.json"),
    *("/model", "/healthz", "/readyz", "/metrics", "/v2", "/v2/", "/v2/health/live", "/v2/health/ready"),
    *("/v2/models", "/v2/models/spam", "/v2/models/spam/ready", "/nothing", "/v2/models/nothing", "/page/nothing"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with service(write_tiny_model(folder / "model"), folder / "log") as found:
        yield found


def ask(running: Service, method: str, path: str, *headers: str) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of an answer."""
    lines = [f"{method} {path} HTTP/1.1", "Host: a", "Connection: close", *headers, "", ""]
    with running.connect() as client:
        client.sendall("\r\n".join(lines).encode())
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    found = dict(field.split(": ", 1) for field in fields)
    return status, {name: value for name, value in found.items() if name != "date"}, body


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get_and_no_body(running: Service, path: str) -> None:
    status, headers, content = ask(running, "GET", path)
    asked = ask(running, "HEAD", path)
    if path == "/metrics":  # the scrape before changed the figures
        headers["content-length"] = asked[1]["content-length"]
    assert asked == (status, headers, b"")
    assert content
    assert int(headers["content-length"]) > 0


def test_a_file_that_has_not_changed_is_a_304_for_both(running: Service) -> None:
    etag = ask(running, "GET", "/page/page.css")[1]["etag"]
    found = [ask(running, method, "/page/page.css", f"If-None-Match: {etag}") for method in ("GET", "HEAD")]
    assert found[0] == found[1]
    assert found[0][0] == "HTTP/1.1 304 Not Modified"


def test_allow_names_head_where_get_is_answered(running: Service) -> None:
    assert ask(running, "DELETE", "/model")[1]["allow"] == "GET, HEAD"
    assert ask(running, "HEAD", "/predict")[1]["allow"] == "POST"
