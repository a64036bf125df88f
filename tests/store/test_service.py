"""The service as a tenant's pod runs it, its model in a real S3 server: on a good day, and on a bad one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from inference import contract
from inference.model.manifest import MANIFEST_FILE, WEIGHTS_FILE
from inference.store.bucket import StoreSettings
from inference.store.registry import publish
from tests.models import write_tiny_model
from tests.service import Service, poll, service
from tests.store.conftest import S3Server

URI = "s3://models/tenant-a/served"
Run = Callable[..., AbstractContextManager[Service]]


@pytest.fixture
def pinned(publisher: StoreSettings, tmp_path: Path) -> str:
    """The address of a published model that answers."""
    return str(publish(write_tiny_model(tmp_path / "model"), URI, publisher).uri)


@pytest.fixture
def run(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the service with the settings that `dist/` gives a pod of tenant-a."""
    for name, value in {
        contract.STORE_ENDPOINT_ENV: server.endpoint,
        contract.STORE_REGION_ENV: "us-east-1",
        contract.STORE_ALLOW_HTTP_ENV: "true",
        contract.STORE_VIRTUAL_HOSTED_ENV: "false",
        contract.STORE_ACCESS_KEY_ENV: "tenantry-tenant-a",
        contract.STORE_SECRET_KEY_ENV: "secret-of-tenantry-tenant-a",
        "INFERENCE_STORE_RETRIES": "0",
        "INFERENCE_LOAD_RETRY_SECONDS": "0.05",
        "INFERENCE_LOAD_RETRY_MAX_SECONDS": "0.1",
    }.items():
        monkeypatch.setenv(name, value)

    def run(uri: str, **options: Any) -> AbstractContextManager[Service]:
        return service(Path("unused"), tmp_path / "log", model_uri=uri, **options)

    return run


@pytest.fixture
def away(server: S3Server) -> Iterator[S3Server]:
    """The server, which the test may stop: it is back afterwards."""
    yield server
    if server.process is None:
        server.start()


def _predict(running: Service) -> httpx.Response:
    return httpx.post(f"{running.url}{contract.PREDICT_PATH}", json={"text": "win money now"}, trust_env=False)


def _status(running: Service, path: str) -> int:
    return httpx.get(f"{running.url}{path}", trust_env=False).status_code


@pytest.mark.parametrize("pin", [True, False], ids=["pinned", "newest"])
def test_serves_the_model_of_the_store(run: Run, pinned: str, *, pin: bool) -> None:
    digest = pinned.rpartition(":")[2]
    with run(pinned if pin else URI) as running:
        assert _predict(running).json()["prediction"] == "spam"
        series = [name for name in running.metrics() if name.startswith(contract.MODEL_INFO)]
        assert len(series) == 1
        assert digest in series[0]


def test_a_store_that_is_down_at_the_start_is_waited_for(run: Run, pinned: str, away: S3Server) -> None:
    """Alive and not ready while the store is away; ready when it is back, without a restart."""
    away.stop()
    with run(pinned, wait=contract.LIVENESS_PATH) as running:
        assert _status(running, contract.READINESS_PATH) == httpx.codes.SERVICE_UNAVAILABLE
        assert _predict(running).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert poll(lambda: "does not answer" in running.log.read_text())
        away.start()
        assert poll(lambda: _status(running, contract.READINESS_PATH) == httpx.codes.OK)
        assert _predict(running).status_code == httpx.codes.OK


def test_a_store_that_goes_down_later_is_not_missed(run: Run, pinned: str, away: S3Server) -> None:
    with run(pinned) as running:
        away.stop()
        assert all(_predict(running).status_code == httpx.codes.OK for _ in range(50))
        assert _status(running, contract.READINESS_PATH) == httpx.codes.OK


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
def test_a_model_that_was_changed_in_the_store_is_not_served(
    run: Run, pinned: str, server: S3Server, name: str
) -> None:
    kept = server.file("models", f"tenant-a/served/{pinned.rpartition(':')[2]}/{name}")
    original = kept.read_bytes()
    kept.write_bytes(original[:-2] + b"!!")
    try:
        _ends_with_one_line(run, pinned, name)
    finally:
        kept.write_bytes(original)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://models/tenant-b/served", "denied"),
        ("s3://nowhere/tenant-a/served", "no bucket 'nowhere'"),
        (f"{URI}@sha256:{'0' * 64}", f"tenant-a/served/{'0' * 64}/manifest.json"),
    ],
)
def test_what_only_a_person_can_mend_ends_the_start(run: Run, pinned: str, uri: str, said: str) -> None:
    assert pinned != uri
    _ends_with_one_line(run, uri, said)


def test_a_pod_without_its_keys_ends_the_start(run: Run, pinned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(contract.STORE_SECRET_KEY_ENV)
    _ends_with_one_line(run, pinned, contract.STORE_SECRET_KEY_ENV)


def _ends_with_one_line(run: Run, uri: str, said: str) -> None:
    with run(uri, wait="") as running:
        assert running.process.wait(30) not in {0, -9, -15}
        errors = [line for line in running.lines() if line.get("level") in {"error", "critical"}]
        assert len(errors) == 1
        assert said in str(errors[0])
        assert "Traceback" not in running.log.read_text()
