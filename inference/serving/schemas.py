"""The JSON of POST /predict and of the service's other own routes.

msgspec decodes and encodes these classes, and the OpenAPI document is generated from them, so it cannot differ.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType


class PredictRequest(Struct, forbid_unknown_fields=True):
    """One text, or several."""

    text: Annotated[
        str | Annotated[list[str], Meta(min_length=1)],
        Meta(
            description="A text, or a list of texts; a list gets a list of answers.", examples=["Win a free prize now"]
        ),
    ]
    explain: Annotated[bool, Meta(description="Whether to list the terms that the prediction depends on.")] = False
    probabilities: Annotated[bool, Meta(description="Whether to list the probability of every label.")] = False


class RecordsRequest(Struct, forbid_unknown_fields=True):
    """One record, or several."""

    inputs: Annotated[
        dict[str, Any] | Annotated[list[dict[str, Any]], Meta(min_length=1)],
        Meta(
            description="A record with a value for each feature, null if it is missing; or a list of records, which"
            " gets a list of answers. A model that is not tabular takes a row of each input instead.",
        ),
    ]
    probabilities: Annotated[
        bool, Meta(description="Whether to list the probability of every label; only for a classifier.")
    ] = False


class TermWeight(Struct, frozen=True):
    """An occurrence of a known term in the text, and its effect on the prediction."""

    term: Annotated[str, Meta(description="The term, in lower case.")]
    start: Annotated[int, Meta(description="Index of its first character in the text, in Unicode code points.")]
    end: Annotated[int, Meta(description="Index after its last character.")]
    weight: Annotated[
        float,
        Meta(
            description="What it adds to the log odds of the predicted label against the second most probable one;"
            " a negative weight is evidence against the prediction."
        ),
    ]


class PredictResponse(Struct):
    """The answer to one text."""

    prediction: Annotated[str, Meta(description="The most probable label.")]
    confidence: Annotated[float, Meta(description="The probability of that label.", ge=0, le=1)]
    explanation: Annotated[
        list[TermWeight] | UnsetType,
        Meta(description="The terms with the largest weights first; absent unless `explain` is true."),
    ] = UNSET
    probabilities: Annotated[
        dict[str, float] | UnsetType,
        Meta(description="The probability of every label; absent unless `probabilities` is true."),
    ] = UNSET
    known_words: Annotated[
        int | UnsetType,
        Meta(
            description="How many words of the text the model knows; for a model of characters, how many of its"
            " shortest n-grams. If it is 0, the prediction says what is most common in the training data, not what the"
            " text is. Absent unless `explain` or `probabilities` is true.",
        ),
    ] = UNSET


class BatchResponse(Struct, frozen=True):
    """The answers to a list of texts, in the same order."""

    predictions: list[PredictResponse]


class ValuesResponse(Struct, frozen=True):
    """The answer to one record of a model that is not a classifier."""

    values: Annotated[
        dict[str, Any], Meta(description="Each output by name: a value, or a list if a row has more than one.")
    ]


class ValuesBatchResponse(Struct, frozen=True):
    """The answers to a list of records, in its order."""

    predictions: list[ValuesResponse]


class Problem(Struct, frozen=True, omit_defaults=True):
    """A problem document (RFC 9457, application/problem+json)."""

    status: Annotated[int, Meta(description="The HTTP status code.", ge=400, le=599)]
    title: Annotated[str, Meta(description="The kind of problem.")]
    detail: Annotated[str, Meta(description="What is wrong with this request.")]
    type: Annotated[str, Meta(description="`about:blank`: the status code identifies the problem.")] = "about:blank"


class Health(Struct, frozen=True):
    """The answer to a probe."""

    status: Annotated[str, Meta(description="`ok`.")]


class ModelCard(Struct, frozen=True):
    """The loaded model, and how accurate it is."""

    name: str
    version: Annotated[str, Meta(description="The first 12 hexadecimal digits of the digest.")]
    digest: Annotated[str, Meta(description="SHA-256 of the manifest, 64 hexadecimal digits.")]
    scorer: Annotated[str, Meta(description="`compiled`, `python` or the version of ONNX Runtime.")]
    labels: list[str]
    manifest: Annotated[dict[str, Any], Meta(description="The manifest: training data, settings and hold-out metrics.")]
