"""The commands in the documentation work as printed.

Each `tenantry` command in a code block or in inline code is parsed by the command itself. Those that need a cluster or
a store then run against stand-ins: a kubectl that forwards to a server of this test, and buckets in memory.
"""

import json
import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from obstore.store import MemoryStore
from typer.testing import CliRunner

from inference.model.artifact import write
from inference.store import bucket
from inference.store.registry import publish
from inference.training.corpus import Dataset, Row
from inference.training.train import train
from tenantry.cli import app
from tenantry.cluster.applying import server
from tests.documents import DOCUMENTS, printed
from tests.example_platform import EXAMPLE, example_dist
from tests.fake_programs import FakePrograms
from tests.models import TEXTS, write_tiny_model
from tests.paths import ROOT

NO_OBJECTS: Final = '{"items": []}'
PLACEHOLDERS: Final = {"$T": "tenant-a", "<context>": "kind-tenantry", "FILE.csv": "mails.csv"}
"""What the reader replaces, and by what this test replaces it. Other capital words, as ID and NAME, are values too."""
RUN: Final = {"apply", "models", "plan", "publish", "rollback", "silence", "smoke"}
"""Commands that run here. `up` and `down` run Terraform and have tests of their own; the rest needs no cluster."""
STORE: Final = {"models", "publish", "rollback"}
EXPORTS_KEYS: Final = re.compile(
    r'^ *eval "\$\(kubectl (?:-n|--namespace) minio get secret model-publisher ', re.MULTILINE
)


@dataclass(frozen=True)
class Command:
    """A printed command.

    Attributes:
        document: Where it is printed.
        line: Its line there.
        words: The program and its arguments, with the placeholders replaced.
        variables: What is set in front of it, as in `CONFIRM=NAME make up`.
    """

    document: Path
    line: int
    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}: {shlex.join(self.words)}"


def _split(text: str) -> Iterator[list[str]]:
    """The simple commands of a line, as words; a comment ends it."""
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("&|;()<>"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _commands(program: str) -> list[Command]:
    """Every printed command of a program."""
    pattern = re.compile(rf"(?:^|[\s;&|])(?:\w+=\S+ +)*{program} ")
    found = []
    for document in DOCUMENTS:
        for line, text in printed(document):
            for words in _split(text) if pattern.search(f"{text} ") else ():
                first = next((place for place, word in enumerate(words) if not re.match(r"\w+=", word)), len(words))
                if words[first : first + 1] == [program] and words[first + 1 :]:
                    variables = tuple(tuple(word.split("=", 1)) for word in words[:first])
                    found.append(Command(document, line, tuple(words[first:]), variables))  # type: ignore[arg-type]
    return found


PRINTED: Final = _commands("tenantry")


def test_the_commands_are_found() -> None:
    """The other tests say nothing about a document from which no command is read."""
    runbook = {each.words[1] for each in PRINTED if each.document.name == "runbook.md"}
    assert {"apply", "models", "plan", "publish", "rollback", "silence", "synth", "train"} <= runbook
    for name in ("README.md", "models.md", "monitoring.md", "terraform.md", "tenants.md", "existing-cluster.md"):
        assert [each for each in PRINTED if each.document.name == name], name


def test_the_table_of_what_commands_need_lists_every_command_once() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", (ROOT / "docs" / "adopt.md").read_text("utf-8"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([a-z0-9]+)`", row)]
    assert sorted(listed) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", PRINTED, ids=str)
def test_the_command_takes_the_printed_arguments(command: Command) -> None:
    """Every option exists and every required argument is given."""
    group = typer.main.get_command(app)
    with group.make_context("tenantry", list(command.words[1:])) as context:
        name, found, rest = group.resolve_command(context, list(command.words[1:]))  # type: ignore[attr-defined]
        found.make_context(name, rest, parent=context)


@pytest.mark.parametrize("command", _commands("make"), ids=str)
def test_the_makefile_has_the_printed_target(command: Command) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for word in command.words[1:] if "=" not in word}
    assert named
    assert named <= targets


@pytest.mark.parametrize(
    "document", sorted({each.document for each in PRINTED if each.words[1] in STORE}), ids=lambda it: it.name
)
def test_a_document_that_uses_the_store_shows_where_the_keys_come_from(document: Path) -> None:
    """By the command that exports them, or by a link to the document that has it."""
    assert EXPORTS_KEYS.search((ROOT / "docs" / "operations" / "tenants.md").read_text())
    text = document.read_text()
    assert EXPORTS_KEYS.search(text) or "(operations/tenants.md)" in text


class _Cluster(BaseHTTPRequestHandler):
    """Answers as Alertmanager's silences and as a tenant's model service."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        matcher = {"name": "namespace", "value": "tenant-a", "isRegex": False, "isEqual": True}
        silence: dict[str, Any] = {
            "id": "ID",
            "matchers": [matcher],
            "endsAt": "2026-01-01T02:00:00Z",
            "createdBy": "on-call",
        }
        silence |= {"comment": "a reason", "status": {"state": "active"}}
        answers: dict[str, Any] = {"/api/v2/silences": {"silenceID": "ID"} if self.command == "POST" else [silence]}
        answer = answers.get(self.path, silence if "silence/" in self.path else {"prediction": "spam", "confidence": 1})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class looks for these names

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


class EmptyCluster:
    """An API server without any of our objects."""

    def metadata(self, _kind: str, _selector: str) -> list[dict[str, object]]:
        """No object."""
        return []

    def annotate(self, *_: str) -> None:
        """Is not called, because the stand-in for kubectl applies nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Port of the server to which the stand-in for kubectl forwards."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Cluster) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Path:
    """A project with a cluster and a store: three tenants, two published versions per tenant, and trained models."""
    folder = tmp_path / "project"
    folder.mkdir()
    tenants = EXAMPLE.read_text() + "\n  - name: tenant-c\n    model: s3://models/tenant-c/spam\n"
    (folder / "platform.yaml").write_text(tenants)
    shutil.copytree(example_dist(), folder / "dist")
    shutil.copytree(example_dist(), folder / "dist" / "east")  # as docs/scale.md has it
    store = MemoryStore()
    monkeypatch.setattr(bucket, "_open_s3", lambda *_: store)
    for count in (2, 3):
        rows = [Row(f"{text} {each}", label) for label, some in TEXTS.items() for text in some for each in range(count)]
        write(tmp_path / f"model{count}", train(Dataset.from_rows(rows, "older")).artifact)
        for tenant in ("tenant-a", "tenant-b", "tenant-c"):
            publish(tmp_path / f"model{count}", f"s3://models/{tenant}/spam", store=store)
    for name in ("spam", "mails", "mine"):
        write_tiny_model(folder / "build" / "models" / name)
    (tmp_path / "bin").mkdir()
    forwarded = {"says": f"Forwarding from 127.0.0.1:{port} -> 1\n"}
    context, groups = {"says": "kind-tenantry\n"}, {"says": '{"groups": []}'}
    FakePrograms(tmp_path / "bin", monkeypatch).add(
        "kubectl",
        {"port-forward": forwarded, "current-context": context, "/apis": groups, "get pods": {"says": NO_OBJECTS}},
    )
    monkeypatch.setattr(server, "connect", lambda _: nullcontext(EmptyCluster()))
    monkeypatch.chdir(folder)
    for variable in ("KUBECONFIG", "DRY_RUN", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CONFIRM", "kind-tenantry")
    monkeypatch.setenv("SKIP_PREFLIGHT", "the stand-in for kubectl has no API")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "publisher")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return folder


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", [each for each in PRINTED if each.words[1] in RUN], ids=str)
def test_the_command_succeeds_as_printed(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in command.variables:
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, list(command.words[1:]))
    assert done.exit_code == 0, done.output
