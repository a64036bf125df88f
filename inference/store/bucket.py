"""One S3 bucket: how it is reached, and every failure said in one line, final or worth another try."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from inference import contract
from inference.errors import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from obstore import UpdateVersion

_PREFIX: Final = f"{contract.ENV_PREFIX}STORE_"
_RETRYABLE_STATUS: Final = frozenset({408, 425, 429, *range(500, 600)})


class StoreSettings(BaseSettings):
    """How to reach an S3 server; each field from its environment variable, or given by name."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    endpoint: str | None = Field(
        default=None, pattern=r"^https?://[^\s/]+/?$", validation_alias=contract.STORE_ENDPOINT_ENV
    )
    """Address of the server, without a path; absent: Amazon's own for the region."""
    region: str = Field(default="us-east-1", validation_alias=contract.STORE_REGION_ENV)
    """Region that requests are signed for."""
    access_key_id: str = Field(default="", validation_alias=contract.STORE_ACCESS_KEY_ENV)
    """Name of the key pair; needed for S3."""
    secret_access_key: SecretStr = Field(default=SecretStr(""), validation_alias=contract.STORE_SECRET_KEY_ENV)
    """The pair's secret; needed for S3."""
    allow_http: bool = Field(default=False, validation_alias=contract.STORE_ALLOW_HTTP_ENV)
    """Whether an endpoint without TLS is accepted."""
    virtual_hosted: bool = Field(default=False, validation_alias=contract.STORE_VIRTUAL_HOSTED_ENV)
    """Whether the bucket is part of the host's name; else it leads the path, as MinIO wants it."""
    connect_timeout_seconds: float = Field(default=3, gt=0, validation_alias=f"{_PREFIX}CONNECT_TIMEOUT_SECONDS")
    """Longest time to open a connection."""
    read_timeout_seconds: float = Field(default=10, gt=0, validation_alias=f"{_PREFIX}READ_TIMEOUT_SECONDS")
    """Longest silence while a body comes in."""
    retries: int = Field(default=3, ge=0, validation_alias=f"{_PREFIX}RETRIES")
    """How often one request is sent again after a time-out, a lost connection or a 5xx, with growing pauses."""
    retry_seconds: float = Field(default=20, gt=0, validation_alias=f"{_PREFIX}RETRY_SECONDS")
    """No request is sent again when this much time has passed since it was first sent."""


@dataclass(frozen=True)
class Bucket:
    """An opened bucket, whose every failure is a `StoreError` of one line."""

    name: str
    where: str
    store: ObjectStore

    @classmethod
    def open(cls, name: str, settings: StoreSettings | None = None, *, store: ObjectStore | None = None) -> "Bucket":
        """Prepare access to bucket `name`; sends nothing yet.

        Raises:
            StoreError: a key is missing, or the endpoint would be spoken to without TLS and that is not allowed.
        """
        if store is not None:
            return cls(name, "the given store", store)
        settings = settings or _settings_from_environment()
        where = settings.endpoint or f"S3 in {settings.region}"
        _check(settings, name)
        return cls(name, where, _open_s3(name, settings))

    def get(self, key: str, *, directory: str = "") -> bytes:
        """The bytes of object `directory + key`.

        Raises:
            StoreError: as `inference.store.fetch.fetch`.
        """
        with self.explained("read", directory + key):
            return obstore.get(self.store, directory + key).bytes().to_bytes()

    def find(self, key: str) -> "tuple[bytes, UpdateVersion] | None":
        """The bytes of object `key` and which state of it they are, or None when there is no such object.

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
            return found.bytes().to_bytes(), {"e_tag": found.meta["e_tag"]}

    def put(self, key: str, data: bytes) -> None:
        """Write object `key`, in one piece.

        Raises:
            StoreError: as `inference.store.fetch.fetch`.
        """
        with self.explained("write", key):
            obstore.put(self.store, key, data, use_multipart=False)

    @contextmanager
    def explained(self, verb: str, key: str) -> Iterator[None]:
        """Turn what goes wrong with `key` inside the block into a `StoreError`."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise _explain(error, f"cannot {verb} s3://{self.name}/{key}", self) from error


def wrong_settings(error: ValidationError) -> str:
    """Which of the store's settings are wrong, and why, in one line."""
    found = "; ".join(f"{each['loc'][0]} '{each['input']}': {each['msg']}" for each in error.errors())
    return f"the store's settings are wrong: {found}"


def _settings_from_environment() -> StoreSettings:
    try:
        return StoreSettings()
    except ValidationError as error:
        raise StoreError(wrong_settings(error)) from error


def _check(settings: StoreSettings, bucket: str) -> None:
    if not (settings.access_key_id and settings.secret_access_key.get_secret_value()):
        raise StoreError(
            f"no key pair for s3://{bucket}: set {contract.STORE_ACCESS_KEY_ENV} and {contract.STORE_SECRET_KEY_ENV} "
            f"(in a cluster: Secret '{contract.STORE_SECRET_NAME}' of the tenant's namespace)"
        )
    if settings.endpoint and settings.endpoint.startswith("http://") and not settings.allow_http:
        raise StoreError(
            f"{settings.endpoint} is not encrypted: write https://, or set {contract.STORE_ALLOW_HTTP_ENV}=true "
            "where the network is trusted"
        )


def _open_s3(bucket: str, settings: StoreSettings) -> S3Store:
    options: dict[str, Any] = {"endpoint": settings.endpoint.rstrip("/")} if settings.endpoint else {}
    return S3Store(
        bucket,
        **options,
        region=settings.region,
        access_key_id=settings.access_key_id,
        secret_access_key=settings.secret_access_key.get_secret_value(),
        virtual_hosted_style_request=settings.virtual_hosted,
        client_options={
            "allow_http": settings.allow_http,
            "connect_timeout": timedelta(seconds=settings.connect_timeout_seconds),
            "read_timeout": timedelta(seconds=settings.read_timeout_seconds),
        },
        retry_config={"max_retries": settings.retries, "retry_timeout": timedelta(seconds=settings.retry_seconds)},
    )


def _explain(error: Exception, what: str, bucket: Bucket) -> StoreError:
    """One line for a person, and the class that says whether another try is worth it."""
    text = str(error).partition("\n\nDebug source:")[0]
    status = int(found[1]) if (found := re.search(r"status code: (\d{3})", text)) else None
    code = found[1] if (found := re.search(r"<Code>(\w+)</Code>", text)) else ""
    said = " ".join(str(part) for part in (status, code) if part)
    if code == "NoSuchBucket":
        return StoreError(f"{what}: no bucket '{bucket.name}' at {bucket.where}")
    if isinstance(error, FileNotFoundError):
        return StoreError(f"{what}: there is no such object at {bucket.where}; publish the model first")
    if status in {401, 403}:
        return StoreError(
            f"{what}: denied by {bucket.where} ({said}): the key pair is wrong or lacks the right, or there is no such "
            "object"
        )
    if status is not None and status not in _RETRYABLE_STATUS:
        return StoreError(f"{what}: refused by {bucket.where} ({said})")
    if "redirect" in text:
        return StoreError(f"{what}: {bucket.where} points elsewhere: the region or the endpoint is wrong")
    return StoreUnavailableError(f"{what}: {bucket.where} does not answer as it should ({said or _cause(error)})")


def _cause(error: Exception) -> str:
    """The innermost reason that a failed connection gives, such as `tcp connect error`."""
    if "kind: Timeout" in str(error):
        return "timed out"
    reasons = re.findall(r'"([^"\n]*(?:error|timed out|refused|closed|failed)[^"\n]*)"', str(error))
    return reasons[-1] if reasons else " ".join(str(error).partition("\n")[0].split())
