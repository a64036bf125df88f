"""Administers an S3 server that stands in MinIO's place in tests: buckets, and what each user may do in them.

MinIO limits a user by a policy of the user's own; a plain S3 server limits it by a policy of the bucket. The statements
are the same, but for the user's name, so that tests try the very policies that Terraform gives to MinIO.
"""

import hashlib
import hmac
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.paths import ROOT

STORE_ACCESS = ROOT / "terraform" / "platform" / "modules" / "store-access"


def user_policies(tenants: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    """The policies of `terraform/platform`, by user, as Terraform itself computes them in `folder`; no provider needed.

    Returns:
        What the module's output `policies` holds, decoded: one per tenant's user, and the publisher's.
    """
    module = folder / "store-access"
    shutil.copytree(STORE_ACCESS, module)
    program = shutil.which("terraform") or shutil.which("tofu")
    assert program, "Terraform's own policies are tried: put terraform 1.9 or tofu 1.10 on PATH"
    terraform = [program, f"-chdir={module}"]
    for arguments in (
        ["init", "-input=false", "-backend=false"],
        ["apply", "-input=false", "-auto-approve", f"-var=tenants={json.dumps(tenants)}"],
    ):
        subprocess.run([*terraform, *arguments], check=True, capture_output=True, timeout=60)
    said = subprocess.run([*terraform, "output", "-json", "policies"], check=True, capture_output=True, timeout=60)
    return {user: json.loads(policy) for user, policy in json.loads(said.stdout).items()}


def bucket_policies(users: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same rights, bucket by bucket: each statement names its user instead of being the user's."""
    buckets: dict[str, dict[str, Any]] = {}
    for user, policy in users.items():
        for statement in policy["Statement"]:
            for resource in statement["Resource"]:
                bucket = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
                document = buckets.setdefault(bucket, {"Version": policy["Version"], "Statement": []})
                rights = {key: value for key, value in statement.items() if key != "Sid"}
                document["Statement"].append({**rights, "Principal": {"AWS": [user]}, "Resource": [resource]})
    return buckets


@dataclass(frozen=True, kw_only=True)
class S3Admin:
    """Signs the few requests that an object store's client does not have."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket; raises urllib.error.HTTPError with the server's refusal."""
        self._put(f"/{bucket}", "", b"")

    def set_policy(self, bucket: str, policy: Mapping[str, Any]) -> None:
        """Replace a bucket's policy; raises urllib.error.HTTPError with the server's refusal."""
        self._put(f"/{bucket}", "policy=", json.dumps(policy).encode())

    def _put(self, path: str, query: str, body: bytes) -> None:
        """PUT with AWS Signature Version 4 over host, date and the body's digest."""
        moment = datetime.now(UTC)
        day, stamp, digest = f"{moment:%Y%m%d}", f"{moment:%Y%m%dT%H%M%SZ}", hashlib.sha256(body).hexdigest()
        headers = {"host": urlsplit(self.endpoint).netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        signed = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"PUT\n{path}\n{query}\n{lines}\n{signed}\n{digest}"
        scope = f"{day}/{self.region}/s3/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (*scope.split("/"), to_sign):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"Credential={self.access_key_id}/{scope}, SignedHeaders={signed}, Signature={key.hex()}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}"
        url = f"{self.endpoint}{path}?{query}" if query else f"{self.endpoint}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT"), timeout=10):  # noqa: S310
            pass
