"""Lower case in slices is the same as `str.lower`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.model import lowercase
from inference.model.lowercase import lower

# Sigmas, letters with and without case, marks that `str.lower` looks past, and a letter that grows.
AWKWARD = st.text(alphabet="aA\u03a3\u03c2\u03c3 İıß.'\u0301\u00ad\u200d:·1_\n", max_size=60)


@pytest.fixture(params=[1, 2, 3, 7], autouse=True)
def slice_characters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowercase, "SLICE_CHARACTERS", request.param)


@given(text=AWKWARD | st.text(max_size=60))
def test_equals_str_lower(text: str) -> None:
    assert lower(text) == text.lower()


@pytest.mark.parametrize("text", ["AΣ", "AΣ\u0301\u0301\u0301A", "ΣΣΣΣΣΣ", "A\u0301\u0301\u0301\u0301Σ", "İΣİΣ İΣ"])
def test_decides_each_sigma_by_its_neighbours_in_other_slices(text: str) -> None:
    assert lower(text) == text.lower()


def test_no_step_is_much_longer_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text is never converted in one step."""
    monkeypatch.setattr(lowercase, "SLICE_CHARACTERS", 100)
    lengths: list[int] = []

    class Spy(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            found = str.__getitem__(self, key)  # type: ignore[index] # as the caller gives it
            lengths.append(len(found))
            return found

    assert lower(Spy("İΣ" * 5_000)) == ("İΣ" * 5_000).lower()
    assert max(lengths) <= 101
