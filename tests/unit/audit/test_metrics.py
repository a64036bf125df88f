"""Who scrapes whom, whose metrics can be forged, and who can read them: each finding is planted, and repaired."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit import Contract, read
from audit.contract import contract_findings, loaded
from audit.metrics import Metrics, Way
from audit.model.finding import Finding
from tenantry.cli import app
from tests.example_platform import example_dist
from tests.paths import ROOT
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import binding, role

VALUES = ROOT / "terraform/platform/values/kube-prometheus-stack.yaml"
PROMETHEUS = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: monitoring}
spec:
  serviceMonitorSelector: {}
  serviceMonitorNamespaceSelector: {}
  podMonitorSelector: {}
  podMonitorNamespaceSelector: {}
  probeSelector: {}
  probeNamespaceSelector: {}
  scrapeConfigSelector: {}
  scrapeConfigNamespaceSelector: {}
  ruleSelector: {}
  ruleNamespaceSelector: {}
  # settings
"""
ALERTMANAGER = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {name: main, namespace: monitoring}
spec:
  alertmanagerConfigSelector: {}
  alertmanagerConfigNamespaceSelector: {}
  alertmanagerConfigMatcherStrategy: {type: OnNamespace}
"""
ALERT_CONFIG = """\
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: pager, namespace: shop}
spec:
  receivers: [{name: phone}]
  route: {receiver: phone}
"""
MONITOR = """\
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  endpoints:
    - port: http
      path: /metrics
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8000}]}
"""
INGRESS_FROM_PROMETHEUS = (
    "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}},"
    " podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}], ports: [{port: 8000}]}]}"
)
SAFE = (
    namespace("shop")
    + namespace("monitoring")
    + pod("web", "{app: web}", ports="[{name: http, containerPort: 8000}]")
    + policy("deny", DENY_ALL)
    + policy("scrape", INGRESS_FROM_PROMETHEUS)
    + SERVICE
    + MONITOR
    + PROMETHEUS
    + ALERTMANAGER
    + ALERT_CONFIG
)
PATH = "      path: /metrics\n"
PROBE = """\
---
apiVersion: monitoring.coreos.com/v1
kind: Probe
metadata: {name: web, namespace: shop}
spec:
  targets:
    staticConfig: {static: [10.0.0.1]}
"""
SCRAPE_CONFIG = """\
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: ScrapeConfig
metadata: {name: web, namespace: shop}
spec: {kubernetesSDConfigs: [{role: Pod}]}
"""
API_SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: monitoring}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: prometheus}
  ports: [{port: 9090}]
"""
API_ROUTE = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: prometheus, namespace: monitoring}
spec:
  defaultBackend:
    service: {name: prometheus, port: {number: 9090}}
"""
EGRESS_TO_MONITORING = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}"


def findings(tmp_path: Path, text: str) -> list[tuple[Finding, str]]:
    """The findings, each with the text of its line."""
    file = tmp_path / "all.yaml"
    file.write_text(text)
    lines = text.splitlines()
    plane = Metrics(read.objects([file], details=True))
    return [(each, lines[each.line - 1].strip()) for each in plane.findings()]


def found(tmp_path: Path, text: str) -> list[tuple[str, str, str]]:
    return [(each.rule, str(each.state), line) for each, line in findings(tmp_path, text)]


def endpoint(more: str) -> str:
    """The safe cluster, with more in the endpoint of its monitor."""
    return SAFE.replace(PATH, f"{PATH}      {more}\n")


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


@pytest.mark.parametrize(
    ("text", "rule", "line", "repair"),
    [
        (
            SAFE.replace("  selector: {matchLabels", "  namespaceSelector: {any: true}\n  selector: {matchLabels"),
            "metrics-other-namespace",
            "namespaceSelector: {any: true}",
            ("# settings", "ignoreNamespaceSelectors: true"),
        ),
        (
            SAFE.replace(
                "  selector: {matchLabels", "  namespaceSelector: {matchNames: [monitoring]}\n  selector: {matchLabels"
            ),
            "metrics-other-namespace",
            "namespaceSelector: {matchNames: [monitoring]}",
            ("[monitoring]", "[shop]"),
        ),
        (endpoint("honorLabels: true"), "metrics-honor-labels", "honorLabels: true", ("true", "false")),
        (
            endpoint("honorLabels: true"),
            "metrics-honor-labels",
            "honorLabels: true",
            ("# settings", "overrideHonorLabels: true"),
        ),
        (
            endpoint("honorLabels: true"),
            "metrics-honor-labels",
            "honorLabels: true",
            ("# settings", "enforcedNamespaceLabel: namespace"),
        ),
        (
            endpoint("relabelings: [{targetLabel: namespace, replacement: other}]"),
            "metrics-sets-label",
            "relabelings: [{targetLabel: namespace, replacement: other}]",
            ("# settings", "enforcedNamespaceLabel: namespace"),
        ),
        (
            endpoint("metricRelabelings: [{targetLabel: tenant, replacement: other}]"),
            "metrics-sets-label",
            "metricRelabelings: [{targetLabel: tenant, replacement: other}]",
            ("targetLabel: tenant", "targetLabel: team"),
        ),
        (
            endpoint("relabelings: [{targetLabel: 'name${1}'}]"),
            "metrics-sets-label",
            "relabelings: [{targetLabel: 'name${1}'}]",
            ("# settings", "enforcedNamespaceLabel: namespace"),
        ),
        (
            endpoint("relabelings: [{action: LabelMap}]"),
            "metrics-sets-label",
            "relabelings: [{action: LabelMap}]",
            ("LabelMap", "keep"),
        ),
        (
            endpoint("relabelings: [{action: labeldrop, regex: name.+}]"),
            "metrics-sets-label",
            "relabelings: [{action: labeldrop, regex: name.+}]",
            ("name.+", "pod"),
        ),
        (
            endpoint("relabelings: [{action: labelkeep, regex: __.+}]"),
            "metrics-sets-label",
            "relabelings: [{action: labelkeep, regex: __.+}]",
            ("__.+", "__.+|namespace"),
        ),
        (
            SAFE.replace("  endpoints:", "  targetLabels: [namespace]\n  endpoints:"),
            "metrics-sets-label",
            "targetLabels: [namespace]",
            ("[namespace]", "[team]"),
        ),
        (
            endpoint("relabelings: [{targetLabel: __address__, replacement: 'db:1'}]"),
            "metrics-redirects-scrape",
            "relabelings: [{targetLabel: __address__, replacement: 'db:1'}]",
            ("__address__", "__tmp"),
        ),
        (
            endpoint("proxyUrl: http://proxy.example"),
            "metrics-redirects-scrape",
            "proxyUrl: http://proxy.example",
            ("proxyUrl: http://proxy.example", "interval: 30s"),
        ),
        (
            endpoint("bearerTokenFile: /token"),
            "metrics-reads-files",
            "bearerTokenFile: /token",
            ("# settings", "arbitraryFSAccessThroughSMs: {deny: true}"),
        ),
        (
            endpoint("tlsConfig: {keyFile: /key}"),
            "metrics-reads-files",
            "tlsConfig: {keyFile: /key}",
            ("keyFile: /key", "serverName: web"),
        ),
        (
            SAFE + PROBE,
            "metrics-any-target",
            "staticConfig: {static: [10.0.0.1]}",
            (PROBE, ""),
        ),
        (
            SAFE + SCRAPE_CONFIG,
            "metrics-any-target",
            "spec: {kubernetesSDConfigs: [{role: Pod}]}",
            (SCRAPE_CONFIG, ""),
        ),
        (
            SAFE + policy("out", EGRESS_TO_MONITORING),
            "metrics-query-by-network",
            f"spec: {EGRESS_TO_MONITORING}",
            ("# settings", "listenLocal: true"),
        ),
        (SAFE + API_SERVICE, "metrics-query-from-outside", "type: NodePort", ("NodePort", "ClusterIP")),
        (
            SAFE + API_SERVICE.replace("NodePort", "ClusterIP") + API_ROUTE,
            "metrics-query-from-outside",
            "defaultBackend:",
            ("service: {name: prometheus", "service: {name: other"),
        ),
        (
            SAFE.replace("{type: OnNamespace}", "{type: None}"),
            "alerts-of-others",
            "route: {receiver: phone}",
            ("{type: None}", "{type: OnNamespaceExceptForAlertmanagerNamespace}"),
        ),
        (
            SAFE.replace("  alertmanagerConfigSelector: {}", "  alertmanagerConfigSelector: {matchLabels: {a: b}}"),
            "unselected-by-alertmanager",
            "metadata: {name: pager, namespace: shop}",
            ("{name: pager, namespace: shop}", "{name: pager, namespace: shop, labels: {a: b}}"),
        ),
    ],
)
def test_what_is_planted_is_found_at_its_line_and_not_after_the_repair(
    tmp_path: Path, text: str, rule: str, line: str, repair: tuple[str, str]
) -> None:
    assert found(tmp_path, text) == [(rule, "violation", line)]
    assert repair[0] in text
    assert found(tmp_path, text.replace(*repair)) == []


@pytest.mark.parametrize("action", ["keep", "drop", "keepequal", "DropEqual"])
@pytest.mark.parametrize("label", ["namespace", "__address__"])
def test_a_relabelling_rule_that_only_selects_sets_no_label(tmp_path: Path, action: str, label: str) -> None:
    assert found(tmp_path, endpoint(f"relabelings: [{{action: {action}, targetLabel: {label}}}]")) == []


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        ("$1", ["metrics-redirects-scrape"]),
        ("__${1}__", ["metrics-redirects-scrape"]),
        ("name${1}", []),
        ("__param_$1", []),
    ],
)
def test_a_pattern_that_may_be_the_address_is_found_although_the_label_is_enforced(
    tmp_path: Path, target: str, rules: list[str]
) -> None:
    text = endpoint(f"relabelings: [{{targetLabel: '{target}'}}]").replace(
        "# settings", "enforcedNamespaceLabel: namespace"
    )
    assert [rule for rule, _state, _line in found(tmp_path, text)] == rules


@pytest.mark.parametrize("action", ["labeldrop", "labelkeep"])
@pytest.mark.parametrize("pattern", ["[[:alpha:]_]+", "(?P<a"])
def test_a_pattern_that_cannot_be_read_may_remove_the_label(tmp_path: Path, action: str, pattern: str) -> None:
    text = endpoint(f"relabelings: [{{action: {action}, regex: '{pattern}'}}]")
    assert [rule for rule, _state, _line in found(tmp_path, text)] == ["metrics-sets-label"]


@pytest.mark.parametrize("wrong", ["{}", "[a]", "[[]]"])
def test_a_wrong_value_in_a_monitor_or_a_prometheus_is_not_an_error(tmp_path: Path, wrong: str) -> None:
    monitor = MONITOR.replace("ServiceMonitor", "PodMonitor").replace("endpoints:", "podMetricsEndpoints:")
    setting = f"enforcedNamespaceLabel: namespace\n  excludedFromEnforcement: [{{namespace: shop, name: {wrong}}}]"
    for text in (
        endpoint(f"targetPort: {wrong}"),
        SAFE + monitor.replace("port: http", f"port: {wrong}"),
        endpoint("honorLabels: true").replace("# settings", setting.replace("[{", "[{resource: servicemonitors, ")),
    ):
        assert {rule for rule, _state, _line in found(tmp_path, text)} <= {"metrics-honor-labels"}


def test_a_monitor_that_no_prometheus_selects_forges_nothing(tmp_path: Path) -> None:
    text = endpoint("honorLabels: true").replace("  serviceMonitorSelector: {}\n", "")
    assert [rule for rule, _state, _line in found(tmp_path, text)] == ["unselected-by-prometheus"]


def test_what_an_exclusion_takes_out_of_the_enforced_label_is_found(tmp_path: Path) -> None:
    text = endpoint("honorLabels: true").replace("# settings", "enforcedNamespaceLabel: namespace\n  # settings")
    assert found(tmp_path, text) == []
    excluded = "excludedFromEnforcement: [{group: monitoring.coreos.com, resource: servicemonitors, namespace: shop}]"
    assert [each for each, _s, _l in found(tmp_path, text.replace("# settings", excluded))] == ["metrics-honor-labels"]


def test_monitors_beside_prometheus_are_the_platforms_own(tmp_path: Path) -> None:
    text = endpoint("honorLabels: true")
    own = MONITOR.replace("namespace: shop", "namespace: monitoring").replace(PATH, f"{PATH}      honorLabels: true\n")
    assert [each.namespace for each, _line in findings(tmp_path, text + own)] == ["shop"]


def test_a_scrape_that_policies_deny_is_found_and_one_that_they_allow_is_not(tmp_path: Path) -> None:
    ((rule, state, line),) = found(tmp_path, SAFE.replace("app.kubernetes.io/name: prometheus}}}]", "app: other}}}]"))
    assert (rule, state) == ("scrape-denied", "violation")
    assert line.startswith("spec: {podSelector: {}")


def test_a_scrape_that_the_input_does_not_decide_is_undecided(tmp_path: Path) -> None:
    opaque = (
        "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x, namespace: shop}\nspec: {}\n"
    )
    assert {(rule, state) for rule, state, _line in found(tmp_path, SAFE + opaque)} == {
        ("scrape-not-decided", "undecided"),
        ("metrics-query-by-network", "undecided"),
    }


def test_a_pod_monitor_scrapes_pods_by_port_name_and_by_number(tmp_path: Path) -> None:
    for port in ("port: http", "portNumber: 8000", "targetPort: 8000"):
        monitor = MONITOR.replace("ServiceMonitor", "PodMonitor").replace("endpoints:", "podMetricsEndpoints:")
        file = tmp_path / "all.yaml"
        file.write_text(SAFE.replace(MONITOR, monitor.replace("port: http", port)))
        (scrape,) = Metrics(read.objects([file], details=True)).scrapes
        assert (scrape.answer.destination, scrape.answer.port, scrape.answer.verdict) == ("shop/web", 8000, "allowed")


@pytest.mark.parametrize("of_service", ["8000", "http"])
@pytest.mark.parametrize("of_monitor", ["8000", "http"])
def test_a_service_monitor_scrapes_the_target_port_by_name_and_by_number(
    tmp_path: Path, of_service: str, of_monitor: str
) -> None:
    file = tmp_path / "all.yaml"
    text = SAFE.replace("targetPort: 8000", f"targetPort: {of_service}")
    file.write_text(text.replace("    - port: http\n", f"    - targetPort: {of_monitor}\n"))
    (scrape,) = Metrics(read.objects([file], details=True)).scrapes
    assert (scrape.answer.destination, scrape.answer.port) == ("shop/web", 8000)


@pytest.mark.parametrize("resource", ["services/proxy", "pods/proxy", "pods/portforward", "pods/exec"])
def test_a_permission_to_connect_to_prometheus_reads_all_metrics(tmp_path: Path, resource: str) -> None:
    given = role("connect", "get", resource, "monitoring") + binding(
        "give", "Role", "connect", "ServiceAccount", "web", "monitoring", subject_namespace="shop"
    )
    ((rule, state, line),) = found(tmp_path, SAFE + given)
    assert (rule, state) == ("metrics-query-by-permission", "violation")
    assert line == "subjects: [{kind: ServiceAccount, name: 'web', namespace: shop}]"
    assert found(tmp_path, SAFE + given.replace(resource, "services")) == []


@pytest.mark.parametrize("group", ["shop", "monitoring"])
def test_the_group_of_the_accounts_of_a_namespace_counts_as_its_accounts(tmp_path: Path, group: str) -> None:
    given = role("connect", "get", "pods/proxy", "monitoring")
    given += binding("give", "Role", "connect", "Group", f"system:serviceaccounts:{group}", "monitoring")
    expected = [("metrics-query-by-permission", "violation")] if group == "shop" else []
    assert [(rule, state) for rule, state, _line in found(tmp_path, SAFE + given)] == expected


@pytest.mark.parametrize(
    ("kind", "name", "state"),
    [("Group", "system:authenticated", "violation"), ("Group", "operators", "warning"), ("User", "ops", "warning")],
)
def test_everybody_is_a_violation_and_a_named_group_is_worth_knowing(
    tmp_path: Path, kind: str, name: str, state: str
) -> None:
    given = role("connect", "create", "pods/portforward") + binding("give", "ClusterRole", "connect", kind, name)
    assert [(rule, said) for rule, said, _line in found(tmp_path, SAFE + given)] == [
        ("metrics-query-by-permission", state)
    ]


def test_other_namespaces_that_can_query_are_a_warning(tmp_path: Path) -> None:
    assert [(rule, state) for rule, state, _line in found(tmp_path, SAFE + namespace("tools"))] == [
        ("metrics-query-by-network", "warning")
    ]


def test_steps_to_the_metrics_of_all_have_a_file_and_a_line(tmp_path: Path) -> None:
    """What another plane may build on: who can query, how, and by which line."""
    file = tmp_path / "all.yaml"
    file.write_text(SAFE + policy("out", EGRESS_TO_MONITORING))
    (query,) = Metrics(read.objects([file], details=True)).queries
    assert (query.way, query.verdict, query.namespace) == (Way.NETWORK, "allowed", "shop")
    assert query.places[0][0] == str(file)
    assert file.read_text().splitlines()[query.places[0][1] - 1] == f"spec: {EGRESS_TO_MONITORING}"


def test_a_whole_dump_has_the_pods_of_prometheus_itself(tmp_path: Path) -> None:
    """Pods that exist decide, not those that the operator would make."""
    labels = "{app.kubernetes.io/name: renamed, operator.prometheus.io/name: main}"
    text = SAFE + pod("prometheus-main-0", labels, "monitoring")
    assert [rule for rule, _state, _line in found(tmp_path, text)] == ["scrape-denied"]


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


KINDS = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")


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


def test_a_report_can_be_about_one_namespace(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(endpoint("honorLabels: true") + namespace("tools"))
    assert "metrics-honor-labels" not in run(file, "-n", "tools").stdout
    assert "metrics-honor-labels" in run(file, "-n", "shop").stdout
    assert run(file, "-n", "absent").exit_code == 2


def contract() -> Contract:
    head = {"apiVersion": "tenantry.dev/v1alpha1", "kind": "IsolationContract", "metadata": {"name": "test"}}
    ingress = {"peer": {"namespace": "monitoring", "podLabels": {"app.kubernetes.io/name": "prometheus"}}}
    spec = {"tenants": [{"name": "shop"}], "podSecurity": "privileged", "quota": False, "ingress": [ingress]}
    return loaded({**head, "spec": spec}, "contract.yaml")


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        ("", set()),
        (namespace("tools"), set()),
        (policy("out", EGRESS_TO_MONITORING), {"network-egress", "metrics-query-by-network"}),
        (API_SERVICE, {"metrics-query-from-outside"}),
        (
            role("c", "get", "pods/proxy") + binding("give", "ClusterRole", "c", "Group", "system:authenticated"),
            {"metrics-query-by-permission", "permission-from-outside"},
        ),
    ],
)
def test_what_opens_the_metrics_of_a_tenant_breaks_the_contract(tmp_path: Path, more: str, rules: set[str]) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(SAFE + more)
    found_rules = {each.rule for each in contract_findings(contract(), read.objects([file], details=True))}
    # The pods of this test are not hardened; only the rules about metrics and the network are looked at.
    assert {each for each in found_rules if each.startswith(("metrics", "network", "permission"))} == rules


def test_alert_routes_of_a_tenant_keep_the_contract_unless_an_alertmanager_gives_them_all_alerts(
    tmp_path: Path,
) -> None:
    """The operator's default restricts a route to its namespace; a Prometheus and an Alertmanager need not be there."""
    text = SAFE.replace(PROMETHEUS, "").replace(ALERTMANAGER, "")
    for more, broken in (("", False), (ALERTMANAGER.replace("OnNamespace", "None"), True)):
        file = tmp_path / "all.yaml"
        file.write_text(text + more)
        rules = {each.rule for each in contract_findings(contract(), read.objects([file], details=True))}
        assert ("alerts-of-others" in rules) is broken
