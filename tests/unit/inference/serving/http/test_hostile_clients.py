"""A client at its worst, against the process as it is deployed: every way to be slow, wrong or too much."""

import json
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.service import HOST, Service, answers, poll, read_all, service

BODY = b'{"text": "free money"}'
CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def running(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with small limits and short time-outs."""
    with service(
        model,
        tmp_path_factory.mktemp("log") / "log",
        max_body_bytes=50_000,
        max_buffered_bytes=120_000,
        offload_bytes=2_000,
        header_timeout_seconds=0.5,
        body_timeout_seconds=0.7,
        keep_alive_seconds=1,
        max_connections=50,
        max_peer_share=1,
    ) as found:
        yield found


@pytest.fixture(autouse=True)
def _still_well(running: Service) -> Iterator[None]:
    """After whatever a test did: the service answers, nothing is left in flight, and nothing was its own fault."""
    yield
    assert running.ask("/predict", BODY)[0] == 200
    metrics = running.metrics()
    assert metrics["inference_requests_in_flight"] == 1  # the scrape itself
    assert not any(count for series, count in metrics.items() if 'outcome="server_error"' in series)
    assert "request failed" not in running.events()


def post(body: bytes = BODY, *headers: bytes, path: bytes = b"/predict", length: int | None = None) -> bytes:
    """A request's bytes."""
    size = b"Content-Length: %d\r\n" % (len(body) if length is None else length)
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%b%b\r\n%b" % (path, size, b"".join(headers), body)


def chunked(*chunks: bytes, path: bytes = b"/predict") -> bytes:
    """A request in chunks."""
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%b\r\n%b0\r\n\r\n" % (path, CLOSE, coded)


def assert_problem(answer: tuple[int, dict[str, str], bytes], status: int) -> None:
    """The answer is a problem document that ends the connection."""
    assert answer[0] == status, answer
    assert answer[1]["content-type"] == "application/problem+json"
    assert answer[1]["connection"] == "close"
    assert json.loads(answer[2])["status"] == status


def test_answers_a_plain_request(running: Service) -> None:
    """The way of all good requests: dated, typed, and kept open."""
    with running.connect() as client:
        client.sendall(post())
        status, headers, body = answers(client.recv(65_536))[0]
        client.sendall(post())
        assert answers(client.recv(65_536))[0][2] == body
    assert status == 200
    assert headers.keys() == {"date", "content-type", "content-length"}
    assert json.loads(body)["prediction"] == "spam"


@pytest.mark.parametrize("size", [1, 100, 2_500, 20_000])
def test_takes_chunks(running: Service, size: int) -> None:
    """A chunked body, however it is cut and whether or not it leaves the loop, is answered as a whole one."""
    body = json.dumps({"text": "free money " * (size // 11 + 1)}).encode()
    cut = [body[start : start + 997] for start in range(0, len(body), 997)]
    assert running.exchange(chunked(*cut))[0][2] == running.exchange(post(body, CLOSE))[0][2]


def test_takes_a_request_byte_by_byte(running: Service) -> None:
    """Where packets end means nothing."""
    with running.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(BODY, CLOSE):
            client.sendall(bytes([byte]))
        assert answers(read_all(client))[0][0] == 200


@pytest.mark.parametrize("count", [2, 15])
def test_answers_pipelined_requests_in_order(running: Service, count: int) -> None:
    """Requests sent without waiting are answered in their order, fast route, slow route and refused ones mixed."""
    kinds = [post(), post(b"{"), post(path=b"/nope"), post(json.dumps({"text": "free " * 600}).encode())]
    wanted = [200, 400, 404, 200]
    chance = random.Random(count)  # noqa: S311 - the same mixture on every run
    chosen = [chance.randrange(4) for _ in range(count)]
    found = running.exchange(b"".join(kinds[kind] for kind in chosen) + post(BODY, CLOSE))
    assert [status for status, _, _ in found] == [wanted[kind] for kind in chosen] + [200]


def test_answers_expect_continue(running: Service) -> None:
    """A client that waits for `100 Continue` gets it, or the error."""
    with running.connect() as client:
        client.sendall(post(b"", b"Expect: 100-continue\r\n", CLOSE, length=len(BODY)))
        assert answers(client.recv(1_000))[0][0] == 100
        client.sendall(BODY)
        assert answers(read_all(client))[0][0] == 200
    assert_problem(running.exchange(post(b"", b"Expect: 100-continue\r\n", length=60_000))[0], 413)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_closes_when_asked(running: Service, version: bytes) -> None:
    """HTTP/1.0 and `Connection: close` end with the answer."""
    assert running.exchange(post(BODY, CLOSE).replace(b"HTTP/1.1", b"HTTP/" + version))[0][0] == 200


def test_ignores_an_upgrade(running: Service) -> None:
    """A client that would rather speak HTTP/2 is answered in HTTP/1.1."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    found = running.exchange(post(BODY, upgrade) + post(BODY, CLOSE))
    assert [status for status, _, _ in found] == [200, 200]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\x03 nothing like HTTP\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHo\x00st: a\r\n\r\n",
        b"POST /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
    ],
)
def test_malformed_http_is_a_problem(running: Service, raw: bytes) -> None:
    """Bytes that are not HTTP get a readable 400, and the connection is closed."""
    found = running.exchange(raw)
    assert len(found) == 1
    assert_problem(found[0], 400)


@pytest.mark.parametrize(
    "path", [b"*", b"http://a/predict", b"//predict", b"/%00", b"/..%2f..%2fetc/passwd", b"/page/../../app.py"]
)
def test_odd_targets_are_client_errors(running: Service, path: bytes) -> None:
    """Odd targets neither break it nor reach a file that is not the page's."""
    with running.connect() as client:
        client.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (path, CLOSE))
        assert answers(read_all(client))[0][0] in {400, 404, 405}


def test_refuses_too_large_a_body_before_it_is_sent(running: Service) -> None:
    """The declared length is enough to say no, at once."""
    assert_problem(running.exchange(post(b"", length=50_001))[0], 413)


def test_refuses_too_large_a_body_in_chunks(running: Service) -> None:
    """A body that grows too large is refused when it does, and the client can read so while it still sends."""
    assert_problem(running.exchange(chunked(*[b" " * 10_000] * 30))[0], 413)


def test_the_protocols_routes_refuse_in_their_way(running: Service) -> None:
    """Under /v2 a refusal below the application has the mandatory body too."""
    status, headers, body = running.exchange(post(b"", path=b"/v2/models/spam/infer", length=50_001))[0]
    assert (status, headers["content-type"]) == (413, "application/json")
    assert list(json.loads(body)) == ["error"]


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: a\r\n" % number for number in range(100_000)),
        b"X: " + b"a" * 40_000 + b"\r\n",
        b"X" * 3_000_000,
    ],
)
def test_refuses_too_many_or_too_long_headers(running: Service, head: bytes) -> None:
    """100,000 headers, or one that never ends, are a 431."""
    with running.connect() as client:
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n")
        assert_problem(answers(read_all(client))[0], 431)


@pytest.mark.parametrize(
    "part", [b"P", b"POST /predict HTTP/1.1\r\nHost: a\r\nX-Slow: ", post(b'{"text": ', length=50)]
)
def test_a_slow_client_is_told_and_left(running: Service, part: bytes) -> None:
    """Headers or a body that do not come in time end in a 408, not in a connection for ever."""
    assert_problem(running.exchange(part)[0], 408)


def test_a_silent_client_is_left(running: Service) -> None:
    """Who connects and says nothing is let go without a word, and so is who says nothing more."""
    assert running.exchange(b"") == []
    assert len(running.exchange(post())) == 1


def test_a_client_that_does_not_read_is_left(running: Service) -> None:
    """Answers that nobody fetches do not pile up: no more requests are read, and in time the connection ends."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(0.2)
        client.connect((HOST, running.port))
        get = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
        with suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            for _ in range(10_000):
                client.sendall(get * 100)
        assert running.metrics()["inference_requests_in_flight"] < 20
        assert poll(lambda: running.metrics()["inference_requests_in_flight"] == 1)


def test_a_deep_pipeline_is_answered_in_order(running: Service) -> None:
    """Who sends a thousand requests at once gets every answer, and has one request in flight at a time."""
    kinds = [post(path=b"/nope"), post(), post(json.dumps({"text": "free " * 600}).encode())]
    found = running.exchange(b"".join(kinds[number % 3] for number in range(999)) + post(BODY, CLOSE))
    assert [status for status, _, _ in found] == [404, 200, 200] * 333 + [200]


def test_slow_clients_cost_nobody_else(running: Service) -> None:
    """Forty clients that never finish a request hold forty connections and no place in the queue."""
    clients = [running.connect() for _ in range(40)]
    for client in clients:
        client.sendall(post(b"{", length=50))
    assert running.ask("/predict", BODY)[0] == 200
    for client in clients:
        client.close()
    poll(lambda: running.metrics()["inference_requests_in_flight"] == 1)


def test_the_most_silent_makes_room(running: Service) -> None:
    """Above the limit of connections a new one gets in, and the one that was silent longest goes."""
    clients = [running.connect() for _ in range(60)]
    assert running.ask("/predict", BODY)[0] == 200
    assert clients[0].recv(10) == b""
    for client in clients:
        client.close()


def test_a_body_that_ends_early_is_told(running: Service) -> None:
    """A client that stops in the middle of a request but still reads gets an error."""
    with running.connect() as client:
        client.sendall(post(b'{"text"', length=50))
        client.shutdown(socket.SHUT_WR)
        assert_problem(answers(read_all(client))[0], 400)


def test_who_has_said_all_is_answered(running: Service) -> None:
    """A client that closes its sending side after a whole request still gets its answer, from either route."""
    for body in (BODY, json.dumps({"text": "free " * 600}).encode()):
        with running.connect() as client:
            client.sendall(post(body))
            client.shutdown(socket.SHUT_WR)
            assert answers(read_all(client))[0][0] == 200


def test_who_leaves_early_leaves_nothing(running: Service) -> None:
    """Clients that go away in the middle, or before their answer, leave nothing in flight and nothing held."""
    long = json.dumps({"text": "free " * 5_000}).encode()
    for request in (post()[:30], post(b"{", length=50), post(), post(long), post(long) * 5):
        for _ in range(10):
            with running.connect() as client:
                client.sendall(request)
    assert poll(lambda: running.metrics()["inference_requests_in_flight"] == 1)


def test_sheds_what_it_cannot_hold(running: Service) -> None:
    """When all bodies together are too much, the one that is one too many is refused, and counted as shed."""
    before = running.metrics()['inference_requests_shed_total{reason="in_flight"}']
    clients = [running.connect() for _ in range(3)]
    for client in clients:
        client.sendall(post(b" " * 45_000, length=50_000))
    statuses: list[int] = []
    for client in clients:
        statuses.extend(answer[0] for answer in answers(read_all(client)))
        client.close()
    assert sorted(statuses) == [408, 408, 429]
    assert running.metrics()['inference_requests_shed_total{reason="in_flight"}'] == before + 1


def test_random_bytes_do_no_harm(running: Service) -> None:
    """Requests with bytes changed, doubled and left out are answered or refused, never with a 5xx."""
    chance = random.Random(20261124)  # noqa: S311 - the same attack on every run
    seeds = [post(), chunked(BODY, BODY), post(b"", path=b"/v2/models/spam/infer"), post()[:60]]
    for _ in range(150):
        raw = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(raw))
            raw[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        with running.connect() as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            for status, _, _ in answers(read_all(client)):
                assert status < 500
