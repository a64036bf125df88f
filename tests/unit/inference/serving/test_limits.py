"""Admission: the message for a refused client, and how often it is logged."""

import pytest

from inference.serving.limits import Admission, BurstLog, Peer, client_name
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


def test_a_refusal_names_the_limit(admission: Admission) -> None:
    """Too many requests, too many of one client, or too many bytes: the text says which, the header when to retry."""
    peer = Peer("10.0.0.1")
    for _ in range(50):
        admission.add_request(peer)
    assert admission.is_full(peer)
    assert not admission.is_full(Peer("10.0.0.2"))
    assert "50 requests of this client" in str(admission.refusal(peer))
    admission.in_flight = 100
    assert "100 requests are in flight" in str(admission.refusal(peer))
    assert ("retry-after", "1") in admission.refusal(peer).headers


def test_bytes_are_limited_in_total_and_per_client() -> None:
    """A client may hold half of what all may hold together."""
    admission = Admission(Settings(model_uri="unused", max_buffered_bytes=2_097_152 * 2))
    one, other = Peer("10.0.0.1"), Peer("10.0.0.2")
    admission.add_held_bytes(one, 2_097_153)
    assert admission.is_full(one)
    assert not admission.is_full(other)
    admission.add_held_bytes(one, -1)
    assert not admission.is_full(one)
    admission.add_held_bytes(other, 2_097_153)
    assert admission.is_full(one), "all together"
    assert "2097153 of this client" in str(admission.refusal(other))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_client(host: str, name: str) -> None:
    """Whoever has a /64 has all its addresses; an IPv4 address is the same in either notation."""
    assert client_name(host) == name


def test_the_mean_follows_the_cost(admission: Admission) -> None:
    """It converges to what requests cost now."""
    for _ in range(200):
        admission.add_cost(0.25)
    assert admission.mean_seconds == pytest.approx(0.25, rel=0.01)


def test_a_burst_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is reported at once, then nothing for a while, then how many there were."""
    now = 0.0
    monkeypatch.setattr("inference.serving.limits.time.monotonic", lambda: now)
    log = BurstLog(seconds=10)
    assert [log.add() for _ in range(5)] == [1, 0, 0, 0, 0]
    now = 11.0
    assert [log.add(), log.add()] == [5, 0]
