"""For any content of platform.yaml, loading gives a platform or a list of mistakes, never another error."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.platform import Platform, PlatformError

RIGHT: dict[str, Any] = {
    "apiVersion": "tenantry.dev/v1alpha1",
    "platform": {
        "image": "a/b:1",
        "monitoring": {"namespace": "observability"},
        "modelStore": {"endpoint": "http://s:9"},
    },
    "defaults": {"autoscaling": {"minReplicas": 1, "maxReplicas": 4}, "quota": {"headroomPods": 1}},
    "tenants": [
        {
            "name": "a",
            "model": "s3://models/a/m",
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            "egress": [{"cidr": "192.0.2.0/24", "port": 1}],
            "receiver": {"type": "slack", "secretName": "s", "channel": "c"},
            "alerts": {"quotaRatio": 0.5},
        },
        {"name": "b", "model": "file:m"},
    ],
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


def _with(place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    result = copy.deepcopy(RIGHT)
    parent: Any = result
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return result


def _load(folder: Path, text: str) -> None:
    path = folder / "platform.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        Platform.load(path)
    except PlatformError as error:
        text = str(error)
    else:
        return
    assert text.startswith(f"{path} is not valid ")
    assert "rule: " in text


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_places(RIGHT)), value=ANYTHING)
def test_any_value_at_any_place(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    _load(tmp_path, json.dumps(_with(place, value)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_places(RIGHT)), value=ANYTHING)
def test_any_value_at_any_place_beside_a_repeated_name(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    data = _with(place, value)
    if isinstance(data, dict) and isinstance(data.get("tenants"), list):
        data["tenants"].append({"name": "a", "model": "file:m"})
    _load(tmp_path, json.dumps(data))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.sampled_from("ab:-?&*!|>[]{}#'\"\n\t \\%@,0.1\u00e9\x00"), max_size=40))
def test_any_text(tmp_path: Path, text: str) -> None:
    _load(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "? [a, b]\n: 1\n",
        "? {a: b}\n: 1\n",
        "1: 2\ntrue: 3\n",
        "<<: {a: b}\n",
        "a: 2026-11-24\n",
        "a: .nan\n",
        "tenants: [~, 1, x]\n",
        "tenants:\n  - &t {name: a, model: 'file:m'}\n  - *t\n",
        "receiver: &r\n  receiver: *r\n",
        f"{'[' * 200}\n",
        "a: !!binary x\n",
        "a: 0x10\nb: 1_000\nc: 0o7\n",
    ],
)
def test_odd_yaml(tmp_path: Path, text: str) -> None:
    _load(tmp_path, text)
