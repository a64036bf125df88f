"""The cluster's object store: models, and users, buckets and permissions if Terraform has not created them."""

import base64
import json
import secrets
import subprocess
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import obstore
from pydantic import SecretStr

from inference import contract
from inference.store.bucket import Bucket, StoreSettings
from inference.store.registry import publish
from tenantry import programs
from tenantry.errors import CommandError
from tests.e2e.cluster import LiveCluster
from tests.s3_admin import S3Admin, bucket_policies, user_policies

NAMESPACE: Final = "minio"
SERVICE: Final = "service/minio-api"
PORT: Final = 9000
USER_PREFIX: Final = "tenantry-"


@dataclass(frozen=True)
class Store:
    """The object store, with an administrator's access.

    Attributes:
        keys: The root user's keys if the store is versitygw, which the suite administers itself; otherwise the keys of
            the user that Terraform created for publishing.
        ours: Whether the suite creates users and Secrets.
    """

    cluster: LiveCluster
    keys: tuple[str, str]
    ours: bool

    @classmethod
    def find(cls, cluster: LiveCluster) -> "Store":
        """Find the store in the cluster.

        Raises:
            CommandError: There is none, or there are no keys for it.
        """
        for name, access, secret, ours in (
            ("minio-root", "ROOT_ACCESS_KEY", "ROOT_SECRET_KEY", True),
            ("model-publisher", contract.STORE_ACCESS_KEY_ENV, contract.STORE_SECRET_KEY_ENV, False),
        ):
            found = cluster.kubectl.try_run("get", "secret", name, "-n", NAMESPACE, "-o", "json")
            data = _secret_data(found.stdout) if found.returncode == 0 else {}
            if access in data:
                return cls(cluster, (data[access], data[secret]), ours)
        raise CommandError(
            f"no object store that this run may use: namespace {NAMESPACE} has neither the Secret model-publisher, "
            "which terraform/platform creates, nor versitygw's minio-root"
        )

    @contextmanager
    def settings(self) -> Iterator[StoreSettings]:
        """Settings for access to the store through a forwarded port."""
        with self.cluster.kubectl.port_forward(NAMESPACE, SERVICE, PORT) as port:
            yield StoreSettings(
                endpoint=f"http://127.0.0.1:{port}",
                access_key_id=self.keys[0],
                secret_access_key=SecretStr(self.keys[1]),
                allow_http=True,
            )

    def prepare(self, tenants: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Create buckets, users and permissions by Terraform's policies; a tenant with a Secret keeps its keys.

        Returns:
            The Secrets of the other tenants.
        """
        buckets = (contract.MODELS_BUCKET, contract.DATASETS_BUCKET, contract.ARTIFACTS_BUCKET)
        with TemporaryDirectory() as folder:
            policies = user_policies(list(tenants), Path(folder))
        with self.settings() as settings:
            admin = S3Admin(endpoint=str(settings.endpoint), access_key_id=self.keys[0], secret_access_key=self.keys[1])
            for bucket in buckets:
                try:
                    admin.make_bucket(bucket)
                except urllib.error.HTTPError as error:
                    if error.code != 409:
                        raise
            made = {}
            for user in policies:
                tenant = user.removeprefix(USER_PREFIX) if user.startswith(USER_PREFIX) else ""
                if tenant and self.cluster.exists("secret", contract.STORE_SECRET_NAME, "-n", tenant):
                    continue
                secret = secrets.token_urlsafe(24)
                self._admin(settings, "delete-user", "--access", user)
                self._admin(settings, "create-user", "--access", user, "--secret", secret, "--role", "user", must=True)
                if tenant:
                    made[tenant] = secret_of(tenant, user, secret)
            for bucket, policy in bucket_policies(policies).items():
                admin.set_policy(bucket, policy)
        return made

    def publish(self, directory: Path, tenants: Sequence[str], name: str = "spam") -> str:
        """Publish a model for each tenant; return its digest."""
        with self.settings() as settings:
            uris = [publish(directory, f"s3://models/{tenant}/{name}", settings).uri for tenant in tenants]
        return str(uris[0].digest)

    def remove(self, tenants: Sequence[str]) -> None:
        """Delete the tenants' users, models and artifacts, but not the buckets."""
        with self.settings() as settings:
            for tenant in tenants:
                for name in (contract.MODELS_BUCKET, contract.ARTIFACTS_BUCKET):
                    store = Bucket.open(name, settings).store
                    keys = [each["path"] for page in obstore.list(store, f"{tenant}/") for each in page]
                    if keys:
                        obstore.delete(store, keys)
                self._admin(settings, "delete-user", "--access", f"{USER_PREFIX}{tenant}")

    def _admin(self, settings: StoreSettings, *arguments: str, must: bool = False) -> None:
        keys = ["--access", self.keys[0], "--secret", self.keys[1], "--endpoint-url", str(settings.endpoint)]
        done = subprocess.run(
            [programs.find("versitygw"), "admin", *keys, *arguments], capture_output=True, text=True, check=False
        )
        if must and done.returncode:
            raise CommandError(f"versitygw admin {arguments[0]}: {done.stdout} {done.stderr}")


def secret_of(tenant: str, user: str, secret: str) -> dict[str, Any]:
    """The Secret with the keys of a tenant's pods."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": contract.STORE_SECRET_NAME, "namespace": tenant},
        "stringData": {contract.STORE_ACCESS_KEY_ENV: user, contract.STORE_SECRET_KEY_ENV: secret},
    }


def _secret_data(text: str) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in json.loads(text).get("data", {}).items()}
