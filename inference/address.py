"""The address of a model: the grammar of `model:` in platform.yaml and of `INFERENCE_MODEL_URI`.

Standard library only, so that a synth can check an address without the dependencies of the service.
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
_NAME_RULE = "a-z, 0-9, '.', '_' and '-', at most 128 characters, with a letter or digit at both ends"
GRAMMAR = f"s3://{MODELS_BUCKET}/<tenant>/<name>[@sha256:<64 hex digits>], or file:<folder>"


@dataclass(frozen=True, kw_only=True)
class ModelUri:
    """The address of a model artifact, optionally pinned to a digest.

    Args:
        bucket: the S3 bucket; empty for a local folder.
        path: `<tenant>/<name>` in that bucket, or the folder.
        digest: 64 hex digits, the SHA-256 that the manifest must have; None: whatever the folder holds, or the newest
            version in the bucket.
    """

    bucket: str
    path: str
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            ValueError: the text does not follow the grammar; the message names the part and the rule.
        """
        if not text.isprintable():
            raise ValueError(f"model {text!r}: an address has printable characters only; write {GRAMMAR}")
        location, separator, suffix = text.partition("@sha256:")
        if separator and not _DIGEST.fullmatch(suffix):
            raise ValueError(f"model '{text}': after '@sha256:' there must be 64 lower-case hex digits, not '{suffix}'")
        digest = suffix or None
        scheme = location.partition(":")[0] if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location) else ""
        if scheme == "s3":
            bucket, _, path = location.removeprefix("s3://").partition("/")
            _check(text, bucket, path)
            return cls(bucket=bucket, path=path, digest=digest)
        if scheme not in {"", "file"}:
            raise ValueError(f"model '{text}': '{scheme}:' is not a supported scheme; write {GRAMMAR}")
        folder = unquote(urlsplit(location).path) if scheme else location
        if not folder or not folder.isprintable():
            raise ValueError(f"model '{text}': does not name a folder; write {GRAMMAR}")
        return cls(bucket="", path=folder, digest=digest)

    @property
    def tenant(self) -> str:
        """The tenant that the model belongs to; empty for a folder."""
        return self.path.partition("/")[0] if self.bucket else ""

    @property
    def name(self) -> str:
        """The model's name: the last part of the path."""
        return Path(self.path).name

    def at(self, digest: str) -> Self:
        """The same address, pinned to `digest`.

        Raises:
            ValueError: `digest` is not 64 lower-case hex digits.
        """
        return replace(self, digest=check_digest(digest))

    def unpinned(self) -> Self:
        """The same address without a digest."""
        return replace(self, digest=None)

    def __str__(self) -> str:
        location = f"s3://{self.bucket}/{self.path}" if self.bucket else f"file:{self.path}"
        return f"{location}@sha256:{self.digest}" if self.digest else location


def check_name(name: str) -> str:
    """Return `name` if a model can have it: it is part of addresses and of the Open Inference Protocol's paths.

    Raises:
        ValueError: it cannot; the message says why.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a model's name is {_NAME_RULE}, but not '{name}'")
    return name


def check_digest(digest: str) -> str:
    """Return `digest` if it is one.

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
        ("name", name, _NAME, _NAME_RULE),
    ):
        if not pattern.fullmatch(value):
            raise ValueError(f"model '{text}': its {part} is '{value}', but must be {rule}; write {GRAMMAR}")
