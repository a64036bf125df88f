"""Texts in BYTES tensors."""

import json
import math
from typing import Final

from conformance.case import Cases, Check
from conformance.outcomes import FailedError, UnclearError
from conformance.spec import rest, rfc
from conformance.target import Target
from conformance.tensors import Tensor

cases: Final = Cases()
_TYPES: Final = rest("Tensor Data Types")
TEXTS: Final = {
    "empty": ("", "An element of BYTES may be empty."),
    "accents": ("naïve café, Größe, Ελλάδα, привет, 漢字, עברית", "A string may have characters beyond ASCII."),
    "emoji": ("👩‍👩‍👧 🇺🇳 😀", "A string may have characters beyond the first 65,536, which JSON escapes as pairs."),
    "escapes": ('"quoted" \\back\\slash\\ /slash/ \t\r\n\b\f', "A string may have characters that JSON escapes."),
    "controls": ("\x01\x02\x1f\x7f\x85\u2028\u2029", "A string may have control characters, escaped in JSON."),
    "nul": ("before\x00after", "A string may have a NUL character, escaped in JSON; it does not end the string."),
    "combining": (
        "e\u0301 \u200b\ufeff\u202e",
        "A string comes through as it is: not composed, stripped or reordered.",
    ),
    "numeric": ("007", "A string of digits is a string."),
    "long": ("0123456789" * 10_000, "An element of BYTES may have up to 2^32 bytes; here it has 100,000."),
}


def _text_case(text: str, sentence: str) -> Check:
    def check(target: Target) -> None:
        tensor = target.input_of("BYTES")
        answer = target.send(target.inference(target.fill(tensor, [text])))
        if answer.is_error and tensor.name not in target.echoes:
            raise UnclearError(f"refused with status {answer.status}: the model may not take this text")
        found = target.echoed(tensor, answer.require(200).object())
        if found is not None and (not found or any(element != text for element in found)):
            raise FailedError(f"{text[:60]!r} came back as {found[:1]!r}"[:300])

    check.__doc__ = sentence
    return check


for _name, (_text, _says) in TEXTS.items():
    cases.case(
        f"bytes.{_name}",
        "must",
        _TYPES,
        expects="Status 200; where an output repeats the input, the text as it was sent.",
    )(_text_case(_text, _says))


@cases.case("bytes.escaped-or-raw", "must", rfc(8259, "section 7"), expects="The outputs of the same text, unescaped.")
def escaped_or_raw(target: Target) -> None:
    """A character in a JSON string may be escaped or not; the string is the same."""
    tensor = target.input_of("BYTES")
    body = target.fill(tensor, ["prix à gagner 😀"])
    escaped = json.dumps(body, ensure_ascii=True).encode()
    target.require_same(target.inference(escaped), "with the text unescaped", reference=body)


@cases.case("bytes.order", "must", rest("Tensor Data"), expects="The texts in the order in which they were sent.")
def order(target: Target) -> None:
    """Elements are given in linear order."""
    tensor = target.input_of("BYTES", echoed=True)
    texts = [f"text {number}" for number in range(_count(target, tensor))]
    found = target.echoed(tensor, target.ask(target.fill(tensor, list(texts))))
    if found != texts:
        raise FailedError(f"{texts} came back as {found}"[:300])


@cases.case(
    "bytes.lone-surrogate",
    "unclear",
    rfc(8259, "section 8.2"),
    expects="JSON's grammar allows half of a surrogate pair, which is not a character; receivers may differ.",
)
def lone_surrogate(target: Target) -> str:
    """A string may have an escape that is half of a pair."""
    tensor = target.input_of("BYTES")
    text = json.dumps(target.fill(tensor, ["@"])).replace('"@"', '"\\ud83d"').encode()
    return f"status {target.send(target.inference(text)).status}"


def _count(target: Target, tensor: Tensor) -> int:
    shape = target.shapes[tensor.name]
    return 5 * math.prod(shape[1:]) if tensor.shape[0] == -1 else len(tensor.elements(shape))
