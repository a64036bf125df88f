"""Limits per caller, and what is counted for each, in a running service."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference import api_keys
from inference.api_keys import ApiKey
from tests.models import write_tiny_model
from tests.service import Service, answers, read_all, service

BODY = b'{"text": "free money"}'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("shop", "web"):
        (folder / name).write_text(api_keys.entry_text([ApiKey(api_keys.digest_of(name.encode()))]))
    return folder


@pytest.fixture
def limited(model: Path, keys: Path, tmp_path: Path) -> Iterator[Service]:
    """Ten requests at once per caller, and then one in 100 seconds: time plays no role in the tests."""
    limits: dict[str, Any] = {"limit_requests_per_second": 0.01, "limit_burst": 10}
    with service(model, tmp_path / "log", api_keys_dir=keys, **limits) as running:
        yield running


def ask(
    running: Service, count: int, key: str = "", body: bytes = BODY, path: str = "/predict"
) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers to so many equal requests on one connection."""
    header = f"X-API-Key: {key}\r\n".encode() if key else b""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n" % (path.encode(), header, len(body))
    with running.connect() as client:
        client.sendall((head + b"\r\n" + body) * (count - 1) + head + b"Connection: close\r\n\r\n" + body)
        return answers(read_all(client))


def statuses(running: Service, count: int, key: str = "", body: bytes = BODY) -> Counter[int]:
    return Counter(answer[0] for answer in ask(running, count, key, body))


def rejected(caller: str, reason: str) -> str:
    return f'inference_caller_requests_rejected_total{{caller="{caller}",reason="{reason}"}}'


def test_requests_above_the_limit_are_refused_with_the_time_to_wait(limited: Service) -> None:
    found = ask(limited, 12, "shop")
    assert [answer[0] for answer in found] == [200] * 10 + [429] * 2
    _, headers, body = found[-1]
    assert 90 <= int(headers["retry-after"]) <= 100
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["detail"].startswith("this caller sends too many requests; try again in ")
    (refused,) = ask(limited, 1, "shop", b"{}", "/v2/models/spam/infer")
    assert refused[0] == 429
    assert list(json.loads(refused[2])) == ["error"]


def test_each_caller_has_its_own_share(limited: Service) -> None:
    assert statuses(limited, 1_000, "shop") == {200: 10, 429: 990}
    assert statuses(limited, 10, "web") == {200: 10}


def test_requests_without_a_valid_key_take_nobodys_share(limited: Service) -> None:
    assert statuses(limited, 100, "wrong") == {401: 100}
    assert statuses(limited, 10, "shop") == {200: 10}


def test_limited_requests_are_shed_with_a_reason_of_their_own(limited: Service) -> None:
    """They are no errors of the service: outcome `shed` is not in the error budget."""
    statuses(limited, 15, "shop")
    found = limited.metrics()
    assert found['inference_requests_shed_total{reason="rate_limit"}'] == 5
    assert found['inference_requests_shed_total{reason="in_flight"}'] == 0
    assert found['inference_requests_total{outcome="shed",route="predict"}'] == 5
    assert found['inference_requests_total{outcome="ok",route="predict"}'] == 10
    assert found['inference_requests_total{outcome="client_error",route="predict"}'] == 0


def test_requests_texts_and_rejections_are_counted_per_caller(limited: Service) -> None:
    statuses(limited, 3, "shop", b'{"text": ["a", "b", "c", "d"]}')
    statuses(limited, 9, "shop")
    statuses(limited, 2, "web", b"not JSON")
    statuses(limited, 4, "wrong")
    found = limited.metrics()

    def counts(caller: str, *reasons: str) -> tuple[float, ...]:
        names = (f'inference_caller_{name}_total{{caller="{caller}"}}' for name in ("requests", "texts"))
        return tuple(found[name] for name in (*names, *(rejected(caller, reason) for reason in reasons)))

    assert counts("shop", "rate_limit", "expired") == (10, 3 * 4 + 7, 2, 0)
    assert counts("web", "rate_limit", "expired") == (2, 0, 0, 0)
    assert counts("unknown", "unauthorized") == (0, 0, 4)
    assert 'inference_caller_requests_total{caller="anonymous"}' not in found


def test_the_time_that_a_callers_predictions_take_is_counted(limited: Service) -> None:
    statuses(limited, 1, "shop", json.dumps({"text": ["free money " * 2_000] * 5}).encode())
    statuses(limited, 1, "web", b'{"text": "free"}')
    found = limited.metrics()
    shop, web = (found[f'inference_caller_work_seconds_total{{caller="{name}"}}'] for name in ("shop", "web"))
    assert shop > web > 0
    phases = sum(found[f'inference_phase_duration_seconds_sum{{phase="{phase}"}}'] for phase in ("parse", "predict"))
    assert shop + web == pytest.approx(phases)


def test_a_long_body_counts_for_its_caller(limited: Service) -> None:
    texts = ["free money " * 200] * 50
    assert statuses(limited, 1, "shop", json.dumps({"text": texts}).encode()) == {200: 1}
    assert limited.metrics()['inference_caller_texts_total{caller="shop"}'] == 50


def test_without_keys_all_callers_share_one_limit(model: Path, tmp_path: Path) -> None:
    with service(model, tmp_path / "log", limit_requests_per_second=0.01, limit_burst=10) as running:
        assert statuses(running, 7) == {200: 7}
        assert statuses(running, 7, "any") == {200: 3, 429: 4}
        found = running.metrics()
        assert found['inference_caller_requests_total{caller="anonymous"}'] == 10
        assert found[rejected("anonymous", "rate_limit")] == 4
        assert 'inference_caller_requests_total{caller="unknown"}' not in found


def test_texts_above_the_limit_are_owed(model: Path, tmp_path: Path) -> None:
    """A request is answered whole; the next one waits until its texts are paid for."""
    with service(model, tmp_path / "log", limit_texts_per_minute=60) as running:
        assert statuses(running, 1, body=json.dumps({"text": ["a"] * 600}).encode()) == {200: 1}
        (refused,) = ask(running, 1)
        assert refused[0] == 429
        assert 500 <= int(refused[1]["retry-after"]) <= 541
        assert b"too many texts" in refused[2]


def test_a_request_that_is_refused_for_its_texts_takes_no_request_of_the_burst(model: Path, tmp_path: Path) -> None:
    limits: dict[str, Any] = {"limit_requests_per_second": 0.01, "limit_burst": 3, "limit_texts_per_minute": 60}
    with service(model, tmp_path / "log", **limits) as running:
        assert statuses(running, 1, body=json.dumps({"text": ["a"] * 600}).encode()) == {200: 1}
        assert {answer[2].count(b"too many texts") for answer in ask(running, 5)} == {1}


def test_without_limits_nobody_is_refused(model: Path, tmp_path: Path) -> None:
    with service(model, tmp_path / "log") as running:
        assert statuses(running, 2_000) == {200: 2_000}
