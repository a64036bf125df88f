"""Prometheus keeps a known number of series of each pod, and reads every one of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from constructs_lib.monitoring.dashboard import dashboard_json
from constructs_lib.monitoring.panel_queries import filled
from constructs_lib.monitoring.panels import PANELS
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.monitoring.scraping import DROPPED, READ_BY_HAND, TARGET_SERIES, series_per_pod
from constructs_lib.names import object_name, service_name
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.runtime import Runtime
from inference import contract
from inference.api_keys import ApiKey, digest_of, entry_text
from inference.model.artifact import read_directory
from inference.model.classifier import TextClassifier
from inference.model.interface import LoadedModel
from inference.serving.application import create_app
from inference.settings import Settings
from tests import onnx_artifacts
from tests.asgi import AsgiClient
from tests.models import write_tiny_model
from tests.paths import ROOT

TENANT = "tenant-a"
LABELS = 2
"""Labels of the tiny model, and of the ONNX model."""
CREDIT = {"age", "children", "city"}
"""Features of the ONNX model."""
RUNTIMES: tuple[Runtime, ...] = ("text", "onnx")
SELECTOR = re.compile(r"(?<![\w:])([a-z_:]\w*)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
MATCH: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, want: value == want,
    "!=": lambda value, want: value != want,
    "=~": lambda value, want: re.fullmatch(want, value) is not None,
    "!~": lambda value, want: re.fullmatch(want, value) is None,
}


def expressions() -> list[str]:
    """What reads series: rules, panels, the dashboard's variables and the runbook."""
    name = object_name(TENANT)
    rules = [rule["expr"] for runtime in RUNTIMES
             for group in rule_groups(TENANT, service_name(TENANT), name, name, AlertSettings(), runtime=runtime)
             for rule in group["rules"]]  # fmt: skip
    panels = [filled(query.expr) for panel in PANELS for query in panel.queries]
    variables = [each["query"] for each in _variables() if each["type"] == "query"]
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    asked = [each.replace('\\"', '"').replace("$T", TENANT) for each in re.findall(r'promql "(.+)"', runbook)]
    assert rules
    assert panels
    assert len(asked) > 10
    return [*rules, *panels, *variables, *asked]


def _variables() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard_json("https://r", [TENANT]))["templating"]["list"]
    return found


def is_read(series: dict[str, str], expression: str) -> bool:
    """Whether a selector of the expression selects the series."""
    for name, matchers in SELECTOR.findall(expression):
        if name == series["__name__"] and all(
            MATCH[operator](series.get(label, ""), want) for label, operator, want in MATCHER.findall(matchers)
        ):
            return True
    bare = re.sub(r"\{[^}]*\}", "", expression)
    return re.search(rf"(?<![\w:]){series['__name__']}(?![\w:{{]).*, ", bare) is not None and "label_values" in bare


def _exposed(model: LoadedModel, settings: Settings) -> list[dict[str, str]]:
    """Every series of a pod with a model, with the labels of its target."""
    app = create_app(settings)
    if app.service.callers.keys:
        app.service.callers.keys.reload()
    app.service.add_model(model)
    text = AsgiClient(app).get(contract.METRICS_PATH).text
    target = {"namespace": TENANT, "job": service_name(TENANT), "pod": "pod-a", "service": service_name(TENANT)}
    return [
        {"__name__": sample.name, **sample.labels, **target}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


def _text_model(folder: Path) -> LoadedModel:
    return TextClassifier.from_artifact(read_directory(write_tiny_model(folder)))


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The series of a pod with a model of texts."""
    return _exposed(_text_model(tmp_path_factory.mktemp("model")), Settings(model_uri="unused"))


@pytest.fixture(scope="module")
def kept(exposed: list[dict[str, str]]) -> list[dict[str, str]]:
    return [series for series in exposed if not any(each.matches(series) for each in DROPPED)]


def test_every_kept_series_is_read_by_a_rule_a_panel_or_the_runbook(kept: list[dict[str, str]]) -> None:
    read = expressions()
    unread = [series for series in kept if not any(is_read(series, each) for each in read)]
    problem = "add it to DROPPED or, with a reason, to READ_BY_HAND (constructs_lib/monitoring/scraping.py)"
    assert {series["__name__"] for series in unread} == READ_BY_HAND.keys(), problem


def test_no_dropped_series_is_read(exposed: list[dict[str, str]], kept: list[dict[str, str]]) -> None:
    """A new panel that reads one of them fails here, and would be empty on a cluster."""
    read = expressions()
    dropped = [series for series in exposed if series not in kept]
    assert len(dropped) > 30
    needed = [series for series in dropped if any(is_read(series, each) for each in read)]
    assert needed == []


def test_the_number_of_series_per_pod_is_known(exposed: list[dict[str, str]], kept: list[dict[str, str]]) -> None:
    """The only part that a text model can change is the number of its labels."""
    assert len(kept) + TARGET_SERIES == series_per_pod(LABELS)
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert (
        f"shows {len(exposed)} series at `/metrics` for a model with two labels. Prometheus keeps {len(kept)}," in text
    )
    assert series_per_pod(LABELS + 3) == series_per_pod(LABELS) + 3


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("callers", [("shop", "web"), ()])
def test_every_kept_series_is_known_and_read_with_either_runtime_and_with_keys(
    runtime: Runtime, callers: tuple[str, ...], tmp_path: Path
) -> None:
    settings = Settings(model_uri="unused", runtime=runtime)
    if callers:
        keys = tmp_path / "keys"
        keys.mkdir()
        for name in callers:
            (keys / name).write_text(entry_text([ApiKey(digest_of(name.encode()))]))
        settings = settings.model_copy(update={"api_keys_dir": str(keys)})
    model = _text_model(tmp_path / "model") if runtime == "text" else onnx_artifacts.loaded(onnx_artifacts.credit())
    exposed = _exposed(model, settings)
    kept = [series for series in exposed if not any(each.matches(series) for each in DROPPED)]
    features = len(CREDIT) if runtime == "onnx" else 0
    assert {series["feature"] for series in exposed if "feature" in series} == (CREDIT if features else set())
    assert len(kept) + TARGET_SERIES == series_per_pod(LABELS, runtime=runtime, features=features, callers=len(callers))
    read = expressions()
    unread = [series for series in kept if not any(is_read(series, each) for each in read)]
    assert {series["__name__"] for series in unread} == READ_BY_HAND.keys()


def test_a_rule_for_dropping_matches_whole_values() -> None:
    series = {"__name__": f"{contract.REQUEST_DURATION}_count", "route": "other"}
    assert any(each.matches(series) for each in DROPPED)
    assert not any(each.matches(series | {"route": "another"}) for each in DROPPED)
    confidence = {"__name__": f"{contract.CONFIDENCE}_bucket"}
    assert not any(each.matches(confidence | {"le": "0.7"}) for each in DROPPED)
    assert any(each.matches(confidence | {"le": "0.75"} | {"le": "0.8"}) for each in DROPPED)
    assert not any(each.matches(confidence | {"le": "0x8"}) for each in DROPPED)
