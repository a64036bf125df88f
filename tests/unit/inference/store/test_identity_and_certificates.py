"""A store with a certificate of a private authority, and keys from an identity's token, against a stand-in with TLS."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inference.errors import StoreError, StoreUnavailableError
from inference.store.bucket import Bucket, StoreSettings
from tests.certificates import Authority

ROLE = "arn:aws:iam::123456789012:role/models-tenant-a"
CREDENTIALS = """\
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>session</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def store(certificate: Path, *, token: str = "valid", status: int = 403) -> Iterator[tuple[str, list[Any]]]:  # noqa: S107
    """A server that exchanges one token for keys, and shows objects to their owner.

    Yields:
        Its address, and the requests that it got: method, query, and key that signed it.
    """
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = {name: each[0] for name, each in parse_qs(urlsplit(self.path).query).items()}
            seen.append(query)
            right = query.get("WebIdentityToken", "").strip() == token and query["RoleArn"] == ROLE
            self._answer(
                *((200, CREDENTIALS) if right else (status, "<Error><Code>InvalidIdentityToken</Code></Error>"))
            )

        def do_GET(self) -> None:
            signature = self.headers["Authorization"]
            seen.append(signature)
            signed = "Credential=ASSUMED/" in signature and self.headers["x-amz-security-token"] == "session"
            allowed = signed or "Credential=key/" in signature
            self._answer(*((200, "content") if allowed else (403, "<Error><Code>AccessDenied</Code></Error>")))

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Fri, 27 Nov 2026 12:00:00 GMT")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield f"https://localhost:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def read(**settings: Any) -> bytes:
    return Bucket.open("models", StoreSettings(retries=0, **settings)).get("tenant-a/spam/latest.json", max_bytes=100)


KEYS = {"access_key_id": "key", "secret_access_key": "secret"}


def test_a_store_with_a_private_authority_is_read_with_its_certificate(authority: Authority) -> None:
    with store(authority.issue("localhost")) as (endpoint, _):
        assert read(endpoint=endpoint, ca_file=str(authority.file), **KEYS) == b"content"


def test_the_environment_names_the_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_STORE_CA_FILE", str(authority.file))
    with store(authority.issue("localhost")) as (endpoint, _):
        assert read(endpoint=endpoint, **KEYS) == b"content"


@pytest.mark.parametrize(
    ("certificate", "trusted", "message"),
    [
        (lambda by: by.issue("localhost"), False, "authority that is not trusted here: set modelStore.caBundle"),
        (lambda by: by.issue("localhost", days=-1), True, "has expired: renew it"),
        (lambda by: by.issue("other.example"), True, "is not valid for this host name: correct modelStore.endpoint"),
    ],
)
def test_a_certificate_that_is_refused_is_named_with_what_to_do(
    authority: Authority,
    certificate: Callable[[Authority], Path],
    trusted: bool,  # noqa: FBT001
    message: str,
) -> None:
    """The start ends: a retry would not help."""
    ca_file = str(authority.file) if trusted else ""
    with store(certificate(authority)) as (endpoint, _), pytest.raises(StoreError, match=message) as caught:
        read(endpoint=endpoint, ca_file=ca_file, **KEYS)
    assert f"the certificate of {endpoint}" in str(caught.value)
    assert not isinstance(caught.value, StoreUnavailableError)


def test_a_proxy_gets_every_request_and_is_named_when_it_does_not_answer() -> None:
    """The client never connects to the store itself: its name does not exist."""
    lines: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Fri, 27 Nov 2026 12:00:00 GMT")
            self.end_headers()
            self.wfile.write(b"content")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    settings = {"endpoint": "http://store.invalid:9000", "allow_http": True, **KEYS}
    proxy = f"http://127.0.0.1:{server.server_port}"
    try:
        assert read(**settings, proxy=proxy) == b"content"
    finally:
        server.shutdown()
        server.server_close()
    assert lines == ["http://store.invalid:9000/models/tenant-a/spam/latest.json"]
    with pytest.raises(StoreUnavailableError, match=f"store.invalid:9000 through the proxy {proxy} does not answer"):
        read(**settings, proxy=proxy)


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff"])
def test_a_file_without_certificates_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"INFERENCE_STORE_CA_FILE '.*ca.pem' does not contain certificates as PEM"):
        read(endpoint="https://localhost:9", ca_file=str(file), **KEYS)


def test_a_token_is_exchanged_for_keys_and_read_again(authority: Authority, tmp_path: Path) -> None:
    """Each client reads the file when it needs keys: the cluster replaces the token before it expires."""
    token = tmp_path / "token"
    token.write_text("valid")
    with store(authority.issue("localhost")) as (endpoint, seen):
        found = read(
            endpoint=endpoint,
            sts_endpoint=endpoint,
            role_arn=ROLE,
            token_file=str(token),
            ca_file=str(authority.file),
        )
    assert found == b"content"
    exchange, signature = seen
    assert (exchange["Action"], exchange["RoleArn"], exchange["WebIdentityToken"]) == (
        "AssumeRoleWithWebIdentity",
        ROLE,
        "valid",
    )
    assert "Credential=ASSUMED/" in signature


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (403, StoreError, r"the workload's identity is refused \(403 InvalidIdentityToken\): check modelStore"),
        (400, StoreError, r"the workload's identity is refused \(400 InvalidIdentityToken\)"),
        (503, StoreUnavailableError, r"the server that exchanges the identity's token does not answer as expected"),
    ],
)
def test_a_refused_token_is_reported_as_such_and_not_as_a_refused_key(
    authority: Authority, tmp_path: Path, status: int, error: type[StoreError], message: str
) -> None:
    token = tmp_path / "token"
    token.write_text("private-token")
    with (
        store(authority.issue("localhost"), status=status) as (endpoint, _),
        pytest.raises(error, match=message) as caught,
    ):
        read(
            endpoint=endpoint,
            sts_endpoint=endpoint,
            role_arn=ROLE,
            token_file=str(token),
            ca_file=str(authority.file),
        )
    assert type(caught.value) is error
    assert "private-token" not in str(caught.value)


def test_a_missing_token_is_named(authority: Authority, tmp_path: Path) -> None:
    with store(authority.issue("localhost")) as (endpoint, _), pytest.raises(StoreError, match="must name a file"):
        read(
            endpoint=endpoint,
            sts_endpoint=endpoint,
            role_arn=ROLE,
            token_file=str(tmp_path / "none"),
            ca_file=str(authority.file),
        )


@pytest.mark.parametrize("half", [{"role_arn": ROLE}, {"token_file": "token"}])
def test_half_an_identity_is_refused_before_anything_is_sent(half: dict[str, str]) -> None:
    with pytest.raises(StoreError, match="a role without a token, or a token without a role"):
        read(endpoint="https://localhost:9", **half)
