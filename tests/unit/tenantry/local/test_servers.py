"""Serving tenants on this machine, with the real service and a tiny model."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from inference import contract
from tenantry import processes
from tenantry.cli import app
from tenantry.commands import demo
from tenantry.errors import CommandError, InputError
from tenantry.local import servers as local_servers
from tests.example_platform import EXAMPLE
from tests.models import write_tiny_model
from tests.ports import free_ports

TENANTS = ("tenant-a", "tenant-b")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space in its path, that holds a model."""
    return write_tiny_model(tmp_path_factory.mktemp("some models") / "tiny")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it has the platform.yaml as shipped, and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "platform.yaml").write_bytes(EXAMPLE.read_bytes())
    return tmp_path


@pytest.fixture
def started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that the command starts."""
    assert folder.is_dir()
    found: list[subprocess.Popen[bytes]] = []
    start = processes.start

    def remember(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        found.append(start(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(processes, "start", remember)
    return found


@pytest.fixture
def port() -> int:
    """The first of enough free ports for all tenants."""
    return free_ports(len(TENANTS) + 1)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((local_servers.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_each_tenant_has_its_own_process_and_port(
    started: list[subprocess.Popen[bytes]], model: Path, port: int
) -> None:
    """All of them answer inside the block; none is left after it, and each has ended by itself."""
    with local_servers.serving(TENANTS, model=model, first_port=port, stop=threading.Event()) as servers:
        assert [server.tenant for server in servers] == list(TENANTS)
        assert len({server.port for server in servers}) == len({server.process.pid for server in servers}) == 2
        for server in servers:
            assert json.loads(server.ask('{"text": "win money"}'))["prediction"] == "spam"
    assert [process.returncode for process in started] == [0, 0]


def test_a_taken_port_is_left_out_and_said(
    started: list[subprocess.Popen[bytes]], model: Path, taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next free one is used instead."""
    with local_servers.serving(TENANTS[:1], model=model, first_port=taken, stop=threading.Event()) as (server,):
        assert server.port > taken
    assert f"port {taken} is not free" in capsys.readouterr().err
    assert len(started) == 1


@pytest.mark.usefixtures("folder")
def test_no_free_port_is_the_users_to_solve(model: Path, monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """The message names the range and the option."""
    monkeypatch.setattr(local_servers, "LAST_PORT", taken)
    with (
        pytest.raises(InputError, match=rf"no free port from {taken} to {taken}; .*--port"),
        local_servers.serving(TENANTS, model=model, first_port=taken, stop=threading.Event()),
    ):
        pytest.fail("nothing can be served")


def test_a_failing_start_shows_why_and_leaves_nothing(
    started: list[subprocess.Popen[bytes]], tmp_path: Path, port: int
) -> None:
    """A broken model ends every tenant; the service's own words are in the message."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    with (
        pytest.raises(
            CommandError, match=r"^tenant-[ab] ended with exit code 1: manifest.json cannot be read: .*\(see build/log/"
        ),
        local_servers.serving(TENANTS, model=broken, first_port=port, stop=threading.Event()),
    ):
        pytest.fail("a broken model cannot be served")
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_tenant_that_dies_ends_the_command(
    started: list[subprocess.Popen[bytes]], model: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are stopped, and it says who ended, and how."""

    def pages(server: local_servers.TenantServer) -> Iterator[tuple[str, str]]:
        if server.tenant == "tenant-b":
            server.process.kill()
        yield "page", server.url

    monkeypatch.setattr(local_servers.TenantServer, "pages", pages)
    done = CliRunner().invoke(app, ["serve", "--model", str(model), "--port", str(port)])
    assert done.exit_code == 1
    assert "tenant-b ended by signal 9" in done.stderr
    assert [process.returncode for process in started] == [0, -signal.SIGKILL]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_ends_well_when_it_is_told_to(folder: Path, model: Path, port: int, number: signal.Signals) -> None:
    """It prints where the tenant answers; after the signal: exit code 0, and nobody listens any more."""
    arguments = ["--tenant", "tenant-b", "--model", str(model), "--port", str(port)]
    command = [sys.executable, "-m", "tenantry", "serve", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        urls: list[str] = []
        for line in process.stdout:
            urls += re.findall(rf"POST (\S+){contract.PREDICT_PATH}", line)
            if contract.METRICS_PATH in line:
                break
        (url,) = urls
        assert httpx.get(f"{url}{contract.METRICS_PATH}", trust_env=False).is_success
        os.kill(process.pid, number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "")
    assert errors.endswith("stopped\n")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_a_model_is_served_without_a_platform_file(
    tmp_path: Path, model: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process, named after the model's folder; a platform file that was asked for must still exist."""
    monkeypatch.chdir(tmp_path)
    served: list[str] = []

    @contextmanager
    def serving(names: Sequence[str], **_options: Any) -> Iterator[tuple[local_servers.TenantServer, ...]]:
        served.extend(names)
        os.kill(os.getpid(), signal.SIGTERM)
        yield ()

    monkeypatch.setattr(local_servers, "serving", serving)
    done = CliRunner().invoke(app, ["serve", "--model", str(model), "--port", str(port)])
    assert (done.exit_code, served) == (0, [model.name]), done.output
    for missing in (["--file", "other.yaml"], ["--tenant", "tenant-a"]):
        assert CliRunner().invoke(app, ["serve", "--model", str(model), *missing]).exit_code == 2


@pytest.mark.usefixtures("folder")
def test_serve_refuses_an_unknown_tenant(model: Path) -> None:
    """Exit code 2, and the message lists those that there are."""
    done = CliRunner().invoke(app, ["serve", "--tenant", "tenant-z", "--model", str(model)])
    assert done.exit_code == 2
    assert "platform.yaml has no tenant 'tenant-z'; it has tenant-a, tenant-b" in done.stderr


@pytest.mark.usefixtures("folder")
def test_serve_without_a_model_says_how_to_make_one() -> None:
    """Exit code 2, and the command to type."""
    done = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 2
    assert "tenantry train --output build/models/spam" in done.stderr


def test_demo_writes_trains_serves_asks_and_ends(
    started: list[subprocess.Popen[bytes]], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tenant's answers are printed as JSON; a second demo does not train."""
    steps: list[str] = []

    def run(command: list[str], *, stop: threading.Event, doing: str) -> None:
        assert not stop.is_set()
        steps.append(doing)
        if "train" in command:
            write_tiny_model(Path(command[command.index("--output") + 1]))

    monkeypatch.setattr(processes, "run", run)
    for expected in (["writing dist/", "training the model"], ["writing dist/"]):
        steps.clear()
        done = CliRunner().invoke(app, ["demo", "--format", "json", "--port", str(port)])
        assert done.exit_code == 0, done.output
        assert steps == expected
        records = json.loads(done.stdout)
        assert [record["tenant"] for record in records] == list(TENANTS)
        for record in records:
            assert len(record["exchanges"]) == len(demo.QUESTIONS)
            assert all(set(exchange["answer"]) >= {"prediction", "confidence"} for exchange in record["exchanges"])
    assert [process.returncode for process in started] == [0, 0, 0, 0]


@pytest.mark.usefixtures("started")
def test_demo_prints_request_answer_and_addresses(model: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sees what was asked, the service's very answer, and where docs and metrics are."""
    monkeypatch.setattr(processes, "run", lambda *_arguments, **_options: None)
    done = CliRunner().invoke(app, ["demo", "--model", str(model), "--port", str(port)])
    assert done.exit_code == 0, done.output
    assert done.stdout.count(f'/predict {{"text": "{demo.QUESTIONS[0]}"}}') == 2
    assert len(re.findall(r'^  {"prediction":"(?:spam|ham)","confidence":0\.\d+}$', done.stdout, re.MULTILINE)) == 4
    for path in (contract.DOCS_PATH, contract.METRICS_PATH):
        assert len(re.findall(rf"http://127\.0\.0\.1:\d+{path}$", done.stdout, re.MULTILINE)) == 2


def test_demo_stops_at_a_mistake_in_the_file(folder: Path) -> None:
    """Nothing is served, and the code says that the input was wrong."""
    (folder / "platform.yaml").write_text("tenants: []\n")
    done = CliRunner().invoke(app, ["demo"])
    assert done.exit_code == 2
    assert "platform.yaml" in done.stderr


def test_demo_refuses_a_wrong_folder_before_it_writes(folder: Path) -> None:
    """Only the demo's own model is trained where it is missing."""
    done = CliRunner().invoke(app, ["demo", "--model", "nowhere"])
    assert done.exit_code == 2
    assert "--model nowhere: no model there" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["platform.yaml"]
