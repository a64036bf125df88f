"""What a process does while it serves: it sheds, logs, and answers many clients at once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.service import Service, answers, poll, read_all, service
from tests.unit.inference.serving.http.predictions import BODY, SLOW, SLOWER_BODY, request


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


def _is_ready(found: Service) -> bool:
    try:
        return found.ask("/readyz")[0] == 200
    except (OSError, ValueError):
        return False
