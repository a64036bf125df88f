"""One connection as a state machine: any bytes in any pieces, answers in order, counts that always agree."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from inference.model.artifact import Artifact
from inference.model.classifier import TextClassifier
from inference.serving.http.phases import Phase
from tests.service import answers
from tests.unit.inference.serving.http.offline import Client, Offline

BODY = b'{"text": "free money"}'
LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nTrailer: a\r\n\r\n" % (len(BODY), BODY)
REQUESTS = {
    b"POST /predict HTTP/1.1\r\nHost: a\r\n" + LENGTH: 200,
    b"POST /predict?a=b HTTP/1.1\r\nHost: a\r\n" + LENGTH: 200,
    b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" + LENGTH: 200,
    b"POST /predict HTTP/1.1\r\nHost: a\r\n" + CHUNKED: 200,
    b"POST /predict HTTP/1.1\r\nHost: a\r\nInference-Header-Content-Length: 1\r\n" + LENGTH: 400,
    b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{": 400,
    b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n": 200,
    b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n": 404,
    b"GET http://a/healthz?x HTTP/1.1\r\nHost: a\r\n\r\n": 200,
}
SERVER: dict[str, Any] = {}


@pytest.fixture(scope="module", autouse=True)
def _model(tiny_artifact: Artifact) -> None:
    SERVER["model"] = TextClassifier.from_artifact(tiny_artifact)


@pytest.fixture
def server() -> Iterator[Offline]:
    """A server without sockets, which must have nothing left to count in the end."""
    found = Offline(SERVER["model"])
    yield found
    found.close()


class Speaker:
    """A client, what it still has to send, and the statuses that it must get."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.outbox = b""
        self.expected: list[int] = []
        self.is_ended = False

    def check(self, *, is_quiet: bool) -> None:
        """The answers are the first of those expected, in their order; all of them when nothing is on its way."""
        found = [status for status, _, _ in answers(bytes(self.client.received))]
        if self.is_ended and found[-1:] == [400]:
            del found[-1]  # to the request that was cut off
        assert found == self.expected[: len(found)]
        if is_quiet and not self.outbox and not self.is_ended and self.client.is_reading:
            assert found == self.expected


class Connections(RuleBasedStateMachine):
    """Some clients of one server, each at its own pace."""

    speakers = Bundle("speakers")

    @initialize()
    def start(self) -> None:
        self.server = Offline(SERVER["model"], max_in_flight=10_000)
        self.all: deque[Speaker] = deque()

    @rule(target=speakers, address=st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"]))
    def connect(self, address: str) -> Any:
        if len(self.all) > 5:
            return multiple()
        speaker = Speaker(self.server.connect(address))
        self.all.append(speaker)
        return speaker

    @rule(speaker=speakers, requests=st.lists(st.sampled_from(list(REQUESTS)), min_size=1, max_size=20))
    def say(self, speaker: Speaker, requests: list[bytes]) -> None:
        speaker.outbox += b"".join(requests)
        speaker.expected += [REQUESTS[request] for request in requests]

    @rule(speaker=speakers, count=st.integers(1, 20_000))
    def send(self, speaker: Speaker, count: int) -> None:
        rest = speaker.client.send(speaker.outbox[:count])
        speaker.outbox = rest + speaker.outbox[count:]

    @rule(speaker=speakers)
    def stop_reading(self, speaker: Speaker) -> None:
        speaker.client.is_reading = False

    @rule(speaker=speakers)
    def read_on(self, speaker: Speaker) -> None:
        speaker.client.read_on()

    @rule(steps=st.integers(1, 50))
    def run_loop(self, steps: int) -> None:
        self.server.run(steps)

    @rule(speaker=consumes(speakers))
    def half_close(self, speaker: Speaker) -> None:
        if not speaker.client.is_paused and not speaker.client.is_closed:
            speaker.is_ended = True
            assert speaker.client.connection.eof_received()

    @rule(speaker=consumes(speakers))
    def leave(self, speaker: Speaker) -> None:
        speaker.is_ended = True
        speaker.client.abort()

    @rule(speaker=consumes(speakers))
    def expire(self, speaker: Speaker) -> None:
        speaker.is_ended = True
        speaker.expected = [status for status, _, _ in answers(bytes(speaker.client.received))]
        speaker.client.connection.expire()
        speaker.client.abort()

    @invariant()
    def counts_agree(self) -> None:
        connections = list(self.server.clients._connections)
        admission = self.server.service.admission
        assert admission.held_bytes == sum(each.held_bytes for each in connections)
        assert admission.in_flight == sum(bool(each._current and each._current._is_counted) for each in connections)
        for peer in {each.peer for each in connections}:
            mine = [each for each in connections if each.peer is peer]
            assert (peer.connections, peer.held_bytes) == (len(mine), sum(each.held_bytes for each in mine))
        for speaker in self.all:
            speaker.check(is_quiet=False)

    @invariant()
    def waits_for_someone(self) -> None:
        for connection in self.server.clients._connections:
            if connection.phase.waits_for_client:
                assert connection.deadline < connection._now() + 100

    def teardown(self) -> None:
        for speaker in self.all:
            speaker.client.read_on()
            while not speaker.is_ended and (speaker.outbox or speaker.client.connection.phase is Phase.ANSWERING):
                self.server.run()
                speaker.client.read_on()
                speaker.outbox = speaker.client.send(speaker.outbox)
        self.server.run()
        try:
            for speaker in self.all:
                speaker.check(is_quiet=True)
        finally:
            self.server.close()


TestConnections = Connections.TestCase
TestConnections.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, phases=(HypothesisPhase.explicit, HypothesisPhase.generate)
)


FAULTS = [
    ("_find_route", "inference.serving.routing.Routes.find"),
    ("exchange", "inference.serving.http.exchange.Exchange.answer"),
    ("record", "inference.serving.http.exchange.Exchange.record"),
    ("start task", "inference.serving.http.exchange.Exchange.start_task"),
    ("task answer", "inference.serving.http.exchange.Exchange.task_answer"),
    ("endpoint", "inference.serving.service.Service.answer_now"),
    ("scope", "inference.serving.http.asgi._scope"),
    ("application", "inference.serving.application.InferenceApp._delegate"),
    ("writer", "inference.serving.http.wire.AnswerWriter.answer"),
    ("transport", "tests.unit.inference.serving.http.offline.Client.write"),
    ("head", "inference.serving.http.reader.RequestReader.on_headers_complete"),
    ("whole", "inference.serving.http.reader.RequestReader.on_message_complete"),
    ("count", "inference.serving.limits.Admission.is_full"),
    ("refusal", "inference.serving.problems.answer"),
]


@pytest.mark.parametrize("request_bytes", list(REQUESTS))
@pytest.mark.parametrize("place", [place for _, place in FAULTS], ids=[name for name, _ in FAULTS])
def test_no_fault_leaves_a_count_behind(
    server: Offline, monkeypatch: pytest.MonkeyPatch, place: str, request_bytes: bytes
) -> None:
    """Whatever breaks on the way, the next request is answered, and nothing stays counted."""

    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(place, broken)
        server.exchange(request_bytes * 3)
        server.run()
    assert server.service.admission.in_flight == 0
    assert answers(server.exchange(request_bytes))[0][0] == REQUESTS[request_bytes]
