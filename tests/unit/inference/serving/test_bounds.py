"""How much a JSON body holds is counted before it is decoded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.bounds import count_values, value_counter
from inference.settings import Settings

JSON_VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


def expected(value: Any) -> int:
    """A comma between members, and an opening for each list or object."""
    if isinstance(value, dict | list):
        members = list(value.values()) if isinstance(value, dict) else value
        return 1 + max(len(members) - 1, 0) + sum(map(expected, members))
    return 0


@given(value=JSON_VALUES, ascii_only=st.booleans())
def test_counts_what_stands_outside_strings(value: Any, ascii_only: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
    """Commas and brackets in texts count for nothing."""
    assert count_values(json.dumps(value, ensure_ascii=ascii_only).encode()) == expected(value)


@given(body=st.binary() | st.text(alphabet='",[{\\a').map(str.encode))
def test_the_compiled_counter_is_the_same(body: bytes) -> None:
    """Also for bytes that are not JSON."""
    assert value_counter()(body) == count_values(body)


def test_the_limit_admits_the_largest_request() -> None:
    """As many texts as a request may have, nested as the protocol allows, are below the limit."""
    texts = Settings(model_uri="unused").max_texts
    body = {
        "inputs": [{"name": "text", "shape": [texts, 1], "datatype": "BYTES", "data": [["a,[{"]] * texts}],
        "outputs": [{"name": "label"}] * 10,
    }
    assert count_values(json.dumps(body).encode()) < 4 * texts + 1_000


@pytest.mark.parametrize("body", [b'"\\', b'"a', b'"\\"'])
def test_an_unfinished_string_is_a_string(body: bytes) -> None:
    """It ends with the body."""
    assert value_counter()(body + b"[[") == count_values(body + b"[[") == 0
