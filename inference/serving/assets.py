"""The static files of the page and of the API's documentation, held in memory: no request reaches a file system."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import Response

from inference.errors import NotFoundError

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS: Final = {
    # Only the service's own files and answers: no script from elsewhere, and no frame of another site.
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class Assets:
    """The files of one folder.

    Args:
        folder: Where they are; it is read once.
    """

    def __init__(self, folder: Path) -> None:
        self._files: Final = {
            file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in folder.iterdir() if file.suffix in _TYPES
        }
        self._etags: Final = {
            name: f'"{sha256(content).hexdigest()[:32]}"' for name, (content, _) in self._files.items()
        }

    def response(self, name: str, if_none_match: str = "") -> Response:
        """The file `name`, or 304 if the client has it already.

        Raises:
            NotFoundError: The folder has no such file.
        """
        if name not in self._files:
            raise NotFoundError(f"there is no file '{name[:100]}' here")
        content, content_type = self._files[name]
        headers = {**_HEADERS, "etag": self._etags[name]}
        if self._etags[name] in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(content, headers={"content-type": content_type, **headers})
