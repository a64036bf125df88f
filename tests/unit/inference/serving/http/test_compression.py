"""Compressed request bodies, in a running service."""

import gzip
import json
import random
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from inference.serving.http.reader import RequestReader
from inference.settings import Settings
from tests.models import write_tiny_model
from tests.service import Service, service

if TYPE_CHECKING:
    from inference.serving.http.request import Request

MAX_BODY_BYTES = 50_000
BODY = b'{"text": "free money"}'
ZIPPED = gzip.compress(BODY)
INFER = b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["free money"]}]}'
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with service(write_tiny_model(folder / "model"), folder / "log", max_body_bytes=MAX_BODY_BYTES) as found:
        yield found
        assert "request failed" not in found.events()
        assert found.metrics()["inference_requests_in_flight"] == 1


def ask(running: Service, body: bytes, *headers: str, path: str = "/predict", encoding: str = "gzip") -> Answer:
    lines = ["Host: a", "Connection: close", f"Content-Length: {len(body)}", f"Content-Encoding: {encoding}", *headers]
    head = "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode()
    (answer,) = running.exchange(head + body)
    return answer


def text_of(size: int) -> bytes:
    """A request of exactly so many bytes."""
    return b'{"text": "' + b"a" * (size - 12) + b'"}'


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_answered_as_the_same_body_without_compression(running: Service, encoding: str) -> None:
    assert ask(running, ZIPPED, encoding=encoding)[::2] == running.ask("/predict", BODY)[::2]


def test_the_protocols_routes_accept_it_with_binary_tensors_too(running: Service) -> None:
    path = "/v2/models/spam/infer"
    plain = running.ask(path, INFER)
    assert plain[0] == 200
    assert ask(running, gzip.compress(INFER), path=path)[::2] == plain[::2]
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 14}}
    head = json.dumps({"inputs": [tensor]}).encode()
    binary = gzip.compress(head + b"\x0a\0\0\0free money")
    answer = ask(running, binary, f"Inference-Header-Content-Length: {len(head)}", path=path)
    assert answer[::2] == plain[::2]


def test_it_may_come_in_chunks(running: Service) -> None:
    chunks = b"".join(b"1\r\n%b\r\n" % ZIPPED[place : place + 1] for place in range(len(ZIPPED)))
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\n"
    (answer,) = running.exchange(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert answer[0] == 200


@pytest.mark.parametrize(
    "encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "", "gzip\r\nContent-Encoding: gzip"]
)
def test_another_coding_is_refused_and_the_supported_one_named(running: Service, encoding: str) -> None:
    status, headers, body = ask(running, ZIPPED, encoding=encoding)
    assert (status, headers["accept-encoding"]) == (415, "gzip")
    assert json.loads(body)["title"] == "Unsupported Media Type"


def raw(content: bytes) -> bytes:
    """The deflated bytes of a member, without its header and trailer."""
    return gzip.compress(content)[10:-8]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "incomplete", id="empty"),
        pytest.param(BODY, "not gzip", id="not gzip"),
        pytest.param(zlib.compress(BODY), "not gzip", id="zlib"),
        pytest.param(ZIPPED[:-1], "incomplete", id="without its last byte"),
        pytest.param(ZIPPED[:20], "incomplete", id="half"),
        pytest.param(ZIPPED[:-8] + b"\0" + ZIPPED[-7:], "damaged", id="wrong checksum"),
        pytest.param(ZIPPED[:-4] + b"\1\0\0\0", "size is wrong", id="declares less"),
        pytest.param(ZIPPED[:-4] + b"\xff\0\0\0", "damaged", id="declares more"),
        pytest.param(ZIPPED + b"\0", "", id="a byte follows"),
        pytest.param(ZIPPED + ZIPPED, "bytes follow", id="two members"),
    ],
)
def test_a_broken_body_is_a_bad_request(running: Service, body: bytes, reason: str) -> None:
    status, _, content = ask(running, body)
    assert status == 400
    detail = json.loads(content)["detail"]
    assert detail.startswith("the body must be one gzip member and nothing else")
    assert reason in detail
    assert ask(running, body, path="/v2/models/spam/infer")[0] == 400


def test_the_limit_of_a_body_is_that_of_its_content(running: Service) -> None:
    assert ask(running, gzip.compress(text_of(MAX_BODY_BYTES)))[0] == 200
    status, _, body = ask(running, gzip.compress(text_of(MAX_BODY_BYTES + 1)))
    assert (status, json.loads(body)["detail"].split(";")[0]) == (413, f"a body has at most {MAX_BODY_BYTES} bytes")


def test_a_bomb_is_refused_and_takes_no_memory(running: Service) -> None:
    """Of 40 MiB of zeros, whose compressed form is within the limit, no more is unpacked than a body may have."""
    bomb = gzip.compress(bytes(40 * 2**20))
    assert len(bomb) < MAX_BODY_BYTES
    before = running.metrics()["process_resident_memory_bytes"]
    for _ in range(20):
        assert ask(running, bomb)[0] == 413
    liar = bomb[:-4] + (1_000).to_bytes(4, "little")
    assert ask(running, liar)[0] == 400
    assert running.metrics()["process_resident_memory_bytes"] < before + 8 * 2**20


def test_whatever_a_body_contains_the_client_is_at_fault(running: Service) -> None:
    chance = random.Random(5)  # noqa: S311 - not a secret
    for _ in range(200):
        body = bytearray(ZIPPED)
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        assert ask(running, bytes(body[: chance.randint(0, len(body))]))[0] in {200, 400, 413, 422}


def test_the_content_of_a_compressed_body_is_charged_before_it_is_unpacked() -> None:
    """As many bodies as may be held are accepted: small ones that become large count as large."""
    found: list[Request] = []
    reader = RequestReader(Settings(model_uri="file:a", max_body_bytes=MAX_BODY_BYTES), found.append)
    body = gzip.compress(text_of(40_000))
    reader.feed(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    (request,) = found
    assert request.held_bytes > 40_000 > 20 * len(body)
