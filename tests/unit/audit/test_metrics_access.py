"""Who can scrape, who can query Prometheus, and what of it a contract forbids."""

from pathlib import Path

import pytest

from audit.contract import contract_findings
from audit.metrics import Way
from tests.unit.audit.contracts import contract
from tests.unit.audit.manifests import namespace, pod, policy
from tests.unit.audit.monitoring import (
    ALERTMANAGER,
    API_SERVICE,
    EGRESS_TO_MONITORING,
    MONITOR,
    PROMETHEUS,
    SAFE,
    found,
    metrics,
)
from tests.unit.audit.roles import binding, role

INGRESS = {"peer": {"namespace": "monitoring", "podLabels": {"app.kubernetes.io/name": "prometheus"}}}
CONTRACT = contract(podSecurity="privileged", quota=False, ingress=[INGRESS])
"""A contract that the safe cluster keeps; its pods are not hardened."""


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
        (scrape,) = metrics(tmp_path, SAFE.replace(MONITOR, monitor.replace("port: http", port))).scrapes
        assert (scrape.answer.destination, scrape.answer.port, scrape.answer.verdict) == ("shop/web", 8000, "allowed")


@pytest.mark.parametrize("of_service", ["8000", "http"])
@pytest.mark.parametrize("of_monitor", ["8000", "http"])
def test_a_service_monitor_scrapes_the_target_port_by_name_and_by_number(
    tmp_path: Path, of_service: str, of_monitor: str
) -> None:
    text = SAFE.replace("targetPort: 8000", f"targetPort: {of_service}")
    text = text.replace("    - port: http\n", f"    - targetPort: {of_monitor}\n")
    (scrape,) = metrics(tmp_path, text).scrapes
    assert (scrape.answer.destination, scrape.answer.port) == ("shop/web", 8000)


@pytest.mark.parametrize("resource", ["services/proxy", "pods/proxy", "pods/portforward", "pods/exec", "pods/attach"])
def test_a_permission_to_connect_to_prometheus_reads_all_metrics(tmp_path: Path, resource: str) -> None:
    given = role("connect", "get", resource, "monitoring") + binding(
        "give", "Role", "connect", "ServiceAccount", "web", "monitoring", subject_namespace="shop"
    )
    ((rule, state, line),) = found(tmp_path, SAFE + given)
    assert (rule, state) == ("metrics-query-by-permission", "violation")
    assert line == "subjects: [{kind: ServiceAccount, name: 'web', namespace: shop}]"
    assert found(tmp_path, SAFE + given.replace(resource, "services")) == []


PROXY = "---\napiVersion: v1\nkind: Service\nmetadata: {name: NAME, namespace: monitoring}\nspec: {selector: LABELS}\n"


@pytest.mark.parametrize(
    ("resource", "name", "state"),
    [
        ("services/proxy", "prometheus-operated", "violation"),
        ("services/proxy", "http:prometheus-operated:web", "violation"),
        ("services/proxy", "prometheus-operated:9090", "violation"),
        ("services/proxy", "prometheus", "violation"),
        ("services/proxy", "grafana", None),
        ("services/proxy", "elsewhere", "undecided"),
        ("pods/proxy", "prometheus-main-0:9090", "violation"),
        ("pods/portforward", "prometheus-main-shard-1-0", "violation"),
        ("pods/exec", "prometheus-other-0", None),
        ("pods/exec", "grafana-0", None),
    ],
)
def test_a_permission_with_names_counts_if_they_mean_prometheus(
    tmp_path: Path, resource: str, name: str, state: str | None
) -> None:
    given = role("connect", "get", resource, "monitoring", more=f", resourceNames: ['{name}']")
    given += binding("give", "Role", "connect", "ServiceAccount", "web", "monitoring", subject_namespace="shop")
    given += PROXY.replace("NAME", "prometheus").replace("LABELS", "{app.kubernetes.io/name: prometheus}")
    given += PROXY.replace("NAME", "grafana").replace("LABELS", "{app: grafana}")
    expected = [("metrics-query-by-permission", state)] if state else []
    assert [(rule, said) for rule, said, _line in found(tmp_path, SAFE + given)] == expected


@pytest.mark.parametrize(
    ("verb", "resource", "names", "state"),
    [
        ("get", "nodes/proxy", "", "violation"),
        ("get", "nodes/proxy", ", resourceNames: [one]", "undecided"),
        ("patch", "pods/ephemeralcontainers", "", "violation"),
        ("get", "pods/ephemeralcontainers", "", None),
        ("get", "nodes", "", None),
    ],
)
def test_kubelets_and_ephemeral_containers_lead_to_prometheus_too(
    tmp_path: Path, verb: str, resource: str, names: str, state: str | None
) -> None:
    given = role("connect", verb, resource, more=names)
    bound = binding("give", "ClusterRole", "connect", "ServiceAccount", "web", subject_namespace="shop")
    expected = [("metrics-query-by-permission", state)] if state else []
    assert [(rule, said) for rule, said, _line in found(tmp_path, SAFE + given + bound)] == expected


def test_no_proxy_leads_to_a_prometheus_that_listens_only_inside_its_pod(tmp_path: Path) -> None:
    text = SAFE.replace("# settings", "listenLocal: true")
    bound = binding("give", "Role", "connect", "ServiceAccount", "web", "monitoring", subject_namespace="shop")
    for resource, rules in (("pods/proxy", []), ("pods/portforward", ["metrics-query-by-permission"])):
        given = role("connect", "get", resource, "monitoring") + bound
        assert [rule for rule, _state, _line in found(tmp_path, text + given)] == rules


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
    text = SAFE + policy("out", EGRESS_TO_MONITORING)
    (query,) = metrics(tmp_path, text).queries
    assert (query.way, query.verdict, query.namespace) == (Way.NETWORK, "allowed", "shop")
    assert query.places[0][0] == str(tmp_path / "all.yaml")
    assert text.splitlines()[query.places[0][1] - 1] == f"spec: {EGRESS_TO_MONITORING}"


def test_a_whole_dump_has_the_pods_of_prometheus_itself(tmp_path: Path) -> None:
    """Pods that exist decide, not those that the operator would make."""
    labels = "{app.kubernetes.io/name: renamed, operator.prometheus.io/name: main}"
    text = SAFE + pod("prometheus-main-0", labels, "monitoring")
    assert [rule for rule, _state, _line in found(tmp_path, text)] == ["scrape-denied"]


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
    found_rules = {each.rule for each in contract_findings(CONTRACT, metrics(tmp_path, SAFE + more).cluster)}
    # The pods of this test are not hardened; only the rules about metrics and the network are looked at.
    assert {each for each in found_rules if each.startswith(("metrics", "network", "permission"))} == rules


def test_alert_routes_of_a_tenant_keep_the_contract_unless_an_alertmanager_gives_them_all_alerts(
    tmp_path: Path,
) -> None:
    """The operator's default restricts a route to its namespace; a Prometheus and an Alertmanager need not be there."""
    text = SAFE.replace(PROMETHEUS, "").replace(ALERTMANAGER, "")
    for more, broken in (("", False), (ALERTMANAGER.replace("OnNamespace", "None"), True)):
        rules = {each.rule for each in contract_findings(CONTRACT, metrics(tmp_path, text + more).cluster)}
        assert ("alerts-of-others" in rules) is broken
