"""The token bucket, on a clock of its own."""

import pytest

from inference.serving.callers import bucket
from inference.serving.callers.bucket import TokenBucket, whole_seconds


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bucket, "monotonic", clock)
    return clock


def accepted(found: TokenBucket, attempts: int) -> int:
    """How many of these attempts are accepted now."""
    return sum(not found.take_one() for _ in range(attempts))


def test_a_burst_is_accepted_and_then_the_rate(clock: Clock) -> None:
    found = TokenBucket(2, 5)
    assert accepted(found, 20) == 5
    clock.now += 1.5
    assert accepted(found, 20) == 3
    clock.now += 1_000
    assert accepted(found, 20) == 5


def test_over_a_long_time_the_rate_is_exact(clock: Clock) -> None:
    found = TokenBucket(0.5, 1)
    count = accepted(found, 3)
    for _ in range(12_800):
        clock.now += 1 / 128
        count += accepted(found, 3)
    assert count == 51  # a burst of 1, and 100 s at 0.5 per second


def test_the_wait_is_the_time_until_a_token_is_there(clock: Clock) -> None:
    found = TokenBucket(0.1, 1)
    found.take(1)
    assert found.wait_seconds() == pytest.approx(10)
    clock.now += 4
    assert found.wait_seconds() == pytest.approx(6)
    clock.now += 6
    assert found.wait_seconds() == pytest.approx(0)


def test_what_is_known_only_afterwards_is_owed(clock: Clock) -> None:
    found = TokenBucket(10, 600)
    found.take(1_000)
    assert found.wait_seconds() == pytest.approx(40.1)
    clock.now += 41
    assert found.wait_seconds() == 0


@pytest.mark.parametrize(("seconds", "expected"), [(0.001, 1), (1, 1), (1.2, 2), (59.01, 60)])
def test_retry_after_is_rounded_up(seconds: float, expected: int) -> None:
    assert whole_seconds(seconds) == expected
