"""A request as a command that a person can paste into a shell."""

import re
import shlex
from typing import Final

from conformance.messages import Request

_LONGEST: Final = 4_000
"""Characters of a body that a command shows as they are."""
_RUN: Final = re.compile(rb"(.{1,12}?)\1{99,}", re.DOTALL)
"""Something that is repeated a hundred times or more."""


def curl(url: str, request: Request) -> str:
    """The command that sends `request` to the server at `url`."""
    words = ["curl", "-si"]
    if request.method != ("GET" if request.body is None else "POST"):
        words += ["-X", request.method]
    words.append(f"{url.rstrip('/')}{request.path}")
    for name, value in request.headers.items():
        words += ["-H", f"{name}: {value}" if value else f"{name}:"]
    if request.chunked:
        words += ["-H", "Transfer-Encoding: chunked"]
    if request.body is None:
        return shlex.join(words)
    text = _plain(request.body)
    if text is not None:
        return shlex.join([*words, "--data-raw", text])
    program = f"import sys; sys.stdout.buffer.write({_expression(request.body)})"
    return f"python3 -c {shlex.quote(program)} | {shlex.join([*words, '--data-binary', '@-'])}"


def _plain(body: bytes) -> str | None:
    """The body as a text that a shell takes, or None."""
    if len(body) > _LONGEST:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\n\t" for character in text) else None


def _expression(body: bytes) -> str:
    """The body as a Python expression, in which long repetitions are products."""
    parts, end = [], 0
    for run in _RUN.finditer(body):
        if run.start() > end:
            parts.append(repr(body[end : run.start()]))
        parts.append(f"{run[1]!r} * {len(run[0]) // len(run[1])}")
        end = run.end()
    if end < len(body):
        parts.append(repr(body[end:]))
    return " + ".join(parts) or "b''"
