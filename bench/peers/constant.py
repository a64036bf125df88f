"""A baseline without a model: an ASGI callable on uvicorn that parses the body and answers a constant."""

from typing import Any

import msgspec

ANSWER = b'{"prediction":"spam","confidence":0.99}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


class Request(msgspec.Struct):
    """One text."""

    text: str


decode = msgspec.json.Decoder(Request).decode


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the body, parse it, answer."""
    if scope["type"] == "lifespan":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    decode(body)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
