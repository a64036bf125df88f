"""Short requests of one turn of the event loop are answered by one run of an ONNX model, each as it would be alone."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from inference.errors import RequestError
from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.model.onnx_model import OnnxModel
from tests import onnx_artifacts
from tests.service import answers
from tests.unit.inference.serving.http.offline import Client, Offline

RECORDS = [{"age": age, "children": 1, "city": "Wien"} for age in (20, 35, 50, 65, 80)]


def _request(record: dict[str, Any]) -> bytes:
    return _post(json.dumps({"inputs": record}).encode())


def _post(body: bytes) -> bytes:
    return b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _answer(client: Client) -> tuple[int, Any]:
    ((status, _, body),) = answers(bytes(client.received))
    return status, json.loads(body)


@pytest.fixture
def model() -> OnnxModel:
    """A model whose requests are batched, whatever the machine measured."""
    found = onnx_artifacts.loaded(onnx_artifacts.credit())
    found.batches = True  # type: ignore[misc]
    found.row_seconds = 1e-5  # type: ignore[misc]
    return found


@pytest.fixture
def runs(model: OnnxModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each run of the model has."""
    found: list[int] = []
    run = model.run

    def counted(tensors: dict[str, Any]) -> Any:
        found.append(len(tensors["age"]))
        return run(tensors)

    monkeypatch.setattr(model, "run", counted)
    return found


@pytest.fixture
def server(model: OnnxModel) -> Iterator[Offline]:
    """A server without sockets, which must have nothing left to count in the end."""
    found = Offline(model, runtime="onnx", max_texts=4)
    yield found
    found.close()


def _send(server: Offline, records: list[dict[str, Any]]) -> list[Client]:
    clients = [server.connect() for _ in records]
    for client, record in zip(clients, records, strict=True):
        assert not client.send(_request(record))
    return clients


def test_requests_of_one_turn_are_run_together_within_the_rows_of_one_request(server: Offline, runs: list[int]) -> None:
    alone = [_answer(_sent_alone(server, record)) for record in RECORDS]
    assert runs == [1] * len(RECORDS)
    runs.clear()
    clients = _send(server, RECORDS)
    server.run()
    assert [_answer(client) for client in clients] == alone
    assert runs == [4, 1]
    assert server.service.callers.anonymous.texts == 2 * len(RECORDS)


def _sent_alone(server: Offline, record: dict[str, Any]) -> Client:
    (client,) = _send(server, [record])
    server.run()
    return client


def test_an_invalid_request_gets_its_own_error(server: Offline, runs: list[int]) -> None:
    clients = _send(server, [RECORDS[0], {"age": 1}, RECORDS[1]])
    server.run()
    assert [_answer(client)[0] for client in clients] == [200, 422, 200]
    assert runs == [2]


def test_pipelined_requests_are_answered_in_their_order(server: Offline, runs: list[int]) -> None:
    """Each in a batch with the request of the other connection."""
    alone = [_answer(_sent_alone(server, record))[1] for record in RECORDS[:4]]
    runs.clear()
    clients = [server.connect() for _ in range(2)]
    for client, records in zip(clients, (RECORDS[:2], RECORDS[2:4]), strict=True):
        assert not client.send(b"".join(map(_request, records)))
    server.run()
    found = [json.loads(body) for client in clients for _, _, body in answers(bytes(client.received))]
    assert found == alone
    assert runs == [2, 2]


def test_empty_bodies_for_a_text_model_are_answered_one_by_one(tiny_artifact: Artifact) -> None:
    """The connection gives its endpoints one body at a time."""
    server = Offline(TextClassifier.from_artifact(tiny_artifact))
    clients = [server.connect() for _ in range(3)]
    for client in clients:
        assert not client.send(_post(b""))
    server.run()
    assert [_answer(client)[0] for client in clients] == [400] * 3
    server.close()


def test_an_endpoint_that_does_not_batch_keeps_the_error_of_one_body_from_the_others(tiny_artifact: Artifact) -> None:
    server = Offline(TextClassifier.from_artifact(tiny_artifact))
    endpoint, caller = server.service.predict_endpoint, Mock()
    bodies = (b'{"text": "free prize"}', b"", b'{"text": "the meeting"}')
    first, wrong, last = endpoint.answer_together([(body, caller) for body in bodies])
    assert (first, last) == (endpoint.answer(bodies[0], caller), endpoint.answer(bodies[2], caller))
    assert isinstance(wrong, RequestError)
    server.close()


def test_empty_bodies_for_a_model_that_is_not_batched_are_answered_one_by_one(
    model: OnnxModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "batches", False)
    server = Offline(model, runtime="onnx")
    monkeypatch.setattr(server.shared.batch, "add", None)
    clients = [server.connect() for _ in range(2)]
    for client in clients:
        assert not client.send(_post(b""))
    server.run()
    assert [_answer(client)[0] for client in clients] == [400] * 2
    server.close()


def test_a_client_that_has_gone_does_not_stop_the_others(server: Offline) -> None:
    """It goes after its request joined the others, and before they are answered."""
    clients = _send(server, RECORDS[:3])
    clients[0].is_closed = True
    server.loop.call_soon(clients[0].connection.connection_lost, None)
    server.run()
    assert not clients[0].received
    assert server.service.answered == 2
    assert [_answer(client)[0] for client in clients[1:]] == [200, 200]


@pytest.mark.parametrize(
    "place",
    [
        "inference.serving.endpoints.tensors.TensorEndpoint._answer_together",
        "inference.serving.endpoints.tensors.TensorEndpoint._count",
    ],
)
def test_a_fault_ends_in_answers_and_leaves_no_count_behind(
    server: Offline, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(place, broken)
        clients = _send(server, RECORDS[:3])
        server.run()
    assert [_answer(client)[0] for client in clients] == [500] * 3
    assert server.service.admission.in_flight == 0
    assert _answer(_sent_alone(server, RECORDS[0]))[0] == 200
