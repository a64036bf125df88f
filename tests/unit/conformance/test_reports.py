"""What a report says of each outcome, in each of its forms."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.curl import curl
from conformance.messages import JSON_TYPE, Request
from conformance.reports import FORMATS
from conformance.runner import Report, run
from tests.unit.conformance.protocol_server import Call, ProtocolServer, Reply
from tests.unit.conformance.serving import listening, options

CASES = ["server.name", "server.version", "http.no-500", "errors.unknown-model", "shape.zero", "loading.live"]


@pytest.fixture(scope="module")
def report() -> Report:
    """One case of each outcome: a must and a should that failed, one unclear, one not applicable, others passed."""
    server = ProtocolServer(accepts={"errors.unknown-model"})

    def handler(call: Call) -> Reply:
        reply = server(call)
        return Reply(500, {"error": "<oh> & ```\x00"}) if b'"shape": [0]' in call.body else reply

    return run(options(handler, cases=CASES))


def test_the_outcomes_are_those_of_the_cases(report: Report) -> None:
    """The fixture is what the other tests take it for."""
    assert {result.case.id: result.outcome for result in report.results} == {
        "server.name": "passed",
        "server.version": "passed",
        "loading.live": "not applicable",
        "shape.zero": "unclear",
        "errors.unknown-model": "failed",
        "http.no-500": "failed",
    }
    assert not report.conforms


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_person_reads_what_to_fix(report: Report, form: str) -> None:
    """A failure has its sentence, where it stands, what was expected and found, the answer, and a command."""
    text = FORMATS[form](report)
    failure = next(result for result in report.results if result.case.id == "errors.unknown-model")
    case = failure.case
    for part in (case.id, case.says, str(case.source), case.source.url, case.expects, "accepted with status 200"):
        assert part in text
    assert "curl -si http://server.test/v2/models/no-such-model/infer" in text
    assert '"model_name": "echo"' in text
    assert "does not conform: 2 of 3 must passed, 0 of 1 should passed, 1 unclear, 1 not applicable" in text
    assert "shape.zero" in text
    assert "--loading-url" in text
    assert "\x00" not in text


def test_json_has_every_case_with_all_that_was_said(report: Report) -> None:
    """A program finds the same as a person, and request and response in full."""
    value = json.loads(FORMATS["json"](report))
    assert [each["id"] for each in value["results"]] == [result.case.id for result in report.results]
    assert value["conforms"] is False
    assert value["counts"]["must"] == {"passed": 2, "failed": 1, "unclear": 0, "not applicable": 1}
    failed = next(each for each in value["results"] if each["id"] == "errors.unknown-model")
    (exchange,) = failed["exchanges"]
    assert json.loads(exchange["request"]["body"])["inputs"][0]["name"] == "bytes"
    assert exchange["response"]["status"] == 200
    assert failed["source"]["section"] == "Inference"


def test_junit_fails_for_a_must_and_skips_the_rest(report: Report) -> None:
    """Continuous integration turns red for a must alone; the reason stands beside everything that did not pass."""
    root = ET.fromstring(FORMATS["junit"](report))  # noqa: S314 - our own
    found = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert found["errors.unknown-model"] == ["failure"]
    assert found["server.name"] == []
    assert found["http.no-500"] == found["shape.zero"] == found["loading.live"] == ["skipped"]
    skipped = [element.get("message", "") for element in root.iter("skipped")]
    assert sorted(message.partition(":")[0] for message in skipped) == ["not applicable", "should failed", "unclear"]
    assert sum(int(suite.get("failures", "")) for suite in root.iter("testsuite")) == 1


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_cause_of_many_failures_is_named_once(form: str) -> None:
    """A finding that several failures share stands before them, with their number."""
    unreadable = ["errors.no-name", "errors.no-shape", "errors.no-datatype"]
    report = run(options(ProtocolServer(unreadable=unreadable), cases=["errors.no-*"]))
    text = FORMATS[form](report)
    assert "3 times: the answer (status 400) has no key 'error'; its keys: 'detail'" in text
    single = run(options(ProtocolServer(unreadable=unreadable[:2]), cases=["errors.no-*"]))
    assert "times:" not in FORMATS[form](single)


def test_a_refusal_without_an_error_object_says_what_was_sent() -> None:
    """A maintainer reads what was wrong with the request, not only that the answer was."""
    report = run(options(ProtocolServer(unreadable=["id.number"]), cases=["id.number.*"]))
    assert "The request: `id` is a string, so a number is not an identifier." in FORMATS["text"](report)


@pytest.mark.parametrize("form", FORMATS)
def test_an_answer_with_anything_in_it_is_shown(form: str) -> None:
    """Bytes that are no text, and characters that a form cannot hold, do not break it."""
    server = ProtocolServer()

    def handler(call: Call) -> Reply:
        return Reply(200, b"\x00\xff<]]>&```\xef\xbf\xbe") if call.path == "/v2" else server(call)

    text = FORMATS[form](run(options(handler, cases=["server.*"])))
    assert "server.answered" in text
    if form == "junit":
        ET.fromstring(text)  # noqa: S314 - our own


@pytest.fixture
def received() -> Iterator[tuple[str, list[Call]]]:
    """The address of a server, and what it was sent."""
    calls: list[Call] = []

    def handler(call: Call) -> Reply:
        calls.append(call)
        return Reply(200, {})

    with listening(handler) as url:
        yield url, calls


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/v2"),
        Request("POST", "/v2/models/m/infer", b'{"id": "it\'s $HOME `x` \\n \xc3\xa9"}', {"Content-Type": JSON_TYPE}),
        Request("POST", "/v2/models/m/infer", b"", {"Content-Type": JSON_TYPE}),
        Request("POST", "/v2/models/m/infer", b"[" * 100_000 + b"]" * 100_000, {"Content-Type": JSON_TYPE}),
        Request("POST", "/v2/models/m/infer", b'{"a": "\x00\xff\'"}', {"Content-Type": "application/octet-stream"}),
        Request("POST", "/v2/models/m/infer", b"0123456789" * 1000 + b"end", {"Content-Type": "text/plain"}),
        Request("PUT", "/v2?a=1", b"{}", {"Content-Type": JSON_TYPE}),
        Request("POST", "/v2", b"{}", {"Content-Type": JSON_TYPE}, chunked=True),
    ],
    ids=["get", "quoted", "empty", "deep", "binary", "long", "put", "chunked"],
)
def test_the_command_sends_the_same_request(received: tuple[str, list[Call]], request_: Request) -> None:
    """Pasted into a shell, it repeats what the case sent, byte for byte."""
    url, calls = received
    command = curl(url, request_)
    assert len(command) < 5_000
    subprocess.run(["bash", "-c", command.replace("curl", "curl --silent --noproxy '*'", 1)], check=True, timeout=30)
    (call,) = calls
    sent: dict[str, Any] = {"method": call.method, "path": call.path, "body": call.body}
    assert sent == {"method": request_.method, "path": request_.path, "body": request_.body or b""}
    assert call.headers.get("content-type") == request_.headers.get("Content-Type")
    assert (call.headers.get("transfer-encoding") == "chunked") is request_.chunked
