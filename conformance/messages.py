"""Requests and answers."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.outcomes import FailedError

JSON_TYPE: Final = "application/json"


@dataclass(frozen=True)
class Request:
    """What is sent.

    Attributes:
        method: HTTP method.
        path: Path below the server's address, with its leading slash.
        body: The content; None: the request has none.
        headers: Those that matter, beside the ones that every request has.
        chunked: Whether the content goes out in chunks, without a Content-Length.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_error(self) -> bool:
        """Whether the status says that the request failed."""
        return self.status >= http.client.BAD_REQUEST

    @property
    def media_type(self) -> str:
        """The content type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            FailedError: it is something else.
        """
        return parse(self.body)

    def object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            FailedError: it is something else.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise FailedError(f"the body is {kind(value)}, not a JSON object")
        return value

    def require(self, *statuses: int) -> "Answer":
        """This answer, if its status is one of `statuses`.

        Raises:
            FailedError: it is another one.
        """
        if self.status not in statuses:
            expected = " or ".join(map(str, statuses))
            raise FailedError(f"status {self.status}, expected {expected}{self._reason()}")
        return self

    def require_error_object(self) -> None:
        """Check the error object.

        Raises:
            FailedError: the body does not have a text under `error`.
        """
        value = self.object()
        if "error" not in value:
            keys = ", ".join(f"'{key}'" for key in list(value)[:5]) or "none"
            raise FailedError(f"the answer (status {self.status}) has no key 'error'; its keys: {keys}")
        if not isinstance(value["error"], str) or not value["error"].strip():
            raise FailedError(f"'error' is {kind(value['error'])}, not a text that says something")

    def _reason(self) -> str:
        try:
            value = json.loads(self.body)
        except ValueError:
            return ""
        reason = value.get("error") if isinstance(value, dict) else None
        return f" (error: {reason[:200]})" if isinstance(reason, str) else ""


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, or with the reason why there is none."""

    request: Request
    answer: Answer | None
    problem: str = ""


def parse(body: bytes) -> Any:
    """A body as JSON; NaN and Infinity, which JSON does not have, are read as Python reads them.

    Raises:
        FailedError: it is not JSON.
    """
    if not body:
        raise FailedError("the body is empty, expected JSON")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FailedError(f"the body is not JSON: {body[:80]!r}") from error


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    name = names[type(value)]
    return (
        f"{name} ({json.dumps(value, ensure_ascii=False)[:80]})"
        if name in {"a boolean", "a number", "a string"}
        else name
    )
