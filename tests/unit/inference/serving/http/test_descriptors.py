"""How many connections the limit of open files allows."""

import resource

import pytest

from inference.serving.http.descriptors import RESERVED, connections_that_fit

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "raised_to", "expected"),
    [
        (5_000, 5_000, None, 4_096),
        (INFINITE, INFINITE, None, 4_096),
        (1_024, 1_048_576, 4_096 + RESERVED, 4_096),
        (1_024, INFINITE, 4_096 + RESERVED, 4_096),
        (1_024, 1_024, 1_024, 1_024 - RESERVED),
        (256, 512, 512, 512 - RESERVED),
        (50, 50, 50, 1),
    ],
)
def test_raises_the_limit_as_far_as_possible(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised_to: int | None, expected: int
) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.append(limits))
    assert connections_that_fit(4_096) == expected
    assert found == ([] if raised_to is None else [(raised_to, hard)])
