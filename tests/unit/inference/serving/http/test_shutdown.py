"""How a process ends: what it still answers, what it cuts off, and when."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from tests.service import answers, poll, read_all, service
from tests.unit.inference.serving.http.predictions import SLOW, SLOW_BODY, request

BLOCK_SIGNALS = ["env", "--block-signal=TERM,INT"]
"""How the image's command starts Python."""


def test_finishes_what_has_begun_before_it_ends(model: Path, log: Path) -> None:
    """After SIGTERM: not ready at once, requests under way and new ones answered and closed, then exit code 0."""
    with service(model, log, **SLOW, drain_notice_seconds=4) as found:
        with found.connect(60) as slow, found.connect() as kept, found.connect() as idle:
            slow.sendall(request(SLOW_BODY))
            kept.sendall(request())
            kept.recv(10_000)
            assert poll(lambda: found.metrics()["inference_requests_in_flight"] == 2)
            found.process.send_signal(signal.SIGTERM)
            assert poll(lambda: "draining" in found.events())
            assert found.ask("/readyz")[0] == 503
            assert found.ask("/healthz")[0] == 200
            kept.sendall(request())
            status, headers, _ = answers(read_all(kept))[0]
            assert (status, headers["connection"]) == (200, "close")
            status, headers, _ = answers(read_all(slow))[0]
            assert (status, headers["connection"]) == (200, "close")
            assert read_all(idle) == b""
        assert found.process.wait(10) == 0
    assert found.events()[-2:] == ["draining", "stopped"]


def test_cuts_off_what_does_not_end(model: Path, log: Path) -> None:
    """A request that never becomes whole does not hold the process beyond its time: it is refused."""
    with service(model, log, drain_seconds=0.5) as found, found.connect() as client:
        client.sendall(request()[:-3])
        assert poll(lambda: found.metrics() is not None)
        began = time.monotonic()
        assert found.stop() == 0
        assert time.monotonic() - began < 10
        status, headers, _ = answers(read_all(client))[0]
        assert (status, headers["connection"]) == (503, "close")
    assert "drain cut off" in found.events()


def test_ctrl_c_skips_the_notice(model: Path, log: Path) -> None:
    """A person at a terminal does not wait for balancers."""
    with service(model, log, drain_notice_seconds=20) as found:
        assert found.stop(signal.SIGINT, seconds=10) == 0


def test_does_not_wait_for_a_silent_store_when_told_to_stop(
    model: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that takes the connection and says nothing keeps no process from ending."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        for name, value in {"ALLOW_HTTP": "true", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        uri = f"s3://models/tenant-a/spam@sha256:{'0' * 64}"
        with service(model, log, wait="/healthz", model_uri=uri, store_read_timeout_seconds=60) as found:
            assert found.stop(seconds=15) == 0


def test_a_client_that_never_reads_does_not_keep_the_process_alive(model: Path, log: Path) -> None:
    """After the drain's deadline connections are aborted, whatever waits in their buffers."""
    with service(model, log, drain_seconds=1, body_timeout_seconds=60) as found:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", found.port))
        client.settimeout(0.2)
        with suppress(TimeoutError):
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 50_000)
        assert found.stop(seconds=15) == 0
        client.close()
    assert "drain cut off" in found.events()


def test_the_process_ends_although_a_thread_does_not(model: Path) -> None:
    """A request that is scored for ever does not outlive the drain."""
    program = """if True:
        import sys, time
        from inference import __main__; from inference.serving.endpoints import texts
        texts.PredictEndpoint._score = lambda *_: time.sleep(100)
        sys.exit(__main__.main())
    """
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": "0",
                "INFERENCE_OFFLOAD_BYTES": "1", "INFERENCE_DRAIN_SECONDS": "1"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | settings | {"INFERENCE_DRAIN_NOTICE_SECONDS": "0"},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout
        port = json.loads(process.stdout.readline())["port"]
        process.stdout.readline()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(request())
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0


@pytest.mark.parametrize(
    ("moment", "as_first"),
    [*product(["first handler", "imports", "serving"], [False, True]), ("before Python begins", True)],
)
def test_sigterm_during_start_ends_with_0(model: Path, log: Path, moment: str, as_first: bool) -> None:  # noqa: FBT001
    """Before it listens, while it loads, and after; also as process 1 of a container, by the image's command."""
    if as_first and not can_unshare():
        pytest.skip("this user may not make a PID namespace")
    command = ["unshare", "--pid", "--fork", "--kill-child", *BLOCK_SIGNALS] if as_first else []
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": "0",
                "INFERENCE_DRAIN_NOTICE_SECONDS": "0"}  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, sys.executable, "-m", "inference"], env=os.environ | settings, stdout=output, stderr=output
        )
    with process:
        target = process.pid
        if as_first:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            target = int(poll(children.read_text, pause_seconds=0))
        folder = Path(f"/proc/{target}")
        try:
            assert poll(
                {
                    "before Python begins": lambda: (
                        is_program(folder, "env", "python") and has_signal(folder, "SigBlk", signal.SIGTERM)
                    ),
                    "first handler": lambda: has_signal(folder, "SigCgt", signal.SIGTERM),
                    "imports": lambda: "uvloop" in (folder / "maps").read_text(),
                    "serving": lambda: "serving" in log.read_text(),
                }[moment],
                pause_seconds=0 if moment == "before Python begins" else 0.02,
            )
            os.kill(target, signal.SIGTERM)
            assert process.wait(15) == 0
        finally:
            with suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
    assert "Traceback" not in log.read_text()


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, capture_output=True).returncode == 0


def is_program(folder: Path, *names: str) -> bool:
    """Whether a process, by its folder in /proc, runs one of these programs; before, it is a copy of its parent."""
    return (folder / "comm").read_text().startswith(names)


def has_signal(folder: Path, field: str, number: int) -> bool:
    """Whether a signal is in a set of a process, such as SigCgt (handled); `folder` is the process's in /proc."""
    found = next(line.split()[1] for line in (folder / "status").read_text().splitlines() if line.startswith(field))
    return bool(int(found, 16) & 1 << (number - 1))
