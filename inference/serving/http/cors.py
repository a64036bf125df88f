"""Cross-origin requests: which pages of other origins may read the service's answers (Fetch standard, CORS)."""

from collections.abc import Set as AbstractSet
from typing import Final

from inference import contract
from inference.serving.http.request import Request
from inference.serving.problems import Answer, is_protocol
from inference.serving.protocol.binary import HEADER as BINARY_HEADER

SHARED_PATHS: Final = frozenset({contract.PREDICT_PATH, contract.MODEL_PATH, contract.OPENAPI_PATH})
"""Paths that are shared, in addition to those of the Open Inference Protocol. Metrics and probes are not."""
_MAX_AGE_SECONDS: Final = 600
"""How long browsers may remember what they may send."""
_PREFLIGHT: Final = (
    ("access-control-allow-methods", "GET, HEAD, POST"),
    (
        "access-control-allow-headers",
        f"authorization, content-encoding, content-type, x-api-key, {BINARY_HEADER.decode()}",
    ),
    ("access-control-max-age", str(_MAX_AGE_SECONDS)),
)
_EXPOSED: Final = (
    "access-control-expose-headers",
    f"accept-encoding, retry-after, www-authenticate, {BINARY_HEADER.decode()}",
)
_VARY: Final = ("vary", "origin")


class Cors:
    """Shares answers with pages of some origins. Cookies are never allowed: a page sends its API key itself.

    Args:
        origins: The origins, as browsers send them.
    """

    def __init__(self, origins: AbstractSet[str]) -> None:
        self._origins: Final = {origin.encode(): origin for origin in origins}

    def preflight(self, request: Request) -> Answer | None:
        """The answer to a preflight request from an allowed origin; None for any other request."""
        if request.method != b"OPTIONS" or request.refusal is not None or not _is_shared(request):
            return None
        if not any(name == b"access-control-request-method" for name, _ in request.headers):
            return None
        return Answer(204, "", b"", _PREFLIGHT) if self._origin(request) else None

    def share(self, request: Request, answer: Answer) -> Answer:
        """The answer with the headers that let the page read it, if its origin is allowed."""
        if not _is_shared(request):
            return answer
        origin = self._origin(request)
        allowed = (("access-control-allow-origin", origin), _EXPOSED) if origin else ()
        return answer._replace(headers=(*answer.headers, *allowed, _VARY))

    def _origin(self, request: Request) -> str:
        """The origin of a request, if it is allowed."""
        found = [value for name, value in request.headers if name == b"origin"]
        return self._origins.get(found[0], "") if len(found) == 1 else ""


def _is_shared(request: Request) -> bool:
    path = request.target.partition(b"?")[0].decode("latin-1")
    return path in SHARED_PATHS or is_protocol(path)
