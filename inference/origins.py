"""Origins of web pages, as browsers send them in the header `Origin`.

This module imports nothing but the standard library: the service and `platform.yaml` share it.
"""

import re
from typing import Final

RULE: Final = (
    "must be an origin as browsers send it: 'https://host' or 'https://host:port' in lower case, without a path, a"
    " default port or '*'; 'http' for localhost only"
)
_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9]\d{0,4}))?"
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MAX_PORT: Final = 65_535


def is_origin(text: str) -> bool:
    """Whether a text follows RULE. A page without TLS can be changed on its way, and would give its API key away."""
    found = _ORIGIN.fullmatch(text)
    if found is None or (found["scheme"] == "http" and found["host"] not in _LOCAL):
        return False
    port = found["port"]
    return port is None or (port != _DEFAULT_PORTS[found["scheme"]] and int(port) <= _MAX_PORT)


def parse_origins(text: str) -> frozenset[str]:
    """The origins of a list that is separated by spaces.

    Raises:
        ValueError: One of them is not valid.
    """
    found = text.split()
    for each in found:
        if not is_origin(each):
            raise ValueError(f"'{each[:100]}' {RULE}")
    return frozenset(found)
