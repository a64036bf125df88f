"""Whether an address is that of a server of the protocol, and which model it has."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from conformance.messages import Request
from conformance.outcomes import FailedError
from conformance.wire import NoAnswerError, Wire

_ROUTES: Final = ("/v2/health/live", "/v2")
"""What a server of the protocol answers with 200: one of them is enough to go on."""


class UnusableError(Exception):
    """The server cannot be tested; the text is one line that says why and what to do."""


class WrongOptionError(UnusableError):
    """An option is wrong: an address, a pattern of ids, a model that has to be named."""


def require_address(url: str) -> None:
    """Go on only with the address of a server.

    Raises:
        WrongOptionError: it is something else.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise WrongOptionError(f"'{url}' is not the address of a server; give one like http://127.0.0.1:8000")


def require_protocol(wire: Wire) -> None:
    """Go on only with a server that answers like one of the protocol.

    Raises:
        UnusableError: it does not answer, or in another way.
    """
    found = []
    for path in _ROUTES:
        try:
            answer = wire.send(Request("GET", path))
        except NoAnswerError as error:
            raise UnusableError(f"{wire.url} cannot be tested: {error}; is the server running?") from error
        if answer.status == HTTPStatus.OK and answer.media_type != "text/html":
            return
        found.append(f"GET {path} has status {answer.status} ({answer.media_type or 'no content type'})")
    raise UnusableError(
        f"{wire.url} is not a server of the Open Inference Protocol: {', '.join(found)}; is the address right?"
    )


def only_model(wire: Wire) -> str:
    """The model's name, where the server lists its models as Triton and MLServer do, or as KServe does.

    Raises:
        WrongOptionError: it lists none or several, so that one has to be named.
    """
    for request in (Request("POST", "/v2/repository/index", b"{}"), Request("GET", "/v2/models")):
        try:
            value = wire.send(request).require(200).json()
        except FailedError:
            continue
        listed = value.get("models") if isinstance(value, dict) else value
        found = [item.get("name") if isinstance(item, dict) else item for item in listed or ()]
        names = [name for name in found if isinstance(name, str)]
        if len(names) == 1:
            return names[0]
        if names:
            raise WrongOptionError(f"{wire.url} has the models {', '.join(names)}; name one of them (--model)")
    raise WrongOptionError(
        f"{wire.url} does not list its models, and the protocol has no way to ask; name it (--model)"
    )
