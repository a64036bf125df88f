"""Where a model is: the one grammar of `model:` in platform.yaml and of `INFERENCE_MODEL_URI`.

Standard library only, so that a synth can check an address without the service's dependencies.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from inference.contract import MODELS_BUCKET

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TENANT = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?")
GRAMMAR = f"s3://{MODELS_BUCKET}/<tenant>/<name>[@sha256:<64 hex digits>], or file:<folder>"


@dataclass(frozen=True, kw_only=True)
class ModelUri:
    """The address of a model artifact, pinned to a digest or not.

    Args:
        bucket: the S3 bucket; empty for a folder on this machine.
        path: `<tenant>/<name>` in that bucket, or the folder.
        digest: 64 hex digits, the SHA-256 of the manifest that must be found there; None: whatever is there, or what
            the bucket's `latest.json` says.
    """

    bucket: str
    path: str
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            ValueError: the text does not follow the grammar; the message says where and what would.
        """
        location, separator, suffix = text.partition("@sha256:")
        if separator and not _DIGEST.fullmatch(suffix):
            raise ValueError(f"model '{text}': after '@sha256:' come 64 lower-case hex digits, not '{suffix}'")
        digest = suffix or None
        scheme = location.partition(":")[0] if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location) else ""
        if scheme == "s3":
            bucket, _, path = location.removeprefix("s3://").partition("/")
            _check(text, bucket, path)
            return cls(bucket=bucket, path=path, digest=digest)
        if scheme not in {"", "file"}:
            raise ValueError(f"model '{text}': '{scheme}:' is not a scheme that can be read; write {GRAMMAR}")
        folder = unquote(urlsplit(location).path) if scheme else location
        if not folder:
            raise ValueError(f"model '{text}': names no folder; write {GRAMMAR}")
        return cls(bucket="", path=folder, digest=digest)

    @property
    def tenant(self) -> str:
        """The tenant whose model this is; empty for a folder."""
        return self.path.partition("/")[0] if self.bucket else ""

    @property
    def name(self) -> str:
        """The model's name: the last part of the path."""
        return Path(self.path).name

    def at(self, digest: str) -> Self:
        """The same place, pinned to `digest`.

        Raises:
            ValueError: `digest` is not 64 lower-case hex digits.
        """
        return replace(self, digest=check_digest(digest))

    def unpinned(self) -> Self:
        """The same place, whatever version is there."""
        return replace(self, digest=None)

    def __str__(self) -> str:
        location = f"s3://{self.bucket}/{self.path}" if self.bucket else f"file:{self.path}"
        return f"{location}@sha256:{self.digest}" if self.digest else location


def check_digest(digest: str) -> str:
    """Give back `digest`.

    Raises:
        ValueError: it is not 64 lower-case hex digits.
    """
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"a digest has 64 lower-case hex digits, not '{digest}'")
    return digest


def _check(text: str, bucket: str, path: str) -> None:
    tenant, _, name = path.partition("/")
    for part, value, pattern, rule in (
        ("bucket", bucket, _BUCKET, "3 to 63 of a-z, 0-9, '.' and '-'"),
        ("tenant", tenant, _TENANT, "a DNS label that starts with a letter"),
        ("name", name, _NAME, "a-z, 0-9, '.', '_' and '-', and no further '/'"),
    ):
        if not pattern.fullmatch(value):
            raise ValueError(f"model '{text}': its {part} is '{value}', but must be {rule}; write {GRAMMAR}")
