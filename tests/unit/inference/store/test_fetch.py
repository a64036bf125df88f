"""Reading models from folders and buckets, and what is said when it fails."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
import pytest
from obstore.store import MemoryStore

from inference.errors import StoreError, StoreUnavailableError
from inference.model.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES, WEIGHTS_FILE
from inference.store.bucket import StoreSettings, _open_s3
from inference.store.fetch import LATEST, MAX_LATEST_BYTES, fetch
from tests.artifacts import sealed

ARTIFACT = sealed()
FILES, DIGEST = ARTIFACT.files(), ARTIFACT.digest
OTHER = "0" * 64
URI = "s3://models/tenant-a/spam"


@pytest.fixture
def bucket() -> MemoryStore:
    """A bucket with one published version of one model."""
    store = MemoryStore()
    for name, data in FILES.items():
        obstore.put(store, f"tenant-a/spam/{DIGEST}/{name}", data)
    obstore.put(store, f"tenant-a/spam/{LATEST}", json.dumps({"digests": [DIGEST, OTHER]}).encode())
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def _settings(endpoint: str | None = "http://127.0.0.1:9", **overrides: Any) -> StoreSettings:
    return StoreSettings(
        **{
            "endpoint": endpoint,
            "access_key_id": "key",
            "secret_access_key": "secret",
            "allow_http": True,
            "retries": 0,
            **overrides,
        }
    )


@pytest.mark.parametrize("pin", ["", f"@sha256:{DIGEST}"])
@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_reads_a_folder_with_or_without_a_pin(folder: Path, form: str, pin: str) -> None:
    artifact = fetch(form.format(folder) + pin)
    assert artifact.files == FILES
    assert artifact.digest == DIGEST
    assert artifact.uri == f"file:{folder}@sha256:{DIGEST}"


def test_a_pin_reads_that_version_and_no_other(bucket: MemoryStore) -> None:
    obstore.put(bucket, f"tenant-a/spam/{LATEST}", json.dumps({"digests": [OTHER]}).encode())
    artifact = fetch(f"{URI}@sha256:{DIGEST}", store=bucket)
    assert artifact.files == FILES
    assert artifact.digest == DIGEST


def test_without_a_pin_the_newest_version_is_read_and_named(bucket: MemoryStore) -> None:
    artifact = fetch(URI, store=bucket)
    assert artifact.files == FILES
    assert artifact.uri == f"{URI}@sha256:{DIGEST}"


def test_a_changed_manifest_is_refused(bucket: MemoryStore) -> None:
    obstore.put(bucket, f"tenant-a/spam/{DIGEST}/{MANIFEST_FILE}", b'{"format": 1, "labels": ["evil"]}')
    for uri in (URI, f"{URI}@sha256:{DIGEST}"):
        with pytest.raises(StoreError, match=r"changed after it was published") as caught:
            fetch(uri, store=bucket)
        assert not isinstance(caught.value, StoreUnavailableError)


def test_a_folder_that_does_not_match_its_pin_is_refused(folder: Path) -> None:
    with pytest.raises(StoreError, match=rf"has the digest sha256:{DIGEST}"):
        fetch(f"file:{folder}@sha256:{OTHER}")


@pytest.mark.parametrize("missing", [MANIFEST_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(StoreError, match=rf"cannot read {folder / missing}: No such file"):
        fetch(str(folder))


@pytest.mark.parametrize("missing", [f"{DIGEST}/{MANIFEST_FILE}", f"{DIGEST}/{WEIGHTS_FILE}", LATEST])
def test_a_missing_object_is_named(bucket: MemoryStore, missing: str) -> None:
    obstore.delete(bucket, f"tenant-a/spam/{missing}")
    with pytest.raises(StoreError, match=rf"cannot read s3://models/tenant-a/spam/{missing}: there is no such object"):
        fetch(URI, store=bucket)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"digests": []}',
        b'{"digests": ["../.."]}',
        b'{"digests": [1]}',
        b"\xff",
        b"[" * 100_000,
        b'{"digests": ["' + b"A" * 100_000 + b'"]}',
        b'{"digests": ' + b"9" * 100_000 + b"}",
    ],
    ids=lambda text: f"{len(text)} bytes",
)
def test_a_spoilt_latest_file_is_refused(bucket: MemoryStore, text: bytes) -> None:
    obstore.put(bucket, f"tenant-a/spam/{LATEST}", text)
    with pytest.raises(StoreError, match=r"latest\.json does not hold a list of digests") as caught:
        fetch(URI, store=bucket)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        (LATEST, MAX_LATEST_BYTES),
        (f"{DIGEST}/{MANIFEST_FILE}", MAX_MANIFEST_BYTES),
        (f"{DIGEST}/{WEIGHTS_FILE}", len(FILES[WEIGHTS_FILE])),
    ],
)
def test_an_object_that_is_too_large_is_refused(bucket: MemoryStore, key: str, limit: int) -> None:
    obstore.put(bucket, f"tenant-a/spam/{key}", bytes(limit + 1))
    with pytest.raises(StoreError, match=f"has {limit + 1} bytes, where at most {limit} are expected") as caught:
        fetch(URI, store=bucket)
    assert not isinstance(caught.value, StoreUnavailableError)


@pytest.mark.parametrize("name", [MANIFEST_FILE, WEIGHTS_FILE])
def test_a_file_that_is_too_large_or_not_a_file_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.truncate(MAX_MANIFEST_BYTES + 1)
    with pytest.raises(StoreError, match="is not a file of at most"):
        fetch(str(folder))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(StoreError, match="is not a file of at most"):
        fetch(str(folder))


def test_a_wrong_address_is_a_store_error() -> None:
    with pytest.raises(StoreError, match="'ftp:' is not a supported scheme"):
        fetch("ftp://models/tenant-a/spam")


@pytest.mark.parametrize("missing", ["access_key_id", "secret_access_key"])
def test_a_missing_key_is_said_before_anything_is_sent(missing: str) -> None:
    with pytest.raises(StoreError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        fetch(URI, _settings(**{missing: ""}))


def test_an_endpoint_without_tls_has_to_be_allowed() -> None:
    with pytest.raises(StoreError, match="AWS_ALLOW_HTTP=true"):
        fetch(URI, _settings(allow_http=False))


def test_the_environment_is_what_the_contract_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://minio-api.minio.svc:9000",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "INFERENCE_STORE_RETRIES": "7",
    }.items():
        monkeypatch.setenv(name, value)
    settings = StoreSettings()
    assert settings.endpoint == "http://minio-api.minio.svc:9000"
    assert (settings.region, settings.access_key_id) == ("eu-west-1", "key")
    assert settings.secret_access_key.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)
    assert (settings.allow_http, settings.virtual_hosted, settings.retries) == (True, False, 7)


def test_an_endpoint_with_a_password_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hunter2@minio:9000")
    with pytest.raises(StoreError, match=r"AWS_ENDPOINT_URL 'http://\*\*\*@minio:9000'") as caught:
        fetch(URI)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["minio:9000", "http://minio:9000/path", "not a url", "ftp://minio"])
def test_an_endpoint_that_is_no_address_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(StoreError, match=f"AWS_ENDPOINT_URL '{endpoint}'") as caught:
        fetch(URI)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


Answer = tuple[int, str] | tuple[int, str, dict[str, str]]
Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A loopback server that gives the answers one after the other, the last one for ever; its address."""
    servers = []

    def start(*answers: Answer) -> str:
        left = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _error(code: str) -> str:
    return f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><AWSAccessKeyId>private</AWSAccessKeyId></Error>"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, _error("NoSuchBucket")), "no bucket 'models' at http://127"),
        ((404, _error("NoSuchKey")), "there is no such object at http://127"),
        ((403, _error("AccessDenied")), "denied by http://127"),
        ((403, _error("SignatureDoesNotMatch")), "(403 SignatureDoesNotMatch)"),
        ((401, ""), "denied by http://127"),
        ((400, _error("InvalidRequest")), "(400 InvalidRequest)"),
        ((301, ""), "the region or the endpoint is wrong"),
    ],
)
def test_what_only_a_person_can_mend_is_final_and_one_line(serve: Serve, answer: Answer, said: str) -> None:
    with pytest.raises(StoreError) as caught:
        fetch(f"{URI}@sha256:{DIGEST}", _settings(serve(answer)))
    assert not isinstance(caught.value, StoreUnavailableError)
    assert said in str(caught.value)
    assert f"cannot read s3://models/tenant-a/spam/{DIGEST}/manifest.json" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, "boom"), "(500)"),
        ((503, _error("SlowDown")), "(503 SlowDown)"),
        ((429, ""), "(429)"),
        ((408, ""), "(408)"),
    ],
)
def test_what_passes_is_worth_another_try(serve: Serve, answer: Answer, said: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        fetch(URI, _settings(serve(answer)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_at_the_endpoint_is_worth_another_try() -> None:
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:9 does not answer as expected \(.*refused"):
        fetch(URI, _settings())


def test_an_unknown_host_is_worth_another_try() -> None:
    with pytest.raises(StoreUnavailableError, match="lookup"):
        fetch(URI, _settings("http://minio-api.invalid:9000"))


def test_silence_is_worth_another_try() -> None:
    """It is not waited for longer than the setting says: far less than the client's own half minute."""
    began = time.monotonic()
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent,
        pytest.raises(StoreUnavailableError, match="timed out"),
    ):
        fetch(URI, _settings(f"http://127.0.0.1:{silent.server_port}", read_timeout_seconds=0.05))
    assert time.monotonic() - began < 20


def test_a_request_is_sent_again_when_the_store_stumbles(serve: Serve) -> None:
    stumble = (503, _error("SlowDown"))
    endpoint = serve(stumble, (200, FILES[MANIFEST_FILE].decode()), stumble, (200, FILES[WEIGHTS_FILE].decode()))
    assert fetch(f"{URI}@sha256:{DIGEST}", _settings(endpoint, retries=2)).files == FILES


def test_a_redirect_to_another_host_is_final_and_not_followed(serve: Serve) -> None:
    """What another host answers is never read: it could be any service that this one can reach."""
    elsewhere = serve((200, FILES[MANIFEST_FILE].decode())).replace("127.0.0.1", "localhost")
    endpoint = serve((307, "", {"Location": f"{elsewhere}/manifest.json"}))
    with pytest.raises(StoreError, match="redirects to another host") as caught:
        fetch(f"{URI}@sha256:{DIGEST}", _settings(endpoint))
    assert not isinstance(caught.value, StoreUnavailableError)


@pytest.mark.parametrize("virtual_hosted", [False, True])
def test_without_an_endpoint_only_amazons_host_can_be_reached(
    monkeypatch: pytest.MonkeyPatch, *, virtual_hosted: bool
) -> None:
    """The host that requests are signed for is the only one that is not behind the impossible proxy."""
    monkeypatch.setattr("inference.store.bucket.getproxies", dict)
    store = _open_s3("models", _settings(None, region="eu-west-1", virtual_hosted=virtual_hosted))
    signed = obstore.sign(store, "GET", "key", timedelta(minutes=1))
    assert store.client_options is not None
    assert store.client_options["proxy_url"] == "http://127.0.0.1:0"
    assert store.client_options["proxy_excludes"] == urlsplit(signed).hostname


def test_without_an_endpoint_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the only way to Amazon."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    options = _open_s3("models", _settings(None)).client_options
    assert options is not None
    assert "proxy_url" not in options


def test_an_object_that_trickles_in_is_given_up_at_the_deadline() -> None:
    """Each byte comes in time, so that only the total time-out can end the request."""
    stop = threading.Event()

    class Trickle(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not stop.wait(0.01):
                    self.wfile.write(b" ")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Trickle) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        settings = _settings(f"http://127.0.0.1:{server.server_port}", total_timeout_seconds=0.3, retry_seconds=0.3)
        try:
            with pytest.raises(StoreUnavailableError, match=r"cannot read s3://models/tenant-a/spam/latest\.json"):
                fetch(URI, settings)
        finally:
            stop.set()
            server.shutdown()


def test_an_error_code_of_any_length_makes_a_short_line(serve: Serve) -> None:
    with pytest.raises(StoreError) as caught:
        fetch(URI, _settings(serve((400, _error("A" * 100_000)))))
    assert len(str(caught.value)) < 300
