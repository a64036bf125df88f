"""How a process starts, waits for its model, and fails to start."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.models import write_tiny_model
from tests.service import DidNotStartError, poll, service


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


def test_a_service_that_did_not_start_shows_its_log(tmp_path: Path, log: Path) -> None:
    """The tests' own helper shows the log of a service that did not start."""
    with pytest.raises(DidNotStartError, match="start failed"), service(tmp_path / "none", log):
        pass
