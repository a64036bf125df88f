"""Decides who calls, by the API key of a request."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from inference.errors import UnauthorizedError
from inference.serving.callers.keys import KeyRing, Owner
from inference.settings import Settings

_AUTHORIZATION: Final = b"authorization"
_API_KEY: Final = b"x-api-key"
_BEARER: Final = b"bearer "
Headers = Sequence[tuple[bytes, bytes]]


class Authentication:
    """Requires an API key if the settings name a folder of keys.

    Args:
        settings: The settings of the process.

    Attributes:
        keys: The keys in force; None if no key is required.
    """

    def __init__(self, settings: Settings) -> None:
        self.keys: Final = KeyRing(Path(settings.api_keys_dir)) if settings.api_keys_dir else None
        if self.keys is not None:
            self.keys.reload()

    def owner(self, headers: Headers) -> Owner | None:
        """The owner of the key of a request, also if the key has expired; None if no key is required.

        Raises:
            UnauthorizedError: The request has no key, several keys, or an unknown one.
        """
        if self.keys is None:
            return None
        key = None
        for name, value in headers:
            if name == _AUTHORIZATION:
                if value[: len(_BEARER)].lower() != _BEARER:
                    continue  # credentials of other schemes are not keys
                found = value[len(_BEARER) :].strip()
            elif name == _API_KEY:
                found = value.strip()
            else:
                continue
            if key is not None:
                raise UnauthorizedError("the request has several API keys; send one", is_invalid=True)
            key = found
        if key is None:
            raise UnauthorizedError("an API key is required; send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'")
        owner = self.keys.find(key)
        if owner is None:
            raise UnauthorizedError("the API key is not valid; it may be misspelled or revoked", is_invalid=True)
        return owner
