"""The settings and terms of one vectorizer."""

import re
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from inference.errors import ConversionError
from inference.model.manifest import MAX_BUCKETS, MAX_NGRAM, Hashing, NgramFeatures

DEFAULT_PATTERN: Final = r"(?u)\b\w\w+\b"


def read_vectorizer(name: str, vectorizer: CountVectorizer) -> tuple[NgramFeatures, list[str]]:
    """Settings and terms of a vectorizer with a vocabulary, before any weighting.

    Raises:
        ConversionError: a setting cannot be converted exactly.
    """
    terms = [str(term) for term in vectorizer.get_feature_names_out()]
    if "" in terms:
        raise ConversionError(f"step '{name}' has an empty term; use a token_pattern that does not match nothing")
    return _features(name, vectorizer, terms=len(terms)), terms


def read_hashing(name: str, vectorizer: HashingVectorizer) -> NgramFeatures:
    """Settings of a vectorizer that has no vocabulary.

    Raises:
        ConversionError: a setting cannot be converted exactly.
    """
    buckets = vectorizer.n_features
    if buckets > MAX_BUCKETS:
        raise ConversionError(
            f"step '{name}' has n_features={buckets}; at most {MAX_BUCKETS:,} are supported, use 2**20 or fewer"
        )
    hashing = Hashing(buckets=int(buckets), alternate_sign=bool(vectorizer.alternate_sign), unseen=False)
    return _features(name, vectorizer, terms=int(buckets), norm=vectorizer.norm, hashing=hashing)


def _features(
    name: str, vectorizer: Any, *, terms: int, norm: Any = None, hashing: Hashing | None = None
) -> NgramFeatures:
    settings = vectorizer.get_params()
    _check(name, settings)
    words = settings["analyzer"] == "word"
    pattern: str | None = settings["token_pattern"] if words else None
    if pattern is not None and re.compile(pattern).groups > 1:
        raise ConversionError(f"step '{name}' has a token_pattern of several groups; at most one is supported")
    least, most = settings["ngram_range"]
    return NgramFeatures(
        analyzer=settings["analyzer"],
        lowercase=bool(settings["lowercase"]),
        strip_accents=settings["strip_accents"],
        pattern=None if pattern in {None, DEFAULT_PATTERN, r"\b\w\w+\b"} else pattern,
        stop_words=tuple(sorted(vectorizer.get_stop_words() or ())) if words else (),
        ngram_range=(int(least), int(most)),
        binary=bool(settings["binary"]),
        sublinear_tf=False,
        norm=norm,
        terms=terms,
        hashing=hashing,
    )


def _check(name: str, settings: dict[str, Any]) -> None:
    for setting in ("preprocessor", "tokenizer"):
        if settings[setting] is not None:
            raise ConversionError(
                f"step '{name}' has its own {setting}, which is code; use settings of the vectorizer instead"
            )
    if callable(settings["analyzer"]):
        raise ConversionError(f"step '{name}' has its own analyzer, which is code; use 'word', 'char' or 'char_wb'")
    if settings["strip_accents"] not in {None, "ascii", "unicode"}:
        raise ConversionError(f"step '{name}' has its own strip_accents, which is code; use 'ascii' or 'unicode'")
    if settings["input"] != "content":
        raise ConversionError(f"step '{name}' reads {settings['input']}s, a service answers texts; set input='content'")
    if np.dtype(settings["dtype"]) == np.float32:
        raise ConversionError(
            f"step '{name}' rounds to float32, so it cannot be converted exactly; fit it with float64"
        )
    most = settings["ngram_range"][1]
    if most > MAX_NGRAM:
        raise ConversionError(f"step '{name}' has n-grams of up to {most}; at most {MAX_NGRAM} are supported")
