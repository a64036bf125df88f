"""The errors that the service raises on purpose: those that end its start, and those that a client reads.

Domain code raises; `inference.serving` turns a `RequestError` into an answer, in one place.
"""

from typing import ClassVar, Final

_EXCERPT_CHARACTERS: Final = 160


def excerpt(value: object) -> str:
    """The beginning of `value` as one printable line, for messages about content of unknown size and origin."""
    text = str(value)
    shown = "".join(character if character.isprintable() else " " for character in text[:_EXCERPT_CHARACTERS])
    return shown if len(text) <= _EXCERPT_CHARACTERS else f"{shown} ..."


class InferenceError(Exception):
    """An expected failure; its text is one line that a person can act on."""


class ArtifactError(InferenceError):
    """The model artifact is missing, truncated, changed, or of an unknown format: a retry does not help."""


class ConversionError(InferenceError):
    """A file cannot be imported as it is; the message names the part and what to do."""


class StoreError(InferenceError):
    """The store refuses permanently: no such bucket, object or permission, or not the requested digest."""


class StoreUnavailableError(StoreError):
    """The store does not answer, or asks to try again later: a retry may help."""


class ModelInputError(InferenceError):
    """The model cannot run on the values of a request, though datatypes and shapes are right."""


class RequestError(InferenceError):
    """A request that is refused. Its text is the `detail` that the client reads.

    Attributes:
        status: HTTP status code.
        title: What went wrong, the same for every occurrence.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad Request"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers that the answer must have."""
        return ()


class BadRequestError(RequestError):
    """The body is not JSON, or the HTTP itself is broken."""


class UnauthorizedError(RequestError):
    """The request has no valid API key.

    Args:
        detail: What the client reads.
        is_invalid: Whether the request has a key, which is not valid.
    """

    status = 401
    title = "Unauthorized"

    def __init__(self, detail: str, *, is_invalid: bool = False) -> None:
        super().__init__(detail)
        self._is_invalid = is_invalid

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`WWW-Authenticate`, which RFC 9110 requires, as RFC 6750 defines it for bearer tokens."""
        error = ', error="invalid_token"' if self._is_invalid else ""
        return (("www-authenticate", f'Bearer realm="tenantry"{error}'),)


class ForbiddenError(RequestError):
    """The API key is known, but no longer allowed."""

    status = 403
    title = "Forbidden"


class NotFoundError(RequestError):
    """No such route, model or version."""

    status = 404
    title = "Not Found"


class MethodNotAllowedError(RequestError):
    """The route exists, but not for this method.

    Args:
        detail: What the client reads.
        allow: The methods that the route has, as the header `Allow` lists them.
    """

    status = 405
    title = "Method Not Allowed"

    def __init__(self, detail: str, *, allow: str) -> None:
        super().__init__(detail)
        self.allow = allow

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Allow`, which RFC 9110 requires."""
        return (("allow", self.allow),)


class RequestTimeoutError(RequestError):
    """Headers or body did not arrive in time."""

    status = 408
    title = "Request Timeout"


class PayloadTooLargeError(RequestError):
    """The body has more bytes than the service reads."""

    status = 413
    title = "Content Too Large"


class UnsupportedMediaTypeError(RequestError):
    """The body has a content encoding that the service does not support."""

    status = 415
    title = "Unsupported Media Type"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Accept-Encoding`, by which RFC 9110 (12.5.3) lets a server say what it supports."""
        return (("accept-encoding", "gzip"),)


class InvalidInputError(RequestError):
    """The JSON is well-formed, but does not match the schema of the route."""

    status = 422
    title = "Unprocessable Content"


class OverloadedError(RequestError):
    """More requests than the service, or the caller's limit, allows.

    Args:
        detail: What the client reads.
        retry_after_seconds: After how long a retry is likely to succeed; whole seconds, at least 1.
    """

    status = 429
    title = "Too Many Requests"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Retry-After`, in seconds."""
        return (("retry-after", str(self.retry_after_seconds)),)


class RateLimitedError(OverloadedError):
    """The caller sends more than its limit allows."""


class HeadersTooLargeError(RequestError):
    """The headers have more bytes than the service reads."""

    status = 431
    title = "Request Header Fields Too Large"


class NotReadyError(RequestError):
    """No model is loaded yet, or the service is shutting down."""

    status = 503
    title = "Service Unavailable"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Retry-After`: a model loads in about a second."""
        return (("retry-after", "1"),)
