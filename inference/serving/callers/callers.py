"""The callers of the service: what each may do, and what each has done. Belongs to the event loop's thread."""

from collections.abc import Iterator
from typing import Final

from inference import contract
from inference.api_keys import ANONYMOUS, MAX_CALLERS, UNKNOWN
from inference.errors import ForbiddenError, RateLimitedError, UnauthorizedError
from inference.serving.callers.authentication import Authentication, Headers
from inference.serving.callers.bucket import TokenBucket, whole_seconds
from inference.serving.callers.keys import has_expired
from inference.settings import Settings


class Caller:
    """One caller.

    Args:
        name: Its name, from the Secret, or one of those above.
        settings: The limits.
        reasons: For which of the contract's REJECT_REASONS its requests may be refused.

    Attributes:
        name: The same.
        requests: Requests accepted: with a valid key, and within the limits.
        texts: Texts (or rows of tensors) that were answered.
        seconds: What parsing and predicting them took.
        rejected: Requests refused, by reason.
    """

    __slots__ = ("_requests_left", "_texts_left", "name", "rejected", "requests", "seconds", "texts")

    def __init__(self, name: str, settings: Settings, reasons: tuple[str, ...]) -> None:
        self.name = name
        self.requests = self.texts = 0
        self.seconds = 0.0
        self.rejected = dict.fromkeys(reasons, 0)
        rate, per_minute = settings.limit_requests_per_second, settings.limit_texts_per_minute
        self._requests_left = TokenBucket(rate, settings.limit_burst) if rate else None
        self._texts_left = TokenBucket(per_minute / 60, per_minute) if per_minute else None

    def admit(self) -> None:
        """Count a request.

        Raises:
            RateLimitedError: It is above a limit; it is counted as rejected.
        """
        requests, texts = self._requests_left, self._texts_left
        if texts is not None and (seconds := texts.wait_seconds()):
            raise self._refusal("texts", seconds)
        if requests is not None and (seconds := requests.take_one()):
            raise self._refusal("requests", seconds)
        self.requests += 1

    def _refusal(self, what: str, seconds: float) -> RateLimitedError:
        self.rejected[contract.RATE_LIMIT] += 1
        retry = whole_seconds(seconds)
        return RateLimitedError(f"this caller sends too many {what}; try again in {retry} s", retry_after_seconds=retry)

    def add_answered(self, texts: int, seconds: float) -> None:
        """Count texts that were answered, and what that took."""
        self.texts += texts
        self.seconds += seconds
        if self._texts_left is not None:
            self._texts_left.take(texts)


class Callers:
    """All callers.

    Args:
        settings: Whether keys are required, and the limits.

    Attributes:
        keys: The keys in force; None if no key is required.
        anonymous: The caller of every request where no key is required.
        unknown: Counts requests without a valid key.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._authentication: Final = Authentication(settings)
        self._named: dict[str, Caller] = {}
        self.keys: Final = self._authentication.keys
        self.anonymous: Final = Caller(ANONYMOUS, settings, (contract.RATE_LIMIT,))
        self.unknown: Final = Caller(UNKNOWN, settings, (contract.UNAUTHORIZED,))

    def admit(self, headers: Headers) -> Caller:
        """Count a request, and return its caller.

        Raises:
            UnauthorizedError, ForbiddenError: The request has no valid key.
            RateLimitedError: The caller is above a limit.
        """
        caller = self._authenticated(headers)
        caller.admit()
        return caller

    def _authenticated(self, headers: Headers) -> Caller:
        try:
            owner = self._authentication.owner(headers)
        except UnauthorizedError:
            self.unknown.rejected[contract.UNAUTHORIZED] += 1
            raise
        if owner is None:
            return self.anonymous
        caller = self._caller(owner.caller)
        if has_expired(owner):
            caller.rejected[contract.EXPIRED] += 1
            raise ForbiddenError(f"the API key of '{owner.caller}' has expired; ask the operator for a new one")
        return caller

    def __iter__(self) -> Iterator[Caller]:
        """Every caller that has a key or has had one, or the anonymous one."""
        if self.keys is None:
            yield self.anonymous
            return
        for name in self.keys.callers:
            self._caller(name)
        yield from self._named.values()
        yield self.unknown

    def _caller(self, name: str) -> Caller:
        caller = self._named.get(name)
        if caller is None:
            if len(self._named) >= 2 * MAX_CALLERS and self.keys is not None:  # names that are long gone
                self._named = {each: found for each, found in self._named.items() if each in self.keys.callers}
            caller = self._named[name] = Caller(name, self._settings, (contract.EXPIRED, contract.RATE_LIMIT))
        return caller
