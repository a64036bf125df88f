"""`tenantry audit metrics`: the report in every format, and the values of a chart."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.example_platform import example_dist
from tests.fake_programs import FakePrograms
from tests.paths import ROOT
from tests.unit.audit.manifests import namespace
from tests.unit.audit.monitoring import ALERTMANAGER, PROMETHEUS, SAFE, endpoint, found

VALUES = ROOT / "terraform/platform/values/kube-prometheus-stack.yaml"
KINDS = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "metrics", *map(str, arguments)])


def test_a_safe_cluster_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, SAFE) == []


def test_the_platforms_manifests_and_values_have_no_finding() -> None:
    result = run(example_dist(), "--values", VALUES)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 Prometheus, 1 Alertmanager: no finding")
    assert result.stdout.count("policies allow the scrape") == 1
    assert "cannot be queried from outside its namespace" in result.stdout


def test_without_a_prometheus_the_selection_is_unknown_and_labels_are_checked_anyway(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(endpoint("honorLabels: true").replace(PROMETHEUS, "").replace(ALERTMANAGER, ""))
    result = run(file)
    assert result.exit_code == 0, result.output
    assert "the input holds no Prometheus, so whether the ServiceMonitors are selected is unknown" in result.stdout
    assert "the input holds no Alertmanager" in result.stdout
    assert "unknown ServiceMonitor shop/web" in result.stdout
    assert "violation high metrics-honor-labels" in result.stdout


def values(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    return file


def test_values_that_depend_on_the_release_need_its_name(tmp_path: Path) -> None:
    file = values(tmp_path, "prometheus: {prometheusSpec: {}}\n")
    refused = run(example_dist(), "--values", file)
    assert refused.exit_code == 2
    assert "serviceMonitorSelectorNilUsesHelmValues is not false; give --release NAME" in refused.stderr
    named = run(example_dist(), "--values", file, "--release", "stack")
    assert named.exit_code == 0, named.output
    assert "unselected-by-prometheus" in named.stdout
    assert "Prometheus monitoring/stack-kube-prometheus-stac-prometheus" in named.stdout


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("  service:\n    type: NodePort\n", 4),
        ("  service:\n    externalIPs: [203.0.113.7]\n", 4),
        ("  ingress:\n    enabled: true\n", 4),
        ("  route:\n    main:\n      enabled: true\n", 5),
    ],
)
def test_values_that_open_prometheus_are_found_at_their_line(tmp_path: Path, more: str, line: int) -> None:
    kept = ", ".join(f"{each}SelectorNilUsesHelmValues: false" for each in KINDS)
    file = values(tmp_path, f"prometheus:\n  prometheusSpec: {{{kept}}}\n{more}")
    report = json.loads(run(example_dist(), "--values", file, "--format", "json").stdout)
    (entry,) = report["entries"]
    assert entry["rule"] == "metrics-query-from-outside"
    assert [(each["file"], each["line"]) for each in entry["members"]] == [(str(file), line)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]\n", "the values of a chart are a mapping"),
        ("{}\n---\na: 1\n", "it has 2 documents"),
        ("a: [\n", "it is not valid YAML"),
        (PROMETHEUS, "it is a Prometheus of Kubernetes, not values"),
    ],
)
def test_values_that_are_none_are_wrong_input(tmp_path: Path, text: str, message: str) -> None:
    result = run(example_dist(), "--values", values(tmp_path, text))
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_release_without_values_is_wrong_input() -> None:
    result = run(example_dist(), "--release", "stack")
    assert result.exit_code == 2
    assert "--release is for --values" in result.stderr


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown", "sarif"])
def test_every_format_names_the_finding(tmp_path: Path, form: str) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(endpoint("honorLabels: true") + namespace("tools"))
    result = run(file, "--format", form)
    assert result.exit_code == 0, result.output
    assert "metrics-honor-labels" in result.stdout
    assert "metrics-query-by-network" in result.stdout


def test_markdown_has_no_line_for_an_object_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [each for each in yaml.safe_load_all(endpoint("honorLabels: true")) if each]
    listed = json.dumps({"kind": "List", "apiVersion": "v1", "items": items})
    says = {"api-resources": {"says": "pods\n"}, "get namespaces": {"says": listed}}
    FakePrograms(tmp_path, monkeypatch).add("kubectl", says)
    result = run("--context", "kind", "--format", "markdown")
    assert "metrics-honor-labels" in result.stdout, result.output
    assert "context kind |" in result.stdout
    assert ":0" not in result.stdout


def test_a_report_can_be_about_one_namespace(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(endpoint("honorLabels: true") + namespace("tools"))
    assert "metrics-honor-labels" not in run(file, "-n", "tools").stdout
    assert "metrics-honor-labels" in run(file, "-n", "shop").stdout
    assert run(file, "-n", "absent").exit_code == 2
