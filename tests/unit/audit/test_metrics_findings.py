"""Findings about monitors, Prometheus and alert routes: each is planted, and repaired."""

from pathlib import Path

import pytest

from tests.unit.audit.manifests import policy
from tests.unit.audit.monitoring import (
    API_ROUTE,
    API_SERVICE,
    EGRESS_TO_MONITORING,
    MONITOR,
    PATH,
    PROBE,
    SAFE,
    SCRAPE_CONFIG,
    endpoint,
    findings,
    found,
)


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
            ("__.+", "__.+|namespace|job"),
        ),
        (
            endpoint("relabelings: [{action: labeldrop, regex: jo.}]"),
            "metrics-sets-label",
            "relabelings: [{action: labeldrop, regex: jo.}]",
            ("jo.", "pod"),
        ),
        (
            endpoint("relabelings: [{action: LabelMap, regex: __meta_kubernetes_service_label_(.+)}]"),
            "metrics-sets-label",
            "relabelings: [{action: LabelMap, regex: __meta_kubernetes_service_label_(.+)}]",
            ("# settings", "enforcedNamespaceLabel: namespace"),
        ),
        (
            endpoint("metricRelabelings: [{action: labelmap, regex: exported_(.+)}]"),
            "metrics-sets-label",
            "metricRelabelings: [{action: labelmap, regex: exported_(.+)}]",
            ("# settings", "enforcedNamespaceLabel: namespace"),
        ),
        (
            endpoint("relabelings: [{action: labelmap, regex: x(.+)}]"),
            "metrics-redirects-scrape",
            "relabelings: [{action: labelmap, regex: x(.+)}]",
            ("relabelings: [{action: labelmap, regex: x(.+)}]", ""),
        ),
        *(
            (
                endpoint(f"relabelings: [{{action: labelmap, regex: '__meta_kubernetes_{pattern}'}}]"),
                "metrics-redirects-scrape",
                f"relabelings: [{{action: labelmap, regex: '__meta_kubernetes_{pattern}'}}]",
                (f"relabelings: [{{action: labelmap, regex: '__meta_kubernetes_{pattern}'}}]", ""),
            )
            for pattern in ("pod_label_a(.+)z", "x|__tmp_(.+)")
        ),
        (
            endpoint("relabelings: [{targetLabel: __meta_kubernetes_x___address__, replacement: 'db:1'}]"),
            "metrics-redirects-scrape",
            "relabelings: [{targetLabel: __meta_kubernetes_x___address__, replacement: 'db:1'}]",
            ("__meta_kubernetes_x___address__", "component"),
        ),
        (
            endpoint("relabelings: [{action: labelmap, replacement: '__${1}__', regex: __meta_kubernetes_(.+)}]"),
            "metrics-redirects-scrape",
            "relabelings: [{action: labelmap, replacement: '__${1}__', regex: __meta_kubernetes_(.+)}]",
            ("'__${1}__'", "'service_${1}'"),
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
