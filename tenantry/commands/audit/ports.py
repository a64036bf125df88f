"""Ports as a person writes them: 443, UDP/53, http."""

from typing import Final

from tenantry.errors import InputError

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_LAST_PORT: Final = 65535


def port_number(text: str | None) -> tuple[int | None, str]:
    """A port by its number with its protocol, or None and TCP where none is asked for."""
    if text is None:
        return None, "TCP"
    number, protocol = named_port(text)
    if not isinstance(number, int):
        raise InputError(f"--port {text}: give a number from 1 to 65535, such as 443 or UDP/53")
    return number, protocol


def named_port(text: str) -> tuple[int | str, str]:
    """A port with its protocol: 443, UDP/53, 53/udp or http."""
    first, slash, second = text.partition("/")
    protocol, port = ("TCP", first) if not slash else (first, second)
    if port.upper() in _PROTOCOLS:
        protocol, port = port, protocol
    if protocol.upper() not in _PROTOCOLS or not port:
        raise InputError(f"the port {text!r} is not one: write 443, http, UDP/53 or SCTP/3868")
    if not port.isdecimal():
        return port, protocol.upper()
    if not 1 <= int(port) <= _LAST_PORT:
        raise InputError(f"the port {text!r} does not exist: ports are 1 to {_LAST_PORT}")
    return int(port), protocol.upper()
