"""References that lead nowhere, each made by one change to dist/ that a person may make by mistake."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit import read
from audit.wiring import broken_references
from tenantry.cli import app
from tests.example_platform import example_dist
from tests.unit.audit.manifests import namespace, pod, policy

TENANT = (example_dist() / "tenant-a.k8s.yaml").read_text()
PROMETHEUS = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: monitoring}
spec: {serviceMonitorSelector: {matchLabels: {team: ops}}, serviceMonitorNamespaceSelector: {}}
"""


def found(tmp_path: Path, text: str) -> list[tuple[str, str, str]]:
    """Rule, state and text of the line of each finding."""
    file = tmp_path / "all.yaml"
    file.write_text(text)
    lines = text.splitlines()
    inventory = read.objects([file], details=True).inventory
    return [(each.rule, str(each.state), lines[each.line - 1].strip()) for each in broken_references(inventory)]


def changed(old: str, new: str, after: str) -> str:
    """The tenant's manifest with one text replaced, after another text."""
    start = TENANT.index(after)
    assert old in TENANT[start:]
    return TENANT[:start] + TENANT[start:].replace(old, new, 1)


def test_the_generated_manifests_have_no_broken_reference() -> None:
    result = CliRunner().invoke(app, ["audit", "references", str(example_dist())])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().endswith("no finding")


@pytest.mark.parametrize(
    ("old", "new", "after", "expected"),
    [
        (
            "    tenantry.dev/tenant: tenant-a\n",
            "    tenantry.dev/tenant: other\n",
            "targetPort: http",
            ("service-without-pods", "violation", "selector:"),
        ),
        (
            "targetPort: http",
            "targetPort: web",
            "kind: Service\n",
            ("service-without-port", "violation", "targetPort: web"),
        ),
        (
            "    name: tenant-a-ml-inference",
            "    name: other",
            "scaleTargetRef",
            ("autoscaler-without-target", "violation", "scaleTargetRef:"),
        ),
        (
            "      tenantry.dev/tenant: tenant-a\n",
            "      tenantry.dev/tenant: other\n",
            "maxUnavailable: 1",
            ("budget-without-pods", "warning", "selector:"),
        ),
        (
            "maxUnavailable: 1",
            "maxUnavailable: 0",
            "kind: PodDisruptionBudget",
            ("budget-blocks-drains", "violation", "maxUnavailable: 0"),
        ),
        (
            "maxUnavailable: 1",
            "minAvailable: 100%",
            "kind: PodDisruptionBudget",
            ("budget-blocks-drains", "violation", "minAvailable: 100%"),
        ),
        (
            "      tenantry.dev/tenant: tenant-a\n",
            "      tenantry.dev/tenant: other\n",
            "scrapeTimeout",
            ("monitor-without-targets", "violation", "selector:"),
        ),
        (
            "      port: http\n",
            "      port: web\n",
            "path: /metrics",
            ("monitor-without-port", "violation", "port: web"),
        ),
        ("  podSelector: {}", "  podSelector: {matchLabels: {app: x}}", "name: allow-dns", ("policy-without-pods",)),
        (
            "        - podSelector: {}",
            "        - podSelector: {matchLabels: {app: x}}",
            "name: allow-same-namespace",
            ("peer-without-pods", "warning", "- podSelector: {matchLabels: {app: x}}"),
        ),
        ("- port: 8000", "- port: web", "name: allow-prometheus", ("policy-without-port", "warning", "- port: web")),
    ],
)
def test_a_broken_reference_is_found_at_its_line(
    tmp_path: Path, old: str, new: str, after: str, expected: tuple[str, ...]
) -> None:
    ((rule, state, line),) = found(tmp_path, changed(old, new, after))
    assert (rule, state, line)[: len(expected)] == expected


def test_what_no_prometheus_of_the_input_selects_is_found(tmp_path: Path) -> None:
    rules = [rule for rule, _state, _line in found(tmp_path, TENANT + PROMETHEUS)]
    # The Prometheus selects monitors of another team, and no rules at all.
    assert rules == ["unselected-by-prometheus", "unselected-by-prometheus"]
    everything = PROMETHEUS.replace("{matchLabels: {team: ops}}", "{}").replace(
        "Selector: {}}", "Selector: {}, ruleSelector: {}, ruleNamespaceSelector: {}}"
    )
    assert found(tmp_path, TENANT + everything) == []


def test_a_peer_in_a_namespace_that_others_fill_is_not_reported(tmp_path: Path) -> None:
    rule = "{from: [{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: web}}}]}"
    spec = f"{{podSelector: {{}}, policyTypes: [Ingress], ingress: [{rule}]}}"
    shop = pod("web", "{app: web}") + policy("allow", spec)
    assert found(tmp_path, shop + namespace("red", "{team: red}")) == []
    other = namespace("red", "{team: red}") + namespace("shop") + pod("db", "{app: db}", "red")
    assert [each for each, _state, _line in found(tmp_path, shop + other)] == ["peer-without-pods"]


def test_a_route_to_a_service_that_does_not_exist_is_found(tmp_path: Path) -> None:
    backend = "{service: {name: absent, port: {number: 80}}}"
    ingress = (
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n"
        f"spec: {{defaultBackend: {backend}}}\n"
    )
    assert [each for each, _state, _line in found(tmp_path, pod("web") + ingress)] == ["route-without-service"]


def test_rules_over_a_renamed_service_are_found(tmp_path: Path) -> None:
    """As after Kustomize's namePrefix, which changes the names of Services and no text in rules."""
    renamed = TENANT.replace("  name: tenant-a-ml-inference-svc\n", "  name: prod-tenant-a-ml-inference-svc\n")
    assert found(tmp_path, renamed) == [("rule-without-service", "violation", "name: tenant-a-ml-inference")]
    result = CliRunner().invoke(app, ["audit", "references", str(tmp_path / "all.yaml")], env={"COLUMNS": "200"})
    assert "1 violation" in result.stdout
    assert "select the job tenant-a-ml-inference-svc, but no Service of the namespace has this name" in result.stdout
    assert "A name prefix or suffix renames Services" in result.stdout
    quoted = renamed.replace('job="tenant-a-ml-inference-svc"', 'job=\\"tenant-a-ml-inference-svc\\"')
    assert [rule for rule, _state, _line in found(tmp_path, quoted)] == ["rule-without-service"]


@pytest.mark.parametrize("job", ["kube-state-metrics", "kubelet"])
def test_rules_over_a_job_about_other_namespaces_are_not_reported(tmp_path: Path, job: str) -> None:
    """Its Service is in the namespace of the monitoring, whatever namespace a series has."""
    assert found(tmp_path, TENANT.replace('job="tenant-a-ml-inference-svc"', f'job="{job}"')) == []


def test_rules_over_a_job_that_no_service_names_are_not_reported(tmp_path: Path) -> None:
    """With `jobLabel`, a label names the job; without a ServiceMonitor, anything may."""
    renamed = TENANT.replace("  name: tenant-a-ml-inference-svc\n", "  name: prod-tenant-a-ml-inference-svc\n")
    labelled = renamed.replace("spec:\n  endpoints:", "spec:\n  jobLabel: app\n  endpoints:", 1)
    assert "jobLabel: app" in labelled
    assert found(tmp_path, labelled) == []
