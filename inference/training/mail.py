"""The text of a raw mail: its subject and its body without markup.

The subject is the only header that is kept: routes, dates and mailers show where the corpus collected a mail, and with
it the label, which a classifier of texts must not learn.
"""

import email
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from html.parser import HTMLParser

_UNSEEN = frozenset({"head", "script", "style", "title"})
_ENCODED = frozenset({"base64", "quoted-printable", "uuencode", "x-uuencode", "uue", "x-uue"})
_BLANK = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


def mail_text(raw: str) -> str:
    """Subject, an empty line, body: what a reader of the mail `raw` sees. Never fails; the result may be empty."""
    message = email.message_from_string(raw)
    parts = [part for part in message.walk() if not part.is_multipart() and part.get_filename() is None]
    texts = [_content(part) for part in parts if part.get_content_type() == "text/plain"]
    if not any(text.strip() for text in texts):
        texts = [html_text(_content(part)) for part in parts if part.get_content_type() == "text/html"]
    return _tidy("\n\n".join([_subject(message), *texts]))


def html_text(markup: str) -> str:
    """The text that a reader sees in `markup`: no tags, comments, scripts or styles; entities resolved."""
    extractor = _TextExtractor()
    extractor.feed(markup)
    extractor.close()
    return "".join(extractor.pieces)


class _TextExtractor(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its signature
        if self._unseen is None and tag in _UNSEEN:
            self._unseen = tag
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = None
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if self._unseen is None:
            self.pieces.append(data)


def _subject(message: Message) -> str:
    raw = message.get("Subject", "")
    return "".join(_decoded_pieces(str(raw))).replace("\n", " ").strip()


def _decoded_pieces(raw: str) -> Iterator[str]:
    try:
        pieces = decode_header(raw)
    except HeaderParseError:
        pieces = [(raw, None)]
    for piece, charset in pieces:
        yield piece if isinstance(piece, str) else _decode(piece, charset)


def _content(part: Message) -> str:
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding in _ENCODED:
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            return _decode(content, part.get_content_charset())
    return str(part.get_payload())


def _decode(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return content.decode("latin-1")


def _tidy(text: str) -> str:
    text = _BLANK.sub(" ", text.replace("\r", "").replace("\x00", ""))
    return _BLANK_LINES.sub("\n\n", text).strip()
