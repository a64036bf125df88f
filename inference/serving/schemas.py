"""What goes in and comes out of POST /predict, and of the other routes that are the service's own.

msgspec reads and writes these; the OpenAPI document is made of the same classes, so it says what the code does.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType


class PredictRequest(Struct, forbid_unknown_fields=True):
    """One text, or several."""

    text: Annotated[
        str | Annotated[list[str], Meta(min_length=1)],
        Meta(description="A text, or a list of texts, which is answered by a list.", examples=["Win a free prize now"]),
    ]
    explain: Annotated[bool, Meta(description="Whether to list the words that pushed the answer.")] = False


class TermPush(Struct, frozen=True):
    """A known term in the text, and what it did to the answer."""

    term: Annotated[str, Meta(description="The term, in lower case.")]
    start: Annotated[int, Meta(description="Its first character in the text, counted in Unicode code points.")]
    end: Annotated[int, Meta(description="The character behind its last.")]
    weight: Annotated[
        float,
        Meta(description="What it adds to the log odds of the answer against the runner-up; below 0: against it."),
    ]


class PredictResponse(Struct, frozen=True):
    """The answer to one text."""

    prediction: Annotated[str, Meta(description="The most probable label.")]
    confidence: Annotated[float, Meta(description="Its probability.", ge=0, le=1)]
    explanation: Annotated[
        list[TermPush] | UnsetType, Meta(description="The strongest terms first; there when `explain` was true.")
    ] = UNSET


class BatchResponse(Struct, frozen=True):
    """The answers to a list of texts, in its order."""

    predictions: list[PredictResponse]


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong, as RFC 9457 (application/problem+json) wants it."""

    status: Annotated[int, Meta(description="The HTTP status code once more.", ge=400, le=599)]
    title: Annotated[str, Meta(description="The kind of problem.")]
    detail: Annotated[str, Meta(description="What was wrong with this request.")]
    type: Annotated[str, Meta(description="`about:blank`: the status code says it all.")] = "about:blank"


class Health(Struct, frozen=True):
    """The answer to a probe."""

    status: Annotated[str, Meta(description="`ok`, or why not.")]


class ModelCard(Struct, frozen=True):
    """What the model is, and how well it does."""

    name: str
    version: Annotated[str, Meta(description="The first 12 hexadecimal digits of the digest.")]
    digest: Annotated[str, Meta(description="SHA-256 of the manifest, 64 hexadecimal digits.")]
    scorer: Annotated[str, Meta(description="`compiled` or `python`: the same answers at another speed.")]
    labels: list[str]
    manifest: Annotated[dict[str, Any], Meta(description="What training wrote: data, settings, hold-out report.")]
