"""`tenantry silence` as its user types it, against an Alertmanager that remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tenantry.commands.silence import LONGEST
from tenantry.durations import duration
from tenantry.errors import InputError
from tests.example_platform import EXAMPLE

PLATFORM = EXAMPLE


class Api:
    """Alertmanager's silences, in memory."""

    def __init__(self) -> None:
        self.silences: dict[str, dict[str, Any]] = {}
        self.address = ""

    def add(self, identifier: str, state: str = "active", **matchers: str) -> None:
        found = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in matchers.items()]
        times = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T02:00:00Z"}
        who = {"createdBy": "somebody", "comment": "a reason"}
        self.silences[identifier] = {"id": identifier, "matchers": found, "status": {"state": state}, **times, **who}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        identifier = path.rpartition("/")[2]
        if method == "POST":
            created = body | {"id": "new", "status": {"state": "active"}}
            self.silences["new"] = created
            return 200, {"silenceID": "new"}
        if path == "/api/v2/silences":
            return 200, list(self.silences.values())
        if identifier not in self.silences:
            return 404, "not found"
        if method == "DELETE":
            self.silences[identifier]["status"]["state"] = "expired"
        return 200, self.silences[identifier]


@pytest.fixture
def api() -> Iterator[Api]:
    """It listens while the test runs."""
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, answer = found.answer(self.command, self.path, json.loads(body) if body else None)
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class looks for these names

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            del format, arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(api: Api | str, *arguments: str) -> Result:
    address = api if isinstance(api, str) else api.address
    return CliRunner().invoke(app, ["silence", *arguments, "--alertmanager", address, "--file", str(PLATFORM)])


def test_a_silence_holds_for_exactly_one_tenant(api: Api) -> None:
    """One matcher, equal and no expression, on the label that every alert of the tenant carries."""
    before = datetime.now(UTC)
    result = run(api, "tenant-a", "--for", "1h30m", "--reason", "an upgrade")
    assert result.exit_code == 0, result.output
    made = api.silences["new"]
    assert made["matchers"] == [{"name": "namespace", "value": "tenant-a", "isRegex": False, "isEqual": True}]
    assert made["comment"] == "an upgrade"
    length = datetime.fromisoformat(made["endsAt"]) - before
    assert timedelta(minutes=89) < length < timedelta(minutes=91)
    assert "new" in result.stdout
    assert 'namespace="tenant-a"' in result.stdout


@pytest.mark.parametrize("arguments", [["tenant-a", "--reason", "an upgrade"], ["--expire", "one"]])
def test_a_dry_run_changes_no_silence(api: Api, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """By the variable; it prints what would be done."""
    monkeypatch.setenv("DRY_RUN", "1")
    api.add("one", namespace="tenant-a")
    result = run(api, *arguments)
    assert (result.exit_code, result.stdout[:5]) == (0, "would"), result.output
    assert {name: each["status"]["state"] for name, each in api.silences.items()} == {"one": "active"}


def test_a_single_alert_may_be_named(api: Api) -> None:
    """Beside the tenant, never instead of it."""
    run(api, "tenant-a", "--alert", "InferenceModelDrift", "--reason", "known")
    assert [each["value"] for each in api.silences["new"]["matchers"]] == ["tenant-a", "InferenceModelDrift"]


def test_list_shows_what_is_silenced_now(api: Api) -> None:
    """All, or a tenant's own; what has ended is left out."""
    api.add("one", namespace="tenant-a")
    api.add("two", namespace="tenant-b")
    api.add("three", "expired", namespace="tenant-a")
    api.add("four", alertname="Watchdog")
    every = json.loads(run(api, "--list", "--format", "json").stdout)
    assert {each["id"]: each["tenant"] for each in every} == {"one": "tenant-a", "two": "tenant-b", "four": ""}
    own = json.loads(run(api, "tenant-a", "--list", "--format", "json").stdout)
    assert [each["id"] for each in own] == ["one"]


def test_list_of_nothing_says_so(api: Api) -> None:
    """No empty screen."""
    assert "nothing is silenced" in run(api, "--list").output


def test_expire_ends_a_silence(api: Api) -> None:
    """And shows its last state."""
    api.add("one", namespace="tenant-a")
    assert json.loads(run(api, "--expire", "one", "--format", "json").stdout)[0]["state"] == "expired"
    assert api.silences["one"]["status"]["state"] == "expired"


def test_expire_touches_no_other_tenants_silence(api: Api) -> None:
    """A tenant that is named must be the silence's."""
    api.add("two", namespace="tenant-b")
    result = run(api, "tenant-a", "--expire", "two")
    assert result.exit_code == 2
    assert "is not tenant-a's" in result.output
    assert api.silences["two"]["status"]["state"] == "active"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tenant-a"], "a silence needs a reason"),
        (["tenant-a", "--reason", " "], "a silence needs a reason"),
        (["--reason", "x"], "whose alerts?"),
        (["tenant-c", "--reason", "x"], "no tenant 'tenant-c'; it has tenant-a, tenant-b"),
        (["tenant-a", "--reason", "x", "--for", "two hours"], "write days, hours and minutes"),
        (["tenant-a", "--reason", "x", "--for", "0m"], "more than zero"),
        (["tenant-a", "--reason", "x", "--for", "31d"], "at most 30 days"),
        (["--list", "--expire", "one"], "exclude each other"),
        (["--list", "--port-forward"], "exclude each other"),
        (["--expire", "nowhere"], "there is no silence nowhere"),
    ],
)
def test_wrong_input_is_refused(api: Api, arguments: list[str], message: str) -> None:
    """Exit code 2, a message that says what to do, and nothing is silenced."""
    result = run(api, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert api.silences == {}


def test_an_alertmanager_that_is_away_is_named() -> None:
    """With the two ways to reach one."""
    result = run("http://127.0.0.1:9", "--list")
    assert result.exit_code == 1
    assert "does not answer on http://127.0.0.1:9" in result.output
    assert "--port-forward" in result.output


@pytest.mark.parametrize("address", ["localhost:9093", "ftp://localhost", "http://[::", "http://a..b"])
def test_what_is_not_an_address_is_wrong_input(address: str) -> None:
    """The message differs from that for an Alertmanager that does not answer."""
    result = run(address, "--list")
    assert result.exit_code == 2, result.output
    assert f"--alertmanager {address}: write http://HOST:PORT" in result.output


@pytest.mark.parametrize(("text", "hours"), [("30m", 0.5), ("2h", 2), ("1h30m", 1.5), ("1d", 24), ("1d2h", 26)])
def test_durations(text: str, hours: float) -> None:
    """Days, hours and minutes."""
    assert duration("--for", text, LONGEST) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1m2h", "1.5h", "9" * 30 + "d"])
def test_what_is_no_duration(text: str) -> None:
    """Refused, never guessed."""
    with pytest.raises(InputError):
        duration("--for", text, LONGEST)
