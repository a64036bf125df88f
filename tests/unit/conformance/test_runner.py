"""Before and around the cases: finding the server and its model, and servers that answer anything at all."""

import json
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.discovery import UnusableError, WrongOptionError
from conformance.runner import Options, run
from tests.unit.conformance.protocol_server import MODEL, VERSIONS, Call, ProtocolServer, Reply
from tests.unit.conformance.serving import Handler, listening, options

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def with_models(listed: object, path: str = "/v2/models", method: str = "GET") -> Handler:
    """The small server, which lists its models."""
    server = ProtocolServer()
    return lambda call: Reply(200, listed) if (call.method, call.path) == (method, path) else server(call)


def test_a_port_where_nobody_listens_is_reported_in_one_line() -> None:
    """The address, what happened, and a question to start from."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        UnusableError, match=rf"127.0.0.1:{port} cannot be tested: .*refused.*; is the server running"
    ) as e:
        run(Options(url=f"http://127.0.0.1:{port}", model="spam"))
    assert "\n" not in str(e.value)


def test_a_file_server_is_reported_in_one_line(tmp_path: Path) -> None:
    """What it answered instead of the protocol's documents is named."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - http.server calls it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UnusableError, match=r"not a server of the Open Inference Protocol.*status 404") as error:
            run(Options(url=f"http://127.0.0.1:{server.server_port}", model="spam"))
        server.shutdown()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_what_is_not_an_address_is_refused(url: str) -> None:
    """The message shows what an address looks like."""
    with pytest.raises(WrongOptionError, match="not the address of a server; give one like http://"):
        run(Options(url=url))


def test_an_unknown_id_is_refused() -> None:
    """A pattern that selects nothing would test nothing."""
    with pytest.raises(WrongOptionError, match=r"no case has an id like 'shape\.sphere'"):
        run(options(ProtocolServer(), cases=["id.*", "shape.sphere"]))


def test_cases_are_selected_by_pattern() -> None:
    """The others are not run."""
    report = run(options(ProtocolServer(), cases=["id.echoed", "server.*"]))
    assert [result.case.id for result in report.results][-1] == "id.echoed"
    assert {result.case.subject for result in report.results} == {"server", "id"}


@pytest.mark.parametrize(
    ("listed", "path", "method"),
    [
        ({"models": [MODEL]}, "/v2/models", "GET"),
        ([{"name": MODEL, "state": "READY"}], "/v2/repository/index", "POST"),
    ],
)
def test_the_only_model_needs_no_name(listed: object, path: str, method: str) -> None:
    """It is found where KServe, or Triton and MLServer, list their models."""
    handler = with_models(listed, path, method)
    assert run(options(handler, model=None, cases=["model.name"])).model == MODEL


def test_one_of_several_models_must_be_named() -> None:
    """The message lists them."""
    with pytest.raises(WrongOptionError, match="has the models one, two; name one"):
        run(options(with_models({"models": ["one", "two"]}), model=None))


def test_a_model_must_be_named_where_none_is_listed() -> None:
    """The protocol has no way to ask."""
    with pytest.raises(WrongOptionError, match="does not list its models"):
        run(options(ProtocolServer(), model=None))


def test_a_version_is_asked() -> None:
    """Every request about the model names the version in its path."""
    report = run(options(ProtocolServer(), version=VERSIONS[0], cases=["infer.model-name"]))
    (exchange,) = report.results[0].exchanges
    assert exchange.request.path == f"/v2/models/{MODEL}/versions/1/infer"


def test_a_server_that_insists_on_a_version_gets_one() -> None:
    """The text allows an error where the path has no version; the cases then ask the last version that is listed."""
    server = ProtocolServer()

    def handler(call: Call) -> Reply:
        return Reply(400, {"error": "which version?"}) if call.path == f"/v2/models/{MODEL}/infer" else server(call)

    report = run(options(handler, ProtocolServer(loading=True)))
    assert report.having("failed") == []
    assert report.version == VERSIONS[-1]


def test_headers_go_with_every_request() -> None:
    """A server that wants an authorization can be tested."""
    server = ProtocolServer()

    def handler(call: Call) -> Reply:
        allowed = call.headers.get("authorization") == "Bearer key"
        return server(call) if allowed else Reply(401, {"error": "who are you?"})

    report = run(options(handler, headers={"Authorization": "Bearer key"}))
    assert report.having("failed") == []


def test_a_server_that_never_answers_in_time_fails() -> None:
    """The time-out is what the report says."""
    asked = threading.Event()
    server = ProtocolServer()

    def handler(call: Call) -> Reply:
        if call.headers.get("content-type") == "text/plain":
            asked.wait(5)
        return server(call)

    with listening(handler) as url:
        report = run(Options(url=url, model=MODEL, timeout_seconds=0.3, cases=["http.other-content-type"]))
        asked.set()
    assert report.results[0].detail == "no answer within 0.3 s"


def test_a_connection_that_is_closed_without_an_answer_fails() -> None:
    """Each case that gets no answer fails, with the reason, and the others go on."""
    server = ProtocolServer()

    def handler(call: Call) -> Reply:
        if b"no-such-input" in call.body:
            raise ConnectionError
        return server(call)

    with listening(handler) as url:
        report = run(Options(url=url, model=MODEL, cases=["errors.unknown-input", "id.echoed"]))
    assert [result.outcome for result in report.results] == ["passed", "failed"]
    assert report.results[1].detail.startswith("no answer: ")


def test_the_cases_run_over_a_real_connection() -> None:
    """Chunks, kept-alive and pipelined requests reach the server as they do in the other tests."""
    loading = ProtocolServer(loading=True)
    with listening(ProtocolServer()) as url, listening(loading) as loading_url:
        report = run(Options(url=url, model=MODEL, loading_url=loading_url, huge_bytes=500_000))
    assert [result.case.id for result in report.results if result.outcome not in {"passed", "unclear"}] == []


@given(answers=st.lists(st.tuples(st.sampled_from([200, 204, 301, 400, 404, 500]), JSON), min_size=1, max_size=7))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_server_that_answers_anything_ends_in_a_report(answers: list[tuple[int, Any]]) -> None:
    """Whatever a server answers, every case ends with an outcome, and none with a defect of its own."""
    turns = [0]

    def handler(call: Call) -> Reply:
        turns[0] += 1
        if call.path == "/v2/health/live":
            return Reply(200, {})
        status, content = answers[turns[0] % len(answers)]
        return Reply(status, content)

    assert run(options(handler, handler)).results


@given(seed=st.integers(0, 10**6), share=st.sampled_from([3, 10, 40]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_server_that_is_broken_here_and_there_ends_in_a_report(seed: int, share: int) -> None:
    """A part of a right answer may be anything, too."""
    server = ProtocolServer()
    turns = [seed]

    def broken(value: Any) -> Any:
        turns[0] = (turns[0] * 1_103_515_245 + 12_345) % 2**31
        if turns[0] // 7 % share == 0:
            return [None, -1, "text", [], {}, [[1]], {"name": None}, 1.5, True][turns[0] // 1000 % 9]
        if isinstance(value, dict):
            return {key: broken(item) for key, item in value.items()}
        return [broken(item) for item in value] if isinstance(value, list) else value

    def handler(call: Call) -> Reply:
        reply = server(call)
        return Reply(reply.status, json.dumps(broken(reply.content)).encode(), reply.headers, reply.tail)

    assert run(options(handler, handler)).results
