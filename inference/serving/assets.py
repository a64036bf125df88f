"""The static files of the page and of the API viewer. They are read once, so no request reaches the file system."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from starlette.responses import Response

from inference.errors import NotFoundError

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMPRESSED: Final = ".gz"
_HEADERS: Final = {
    # The service's own files and answers only: no inline script or style, no other host, no frame of another site.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class _File(NamedTuple):
    content: bytes
    headers: dict[str, str]


class Assets:
    """The files of one folder.

    A file `x.gz` is the file `x`, compressed. It is sent so to every client, because every browser decompresses it.

    Args:
        folder: The folder; it is read once.
    """

    def __init__(self, folder: Path) -> None:
        self._files: Final = dict(map(_read, _served(folder)))

    def response(self, name: str, if_none_match: str = "") -> Response:
        """Return the file `name`, or 304 if the client already has it.

        Raises:
            NotFoundError: The folder has no such file.
        """
        if name not in self._files:
            raise NotFoundError(f"file '{name[:100]}' does not exist")
        content, headers = self._files[name]
        if headers["etag"] in if_none_match:
            return Response(status_code=304, headers={key: headers[key] for key in (*_HEADERS, "etag")})
        return Response(content, headers=headers)


def _served(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if Path(file.name.removesuffix(_COMPRESSED)).suffix in _TYPES)


def _read(file: Path) -> tuple[str, _File]:
    content, name = file.read_bytes(), file.name.removesuffix(_COMPRESSED)
    headers = {"content-type": _TYPES[Path(name).suffix], "etag": f'"{sha256(content).hexdigest()[:32]}"', **_HEADERS}
    if name != file.name:
        headers["content-encoding"] = "gzip"
    return name, _File(content, headers)
