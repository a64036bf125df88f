"""A real S3 server (versitygw) on loopback, with the users and the rights that Terraform gives to MinIO's."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inference.store.bucket import StoreSettings
from tenantry import programs
from tenantry.errors import CommandError
from tests.ports import free_port
from tests.s3_admin import S3Admin, bucket_policies, user_policies

TENANTS = ["tenant-a", "tenant-b"]
BUCKETS = ("models", "datasets", "artifacts")
ROOT = ("root-admin", "root-secret")
_PATIENCE_SECONDS = 15


def _versitygw() -> str:
    try:
        return programs.find("versitygw")
    except CommandError:
        pytest.fail("versitygw is not on PATH: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")


@dataclass
class S3Server:
    """The server; it can be stopped and started again on the same port, with the same objects."""

    program: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def file(self, bucket: str, key: str) -> Path:
        """Where the server keeps an object."""
        return self.folder / "data" / bucket / key

    def start(self) -> None:
        for name in ("data", "iam"):
            (self.folder / name).mkdir(exist_ok=True)
        options = ["--port", f"127.0.0.1:{self.port}", "--iam-dir", str(self.folder / "iam"), "--health", "/health"]
        command = [self.program, *options, "--iam-cache-disable", "--quiet", "posix", str(self.folder / "data")]
        keys = {"ROOT_ACCESS_KEY": ROOT[0], "ROOT_SECRET_KEY": ROOT[1]}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=log, stderr=log)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_healthy():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "versitygw did not come up"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_PATIENCE_SECONDS)
            self.process = None

    def add_user(self, name: str) -> None:
        keys = ["--access", ROOT[0], "--secret", ROOT[1], "--endpoint-url", self.endpoint]
        user = ["create-user", "--access", name, "--secret", f"secret-of-{name}", "--role", "user"]
        subprocess.run([self.program, "admin", *keys, *user], check=True, capture_output=True, timeout=30)

    def settings(self, user: str, **overrides: Any) -> StoreSettings:
        """How `user` reaches this server."""
        secret = ROOT[1] if user == ROOT[0] else f"secret-of-{user}"
        values = {"endpoint": self.endpoint, "access_key_id": user, "secret_access_key": secret, "allow_http": True}
        return StoreSettings(**{**values, "retries": 0, **overrides})

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/health", timeout=1):  # noqa: S310 - our own loopback address
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server with the three buckets, a user per tenant, the publisher, and Terraform's policies."""
    server = S3Server(_versitygw(), tmp_path_factory.mktemp("s3"))
    server.start()
    try:
        admin = S3Admin(endpoint=server.endpoint, access_key_id=ROOT[0], secret_access_key=ROOT[1])
        for bucket in BUCKETS:
            admin.make_bucket(bucket)
        policies = user_policies(TENANTS, tmp_path_factory.mktemp("terraform"))
        for user in policies:
            server.add_user(user)
        for bucket, policy in bucket_policies(policies).items():
            admin.set_policy(bucket, policy)
        yield server
    finally:
        server.stop()


@pytest.fixture
def publisher(server: S3Server) -> StoreSettings:
    """How `tenantry publish` reaches the server."""
    return server.settings("publisher")


@pytest.fixture
def tenant_a(server: S3Server) -> StoreSettings:
    """How the pods of tenant-a reach the server."""
    return server.settings("tenantry-tenant-a")
