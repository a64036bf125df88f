"""A process's life: how it starts, fails to start, waits, sheds and ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.models import write_tiny_model
from tests.ports import free_port
from tests.service import DidNotStartError, Service, answers, poll, read_all, service

BODY = b'{"text": "free money"}'
BLOCK_SIGNALS = ["env", "--block-signal=TERM,INT"]
"""How the image's command starts Python."""
SLOW_BODY = json.dumps({"text": ["free money " * 2_000] * 60, "explain": True}).encode()
SLOWER_BODY = json.dumps({"text": ["free money " * 2_000] * 240, "explain": True}).encode()
SLOW: dict[str, Any] = {
    "offload_bytes": 1_000, "max_body_bytes": 10_000_000, "max_explained_characters": 10_000_000,
}  # fmt: skip
"""Takes the thread a good while: an explanation is plain Python."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def request(body: bytes = BODY) -> bytes:
    """A prediction's bytes."""
    return b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def truncate_weights(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])


def tamper(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)


def make_too_new(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(re.sub(r'"format": \d+', '"format": 99', manifest.read_text()))


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (remove_manifest, "manifest.json"),
        (truncate_weights, "truncated"),
        (tamper, "it was changed"),
        (make_too_new, "newer image"),
    ],
)
def test_a_model_that_is_not_sound_ends_the_start(
    tmp_path: Path, log: Path, harm: Callable[[Path], None], word: str
) -> None:
    """One clear line and exit code 1; never ready, never a traceback."""
    folder = write_tiny_model(tmp_path / "model")
    harm(folder)
    with service(folder, log, wait="") as found:
        assert found.process.wait(30) == 1
    failures = [line for line in found.lines() if line["level"] == "error"]
    assert [line["event"] for line in failures] == ["start failed"]
    assert word in failures[0]["error"]
    assert "Traceback" not in log.read_text()


def test_a_wrong_setting_ends_the_start(model: Path, log: Path) -> None:
    """Exit code 2, and the variable's name, what was wrong, and what it was."""
    with service(model, log, wait="", max_in_flight="many") as found:
        assert found.process.wait(30) == 2
    (line,) = found.lines()
    assert "INFERENCE_MAX_IN_FLIGHT" in line["error"]
    assert line["value"] == "'many'"


def test_a_taken_port_ends_the_start(model: Path, log: Path) -> None:
    """Exit code 1, and which port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with service(model, log, wait="", port=port) as found:
            assert found.process.wait(30) == 1
    (line,) = found.lines()
    assert f"port {port}" in line["error"]


@pytest.fixture
def store(model: Path) -> Iterator[HTTPServer]:
    """A stand-in for an S3 server: 503 until `well` is set, then the model under any key that ends in a file's name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.server.well.is_set():  # type: ignore[attr-defined]
                self.send_error(503)
                return
            content = (model / Path(self.path).name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Tue, 24 Nov 2026 12:00:00 GMT")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.well = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_waits_for_a_store_that_is_away(
    model: Path, log: Path, store: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store does not answer the process lives, is not ready and tries again; then it serves."""
    import hashlib  # noqa: PLC0415

    digest = hashlib.sha256((model / "manifest.json").read_bytes()).hexdigest()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.server_port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }.items():
        monkeypatch.setenv(name, value)
    uri = f"s3://models/tenant-a/spam@sha256:{digest}"
    waiting: dict[str, Any] = {"store_retries": 0, "load_retry_seconds": 0.1, "load_retry_max_seconds": 0.2}
    with service(model, log, wait="/healthz", model_uri=uri, **waiting) as found:
        assert poll(lambda: found.events().count("model store unavailable") >= 2)
        assert found.ask("/readyz")[0] == 503
        assert found.ask("/healthz")[0] == 200
        store.well.set()  # type: ignore[attr-defined]
        assert poll(lambda: found.ask("/readyz")[0] == 200)
        assert found.stop() == 0


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


def test_sheds_above_the_limit_and_says_when_to_come_back(model: Path, log: Path) -> None:
    """With the places taken: 429 with Retry-After in the protocol's own way; health and metrics are answered."""
    with service(model, log, max_in_flight=2, max_peer_share=1, **SLOW) as found:
        slow = [found.connect(60) for _ in range(2)]
        for client in slow:
            client.sendall(request(SLOWER_BODY)[:-1])
        assert httpx.get(f"{found.url}/healthz", trust_env=False).status_code == 200, "those have been read by now"
        for client in slow:  # whole at once: else the scrape might take the second one's place
            client.sendall(SLOWER_BODY[-1:])
        assert poll(lambda: found.metrics()["inference_requests_in_flight"] == 3)
        refused = httpx.post(f"{found.url}/predict", content=BODY, trust_env=False)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["content-type"] == "application/problem+json"
        protocols = httpx.post(f"{found.url}/v2/models/spam/infer", content=b"{}", trust_env=False)
        assert (protocols.status_code, list(protocols.json())) == (429, ["error"])
        for path in ("/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"):
            assert found.ask(path)[0] == 200
        for client in slow:
            assert answers(client.recv(10_000_000))[0][0] == 200
            client.close()
        metrics = found.metrics()
        assert metrics['inference_requests_shed_total{reason="in_flight"}'] == 2
        assert metrics['inference_requests_total{outcome="shed",route="predict"}'] == 1
        assert metrics['inference_requests_total{outcome="shed",route="infer"}'] == 1
        assert metrics['inference_requests_total{outcome="client_error",route="predict"}'] == 0
        assert found.events().count("requests shed") == 1


def test_long_texts_do_not_hold_up_the_others(model: Path, log: Path) -> None:
    """While a long request is scored in its thread, short ones are answered."""
    with service(model, log, **SLOW) as found, found.connect(60) as client:
        client.sendall(request(SLOWER_BODY))
        assert poll(lambda: found.metrics()["inference_requests_in_flight"] == 2), "the long one has been read"
        assert found.ask("/predict", BODY)[0] == 200
        assert found.metrics()["inference_requests_in_flight"] == 2, "the long one is not yet answered"
        assert answers(client.recv(10_000_000))[0][0] == 200


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


def test_says_little_and_never_a_text(model: Path, log: Path) -> None:
    """One line each for start, model, drain and stop; nothing for a thousand requests, good or bad."""
    with service(model, log) as found:
        with httpx.Client(trust_env=False) as client:
            for body in (
                b'{"text": "confidential"}',
                b'{"text": "confidential',
                b'{"confidential": 1}',
                b"confidential",
            ):
                for path in ("/predict", "/v2/models/spam/infer", "/confidential"):
                    client.post(f"{found.url}{path}?confidential=1", content=body)
        found.exchange(b"confidential\r\n\r\n")
        found.stop()
    assert found.events() == ["serving", "model loaded", "draining", "stopped"]
    assert "confidential" not in log.read_text()


def test_logs_answers_when_asked_to(model: Path, log: Path) -> None:
    """The access log says route, status and time, and no more."""
    with service(model, log, access_log=True) as found:
        httpx.post(f"{found.url}/predict", content=b'{"text": "confidential"}', trust_env=False)
        found.stop()
    lines = [line for line in found.lines() if line["event"] == "answered" and line["route"] == "predict"]
    assert [line["status"] for line in lines] == [200]
    assert "confidential" not in log.read_text()


def test_many_clients_at_once(model: Path, log: Path) -> None:
    """Forty connections with fifty requests each: every one is answered, and counted once."""

    def ask(found: Service) -> set[int]:
        with httpx.Client(trust_env=False) as client:
            return {client.post(f"{found.url}/predict", content=BODY).status_code for _ in range(50)}

    with service(model, log) as found:
        with ThreadPoolExecutor(40) as pool:
            assert set().union(*pool.map(ask, [found] * 40)) == {200}
        assert found.metrics()['inference_requests_total{outcome="ok",route="predict"}'] == 2_000


def test_the_collector_is_kept_from_what_is_no_garbage(model: Path) -> None:
    """What is loaded is not looked at again, nor is it called by the parts of a large body: it would hold up all."""
    program = """if True:
        import gc, sys
        from inference import __main__; from inference.serving.http import server
        server.Server.run = lambda _, sockets: print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] >= 50_000)
        sys.exit(__main__.main())
    """
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": "0"}
    ran = subprocess.run([sys.executable, "-c", program], env=os.environ | settings, capture_output=True, check=True)
    assert ran.stdout.split() == [b"True", b"True"]


def test_it_forks_nothing(model: Path, log: Path) -> None:
    """One process a pod: there is one set of metrics, and it is whole."""
    with service(model, log) as found:
        children = Path(f"/proc/{found.process.pid}/task/{found.process.pid}/children")
        assert not children.exists() or not children.read_text()
        assert os.getpgid(found.process.pid) == os.getpgid(0)


def test_did_not_start_is_told(tmp_path: Path, log: Path) -> None:
    """The tests' own helper shows the log of a service that did not start."""
    with pytest.raises(DidNotStartError, match="start failed"), service(tmp_path / "none", log):
        pass


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


@pytest.mark.parametrize("name", ["closed", "full", "blocked"])
def test_a_dead_standard_output_changes_nothing(model: Path, tmp_path: Path, name: str) -> None:
    """Requests are shed with 429 and SIGTERM drains, whether the log is not read, the disk is full, or it is closed."""
    port = free_port()
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": str(port),
                "INFERENCE_MAX_BUFFERED_BYTES": "2097152", "INFERENCE_ACCESS_LOG": "true",
                "INFERENCE_DRAIN_NOTICE_SECONDS": "0"}  # fmt: skip
    reading, writing = os.pipe()
    output = writing if name != "full" else os.open("/dev/full", os.O_WRONLY)
    if name == "blocked":
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b" " * 4_096)
        os.set_blocking(writing, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "inference"], env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT
    )
    with process:
        os.close(writing)
        if name == "closed":
            os.close(reading)
        found = Service(process, tmp_path / "none", port)
        assert poll(lambda: _is_ready(found), 30)
        with found.connect() as holder:
            holder.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b" " * 1_500_000)
            assert answers(read_all(holder))[0][0] == 429
        for _ in range(20):
            assert found.ask("/predict", BODY)[0] == 200
        assert found.stop(seconds=15) == 0


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


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ValueError('odd')", "odd"),
        ("MemoryError()", "MemoryError"),
        ("RecursionError()", "RecursionError"),
        ("BaseException('panic')", "panic"),
    ],
)
def test_whatever_loading_raises_ends_the_start(model: Path, kind: str, text: str) -> None:
    """One line and exit code 1, instead of a process that is never ready."""
    program = f"""if True:
        import sys
        from inference import __main__; from inference.serving import application, logs
        async def load_model(_): raise {kind}
        application.load_model = load_model
        code = __main__.main(); logs.flush(); sys.exit(code)
    """
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": "0"}
    ran = subprocess.run([sys.executable, "-c", program], env=os.environ | settings, capture_output=True, check=False)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 1
    assert [line["event"] for line in lines if line["level"] == "error"] == ["start failed"]
    assert text in next(line["error"] for line in lines if line["level"] == "error")
    assert not ran.stderr


def test_without_its_packages_the_runtime_onnx_says_what_to_install(model: Path) -> None:
    """One line and exit code 1, before anything is loaded."""
    program = """if True:
        import sys
        sys.modules["onnxruntime"] = None
        from inference import __main__; from inference.serving import logs
        code = __main__.main(); logs.flush(); sys.exit(code)
    """
    settings = {"INFERENCE_MODEL_URI": model.as_uri(), "INFERENCE_HOST": "127.0.0.1", "INFERENCE_PORT": "0"}
    environment = os.environ | settings | {"INFERENCE_RUNTIME": "onnx"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert ran.returncode == 1
    (failure,) = [json.loads(line) for line in ran.stdout.splitlines()]
    assert failure["error"].startswith("runtime 'onnx' needs the package onnxruntime: use the image 'onnx', or pip")


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


def _is_ready(found: Service) -> bool:
    try:
        return found.ask("/readyz")[0] == 200
    except (OSError, ValueError):
        return False
