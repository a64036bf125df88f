"""One S3 bucket: how it is reached, with limits on every read, and one line for every failure.

No content of an object or of an answer reaches a message: only the status, the error code and the requested names.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from inference import contract
from inference.certificates import check_certificates
from inference.errors import StoreError, StoreUnavailableError, excerpt
from inference.store.explanation import NOWHERE, explain

if TYPE_CHECKING:
    from obstore import GetResult, UpdateVersion
    from obstore.store import ClientConfig

_PREFIX: Final = f"{contract.ENV_PREFIX}STORE_"


class StoreSettings(BaseSettings):
    """How to reach an S3 server; each field from its environment variable, or given by name."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    endpoint: str | None = Field(
        default=None, pattern=r"^https?://[^\s/@]+/?$", validation_alias=contract.STORE_ENDPOINT_ENV
    )
    """Address of the server, without a path, user or password; absent: Amazon's own for the region."""
    region: str = Field(default="us-east-1", validation_alias=contract.STORE_REGION_ENV)
    """Region that requests are signed for."""
    access_key_id: str = Field(default="", validation_alias=contract.STORE_ACCESS_KEY_ENV)
    """Name of the key pair; required for S3 without a role."""
    secret_access_key: SecretStr = Field(default=SecretStr(""), validation_alias=contract.STORE_SECRET_KEY_ENV)
    """Secret of the key pair; required for S3 without a role."""
    role_arn: str = Field(default="", validation_alias=contract.STORE_ROLE_ENV)
    """Role that is assumed with the token of `token_file`, instead of a key pair."""
    token_file: str = Field(default="", validation_alias=contract.STORE_TOKEN_FILE_ENV)
    """File with a token of the workload's identity, which the cluster replaces before it expires."""
    sts_endpoint: str = Field(default="", validation_alias=contract.STORE_STS_ENV)
    """Address that exchanges the token for keys; empty: Amazon's for the region."""
    ca_file: str = Field(default="", validation_alias=contract.STORE_CA_FILE_ENV)
    """File with the certificates of authorities, as PEM, that are trusted besides those of the system."""
    proxy: str = Field(default="", pattern=r"^(https?://[^\s/@]+/?)?$", validation_alias=contract.STORE_PROXY_ENV)
    """HTTP proxy for all requests, without a path, user or password; empty: requests to `endpoint` are sent directly,
    and requests to Amazon as the system's proxy settings say."""
    allow_http: bool = Field(default=False, validation_alias=contract.STORE_ALLOW_HTTP_ENV)
    """Whether an endpoint without TLS is accepted."""
    virtual_hosted: bool = Field(default=False, validation_alias=contract.STORE_VIRTUAL_HOSTED_ENV)
    """Whether the bucket is part of the host name; otherwise it is the first part of the path, as MinIO expects."""
    connect_timeout_seconds: float = Field(default=3, gt=0, validation_alias=f"{_PREFIX}CONNECT_TIMEOUT_SECONDS")
    """Longest time to open a connection."""
    read_timeout_seconds: float = Field(default=10, gt=0, validation_alias=f"{_PREFIX}READ_TIMEOUT_SECONDS")
    """Longest silence while an object is read."""
    total_timeout_seconds: float = Field(default=300, gt=0, validation_alias=f"{_PREFIX}TOTAL_TIMEOUT_SECONDS")
    """Longest time to read or write one object, retries included."""
    retries: int = Field(default=3, ge=0, validation_alias=f"{_PREFIX}RETRIES")
    """How often one request is sent again after a time-out, a lost connection or a 5xx, with growing pauses."""
    retry_seconds: float = Field(default=20, gt=0, validation_alias=f"{_PREFIX}RETRY_SECONDS")
    """A request is not sent again when this much time has passed since it was first sent."""


@dataclass(frozen=True)
class Bucket:
    """An opened bucket. Every failure is a `StoreError` of one line."""

    name: str
    where: str
    store: ObjectStore

    @classmethod
    def open(cls, name: str, settings: StoreSettings | None = None, *, store: ObjectStore | None = None) -> "Bucket":
        """Prepare access to bucket `name`; sends nothing yet.

        Raises:
            StoreError: a key is missing, or the endpoint has no TLS and that is not allowed.
        """
        if store is not None:
            return cls(name, "the given store", store)
        settings = settings or _settings_from_environment()
        where = settings.endpoint or f"S3 in {settings.region}"
        if settings.proxy:
            where += f" through the proxy {settings.proxy}"
        _check(settings, name)
        return cls(name, where, _open_s3(name, settings))

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """The bytes of object `key`.

        Raises:
            StoreError: the object has more than `max_bytes`; otherwise as `inference.store.fetch.fetch`.
        """
        with self.explained("read", key):
            return self._read(key, max_bytes, obstore.get(self.store, key))

    def find(self, key: str, *, max_bytes: int) -> "tuple[bytes, UpdateVersion] | None":
        """The bytes of object `key` and the state that they belong to, or None if there is no such object.

        Raises:
            StoreError: as `inference.store.fetch.fetch`.
        """
        with self.explained("read", key):
            try:
                found = obstore.get(self.store, key)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            return self._read(key, max_bytes, found), {"e_tag": found.meta["e_tag"]}

    def put(self, key: str, data: bytes) -> None:
        """Write object `key`, in one piece.

        Raises:
            StoreError: as `inference.store.fetch.fetch`.
        """
        with self.explained("write", key):
            obstore.put(self.store, key, data, use_multipart=False)

    def _read(self, key: str, max_bytes: int, found: "GetResult") -> bytes:
        """The object's bytes, no more than `max_bytes`; the client ends the request after the total time-out."""
        size = found.meta["size"]
        if size > max_bytes:
            raise StoreError(
                f"s3://{self.name}/{key} has {size} bytes, where at most {max_bytes} are expected: it is not what "
                "publish writes; publish the model again"
            )
        content = found.bytes().to_bytes()
        if len(content) != size:
            raise StoreUnavailableError(
                f"cannot read s3://{self.name}/{key}: {self.where} sent {len(content)} of {size} bytes"
            )
        return content

    @contextmanager
    def explained(self, verb: str, key: str) -> Iterator[None]:
        """Turn what goes wrong with `key` inside the block into a `StoreError`."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise explain(error, f"cannot {verb} s3://{self.name}/{key}", bucket=self.name, where=self.where) from error


def wrong_settings(error: ValidationError) -> str:
    """Which settings of the store are wrong, and why, in one line without user or password."""
    found = "; ".join(
        f"{each['loc'][0]} '{_without_credentials(each['input'])}': {each['msg']}" for each in error.errors()
    )
    return f"the store's settings are wrong: {found}"


def _without_credentials(value: object) -> str:
    return excerpt(re.sub(r"//.*@", "//***@", str(value)))


def _settings_from_environment() -> StoreSettings:
    try:
        return StoreSettings()
    except ValidationError as error:
        raise StoreError(wrong_settings(error)) from error


def _check(settings: StoreSettings, bucket: str) -> None:
    if bool(settings.role_arn) != bool(settings.token_file):
        raise StoreError(
            f"a role without a token, or a token without a role, for s3://{bucket}: set both {contract.STORE_ROLE_ENV} "
            f"and {contract.STORE_TOKEN_FILE_ENV}, or neither"
        )
    if not settings.role_arn and not (settings.access_key_id and settings.secret_access_key.get_secret_value()):
        raise StoreError(
            f"no key pair for s3://{bucket}: set {contract.STORE_ACCESS_KEY_ENV} and {contract.STORE_SECRET_KEY_ENV} "
            f"(in a cluster: Secret '{contract.STORE_SECRET_NAME}' of the tenant's namespace)"
        )
    if settings.endpoint and settings.endpoint.startswith("http://") and not settings.allow_http:
        raise StoreError(
            f"{settings.endpoint} is not encrypted: write https://, or set {contract.STORE_ALLOW_HTTP_ENV}=true "
            "if the network is trusted"
        )


def _open_s3(bucket: str, settings: StoreSettings) -> S3Store:
    options: dict[str, Any] = {}
    client: ClientConfig = {
        "allow_http": settings.allow_http,
        "connect_timeout": timedelta(seconds=settings.connect_timeout_seconds),
        "read_timeout": timedelta(seconds=settings.read_timeout_seconds),
        "timeout": timedelta(seconds=settings.total_timeout_seconds),
    }
    if settings.endpoint:
        options["endpoint"] = settings.endpoint.rstrip("/")
    if settings.ca_file:
        client["root_certificate"] = _certificates(settings.ca_file)
    hosts = [urlsplit(settings.endpoint).hostname if settings.endpoint else _amazon_host(bucket, settings)]
    if settings.role_arn:
        options |= {"role_arn": settings.role_arn, "web_identity_token_file": settings.token_file}
        if settings.sts_endpoint:
            options["endpoint_url_sts"] = settings.sts_endpoint.rstrip("/")
        hosts.append(urlsplit(settings.sts_endpoint).hostname or f"sts.{settings.region}.amazonaws.com")
    else:
        options["access_key_id"] = settings.access_key_id
        options["secret_access_key"] = settings.secret_access_key.get_secret_value()
    # A proxy is the only way to the store from some networks; it then also decides about redirects.
    if settings.proxy:
        client["proxy_url"] = settings.proxy.rstrip("/")
    elif settings.endpoint or not getproxies():
        client |= {"proxy_url": f"http://{NOWHERE}", "proxy_excludes": ",".join(each for each in hosts if each)}
    return S3Store(
        bucket,
        **options,
        region=settings.region,
        virtual_hosted_style_request=settings.virtual_hosted,
        client_options=client,
        retry_config={"max_retries": settings.retries, "retry_timeout": timedelta(seconds=settings.retry_seconds)},
    )


def _certificates(file: str) -> bytes:
    """The certificates of `ca_file`.

    Raises:
        StoreError: the file cannot be read, or holds no certificate.
    """
    try:
        pem = Path(file).read_bytes()
        check_certificates(pem.decode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else excerpt(error)
        raise StoreError(
            f"{contract.STORE_CA_FILE_ENV} '{file}' does not contain certificates as PEM ({reason}): "
            "correct modelStore.caBundle"
        ) from error
    return pem


def _amazon_host(bucket: str, settings: StoreSettings) -> str:
    host = f"s3.{settings.region}.amazonaws.com"
    return f"{bucket}.{host}" if settings.virtual_hosted else host
