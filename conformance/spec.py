"""The documents that the cases cite."""

from dataclasses import dataclass
from typing import Final

_PROTOCOL: Final = (
    "https://github.com/kserve/open-inference-protocol/blob/d49cc23f89d709d87b210ef9449e273ae243984e"
    "/specification/protocol/"
)
_EXTENSIONS: Final = (
    "https://github.com/triton-inference-server/server/blob/e1db8a603d863b1317ee859bdeea2be19959462e/docs/protocol/"
)
_RFC: Final = "https://www.rfc-editor.org/rfc/"


@dataclass(frozen=True)
class Source:
    """Where a sentence of a specification stands.

    Attributes:
        document: File of the specification, or the number of an RFC.
        section: Heading, path or section of the document.
        url: Address of the document, at the commit that the cases were written from.
    """

    document: str
    section: str
    url: str

    def __str__(self) -> str:
        return f"{self.document}, {self.section}"


def rest(section: str) -> Source:
    """A section of the protocol's text."""
    return Source("inference_rest.md", section, f"{_PROTOCOL}inference_rest.md")


def openapi(section: str) -> Source:
    """A path or schema of the protocol's OpenAPI document."""
    return Source("open_inference_rest.yaml", section, f"{_PROTOCOL}open_inference_rest.yaml")


def binary(section: str) -> Source:
    """A section of the binary tensor data extension."""
    return Source("extension_binary_data.md", section, f"{_EXTENSIONS}extension_binary_data.md")


def rfc(number: int, section: str) -> Source:
    """A section of an RFC."""
    return Source(f"RFC {number}", section, f"{_RFC}rfc{number}")
