"""How a text is prepared for the n-grams of format 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.model import ngrams
from inference.model.manifest import NgramFeatures
from inference.model.ngrams import prepare


def features(analyzer: str, strip_accents: str | None) -> NgramFeatures:
    """A vectorizer that differs from the default in these two settings."""
    return NgramFeatures(
        analyzer=analyzer,  # type: ignore[arg-type] # one of the three
        lowercase=True,
        strip_accents=strip_accents,  # type: ignore[arg-type] # one of the three
        pattern=None,
        stop_words=(),
        ngram_range=(1, 1),
        binary=False,
        sublinear_tf=False,
        norm="l2",
        terms=1,
    )


@pytest.mark.parametrize("slice_characters", [1, 2, 3])
@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("strip_accents", [None, "ascii", "unicode"])
@given(text=st.text(alphabet="aÉe\u0301\u0323 \t\n\u2003각\u017f\ufb01", max_size=20))
def test_slices_do_not_change_the_text(
    slice_characters: int, analyzer: str, strip_accents: str | None, text: str
) -> None:
    """A long text is prepared in slices, so that other threads get their turn; the result is the same."""
    settings = features(analyzer, strip_accents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "SLICE_CHARACTERS", slice_characters)
        sliced = prepare(settings, text)
    assert sliced == prepare(settings, text)
