"""Everything that the service raises on purpose: what ends a start, and what a client is told.

Domain code raises; `inference.serving.routes` turns a `RequestError` into an answer, in one place.
"""

from typing import ClassVar


class InferenceError(Exception):
    """Something went wrong that has a name; its text is one line that a person can act on."""


class ArtifactError(InferenceError):
    """The model artifact is missing, truncated, tampered with or too new: no retry helps."""


class StoreError(InferenceError):
    """The store refuses for good: no such bucket, key or right, or another digest than was asked for."""


class StoreUnavailableError(StoreError):
    """The store does not answer, or not now: worth another try."""


class RequestError(InferenceError):
    """A request that cannot be answered as asked. Its text is the `detail` that the client reads.

    Attributes:
        status: HTTP status code.
        title: What went wrong, the same for every occurrence.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad Request"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers that belong to the answer."""
        return ()


class BadRequestError(RequestError):
    """The body is not JSON, or the HTTP itself is broken."""


class NotFoundError(RequestError):
    """No such route, model or version."""

    status = 404
    title = "Not Found"


class MethodNotAllowedError(RequestError):
    """The route is there, but not for this method.

    Args:
        detail: What the client reads.
        allow: The methods that are, as the header `Allow` lists them.
    """

    status = 405
    title = "Method Not Allowed"

    def __init__(self, detail: str, *, allow: str) -> None:
        super().__init__(detail)
        self.allow = allow

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Allow`, which RFC 9110 asks for."""
        return (("allow", self.allow),)


class RequestTimeoutError(RequestError):
    """Headers or body did not come in time."""

    status = 408
    title = "Request Timeout"


class PayloadTooLargeError(RequestError):
    """The body has more bytes than the service reads."""

    status = 413
    title = "Content Too Large"


class UnsupportedMediaTypeError(RequestError):
    """The body is encoded in a way that the service does not decode."""

    status = 415
    title = "Unsupported Media Type"


class InvalidInputError(RequestError):
    """The JSON is well-formed, but not what the route takes."""

    status = 422
    title = "Unprocessable Content"


class OverloadedError(RequestError):
    """More requests are in flight than the service takes at a time.

    Args:
        detail: What the client reads.
        retry_after_seconds: When another try is likely to succeed; whole seconds, at least 1.
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


class HeadersTooLargeError(RequestError):
    """The headers have more bytes than the service reads."""

    status = 431
    title = "Request Header Fields Too Large"


class NotReadyError(RequestError):
    """No model is loaded yet, or the service is on its way out."""

    status = 503
    title = "Service Unavailable"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """`Retry-After`: a model loads in about a second."""
        return (("retry-after", "1"),)
