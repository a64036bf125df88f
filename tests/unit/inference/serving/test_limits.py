"""Admission: what a refused client is told, and how often that is logged."""

import pytest

from inference.errors import NotReadyError, OverloadedError
from inference.serving.limits import Admission, BurstLog
from inference.settings import Settings


@pytest.fixture
def admission() -> Admission:
    return Admission(Settings(model_uri="unused", max_in_flight=100))


@pytest.mark.parametrize(("in_flight", "mean_seconds", "expected"), [(0, 0, 1), (100, 0.05, 5), (100, 10, 60)])
def test_retry_after_is_the_time_to_answer_what_is_in_flight(
    admission: Admission, in_flight: int, mean_seconds: float, expected: int
) -> None:
    """Whole seconds, at least 1 and at most a minute."""
    admission.in_flight, admission.mean_seconds = in_flight, mean_seconds
    assert admission.retry_after_seconds == expected


def test_tells_why_it_refuses(admission: Admission) -> None:
    """Too many requests, too many bytes, or too late: each says so."""
    admission.in_flight = 100
    reason, error = admission.refusal()
    assert (reason, type(error)) == ("in_flight", OverloadedError)
    assert "100 requests" in str(error)
    assert ("retry-after", "1") in error.headers
    admission.in_flight, admission.buffered_bytes = 1, 5
    assert "5 bytes" in str(admission.refusal()[1])
    admission.closed = True
    reason, error = admission.refusal()
    assert (reason, type(error)) == ("draining", NotReadyError)


def test_the_mean_follows_the_cost(admission: Admission) -> None:
    """It converges to what requests cost now."""
    for _ in range(200):
        admission.add_cost(0.25)
    assert admission.mean_seconds == pytest.approx(0.25, rel=0.01)


def test_a_burst_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is told at once, then nothing for a while, then how many there were."""
    now = 0.0
    monkeypatch.setattr("inference.serving.limits.time.monotonic", lambda: now)
    log = BurstLog(seconds=10)
    assert [log.add() for _ in range(5)] == [1, 0, 0, 0, 0]
    now = 11.0
    assert [log.add(), log.add()] == [5, 0]
