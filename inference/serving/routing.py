"""The one definition of a route: its metric label, whether it is shed, and who answers it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from inference import contract
from inference.errors import BadRequestError

if TYPE_CHECKING:
    from inference.serving.endpoints.endpoint import Endpoint

PREDICT, INFER, OTHER = contract.ROUTES
_INFER_PATH: Final = re.compile(rf"{contract.PROTOCOL_PATH}/models/[^/]+(/versions/[^/]+)?/infer")
_PRINTABLE: Final = bytes(range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class Route:
    """What the service does with a method of a path.

    Attributes:
        label: One of the contract's ROUTES.
        is_protected: Whether it requires an API key, if the service does, and counts against the caller's limits.
        is_exempt: Whether it is answered whatever the load: probes and scrapes must not be shed.
        endpoint: What answers it below FastAPI; absent: FastAPI does.
    """

    label: str = OTHER
    is_protected: bool = False
    is_exempt: bool = False
    endpoint: "Endpoint[Any] | None" = None


_EXEMPT: Final = Route(is_exempt=True)
_OTHER: Final = Route()
_INFER: Final = Route(INFER, is_protected=True)


class Routes:
    """Finds the route of a request, by method and path or by method and target as HTTP has it."""

    def __init__(self, predict: "Endpoint[Any]") -> None:
        self._by_path: Final[dict[tuple[str, str], Route]] = {
            ("POST", contract.PREDICT_PATH): Route(PREDICT, is_protected=True, endpoint=predict),
            ("GET", contract.MODEL_PATH): Route(is_protected=True),
            ("GET", contract.LIVENESS_PATH): _EXEMPT,
            ("GET", contract.READINESS_PATH): _EXEMPT,
            ("GET", contract.METRICS_PATH): _EXEMPT,
            ("GET", f"{contract.PROTOCOL_PATH}/health/live"): _EXEMPT,
            ("GET", f"{contract.PROTOCOL_PATH}/health/ready"): _EXEMPT,
        }
        # What is asked again and again is found at once.
        self._by_target: Final[dict[tuple[bytes, bytes], Route]] = {}
        self._remember()

    def add_infer(self, model: str, version: str, endpoint: "Endpoint[Any]") -> None:
        """Answer the protocol's infer for a model, with and without its version, by `endpoint`."""
        root = f"{contract.PROTOCOL_PATH}/models/{model}"
        for path in (f"{root}/infer", f"{root}/versions/{version}/infer"):
            self._by_path["POST", path] = Route(INFER, is_protected=True, endpoint=endpoint)
        self._remember()

    def find(self, method: bytes, target: bytes) -> Route:
        """The route of a request whose method and target are as HTTP has them; malformed targets have none."""
        found = self._by_target.get((method, target))
        if found is not None:
            return found
        try:
            path, _ = split_target(target)
        except BadRequestError:
            return _OTHER
        return self.find_path(method.decode("latin-1"), path)

    def find_path(self, method: str, path: str) -> Route:
        """The route of a method, in upper case, and a decoded path."""
        found = self._by_path.get(("GET" if method == "HEAD" else method, path))
        if found is not None:
            return found
        return _INFER if method == "POST" and _INFER_PATH.fullmatch(path) else _OTHER

    def _remember(self) -> None:
        for (method, path), route in self._by_path.items():
            self._by_target[method.encode(), quote(path).encode()] = route


def split_target(target: bytes) -> tuple[str, bytes]:
    """The decoded path and the query of a request target in origin form or absolute form.

    Raises:
        BadRequestError: The target has characters that a target cannot have, or is not a URL.
    """
    if target.translate(None, _PRINTABLE):
        raise BadRequestError("the request target has characters that are not printable ASCII; percent-encode them")
    path, _, query = target.partition(b"?")
    if not path.startswith((b"/", b"*")):
        try:
            parts = urlsplit(path.decode())
        except ValueError:
            parts = urlsplit("")
        if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
            raise BadRequestError("the request target must be a path or an http URL")
        path = parts.path.encode() or b"/"
    return unquote(path.decode()), query
