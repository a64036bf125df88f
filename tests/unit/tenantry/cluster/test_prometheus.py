"""Addresses at which no Prometheus answers. `tests/rules/test_usage.py` reads a real one."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tenantry.cluster.alertmanager import Alertmanager
from tenantry.cluster.prometheus import Prometheus
from tenantry.errors import CommandError, InputError


@pytest.mark.parametrize("address", ["localhost:9090", "ftp://localhost", "http://[::", "http://a..b"])
def test_what_is_not_an_address_is_wrong_input(address: str) -> None:
    with pytest.raises(InputError, match=r"--prometheus .*: write http://HOST:PORT"):
        Prometheus(address).instant("up", 0)


def test_a_prometheus_that_does_not_answer_is_named() -> None:
    """With the two ways to reach one."""
    with pytest.raises(CommandError, match=r"does not answer on http://127.0.0.1:9 .*--prometheus URL.*--port-forward"):
        Prometheus("http://127.0.0.1:9").instant("up", 0)


@pytest.mark.parametrize(
    "client", [lambda each: Prometheus(each).instant("up", 0), lambda each: Alertmanager(each).silences(None)]
)
def test_a_password_in_an_address_is_not_shown(client: Callable[[str], object]) -> None:
    with pytest.raises(CommandError, match=r"does not answer on http://127.0.0.1:9 ") as caught:
        client("http://reader:w@rd@127.0.0.1:9")
    assert "reader" not in str(caught.value)


@pytest.fixture
def other_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers everything with status 400 and the same bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(400)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("other_server", "message"),
    [
        (b"<html>", r"does not answer like Prometheus \(status 400, no JSON\)"),
        (b"\xff", r"does not answer like Prometheus \(status 400, no JSON\)"),
        (b"[]", "Prometheus refused a query: 400"),
        (b'{"status": "error", "error": "parse error"}', "Prometheus refused a query: parse error"),
    ],
    indirect=["other_server"],
)
def test_what_is_not_a_result_is_an_error(other_server: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        Prometheus(other_server).instant("up", 0)
