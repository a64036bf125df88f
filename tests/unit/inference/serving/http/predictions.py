"""Predictions as bytes, and settings with which they take long."""

import json
from typing import Any

BODY = b'{"text": "free money"}'
SLOW_BODY = json.dumps({"text": ["free money " * 2_000] * 60, "explain": True}).encode()
SLOWER_BODY = json.dumps({"text": ["free money " * 2_000] * 240, "explain": True}).encode()
SLOW: dict[str, Any] = {
    "offload_bytes": 1_000, "max_body_bytes": 10_000_000, "max_explained_characters": 10_000_000,
}  # fmt: skip
"""Takes the thread a good while: an explanation is plain Python."""


def request(body: bytes = BODY) -> bytes:
    """A prediction's bytes."""
    return b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
