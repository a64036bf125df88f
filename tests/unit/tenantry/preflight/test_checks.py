"""Each check, on a GKE-like cluster with one difference."""

from collections.abc import Callable
from typing import Any

import pytest

from constructs_lib.platform import Platform
from tenantry.errors import CommandError
from tenantry.preflight.api import Api
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Status
from tenantry.preflight.inspection import inspect
from tests.recorded_cluster import Document, RecordedCluster, recorded

OPERATOR = "/apis/monitoring.coreos.com/v1"
DAEMONSETS = "/apis/apps/v1/daemonsets"
RIGHT: dict[str, Any] = {
    "cluster": {"profile": "gke"},
    "monitoring": {"namespace": "observability", "objectLabels": {"release": "prom"}},
    "dns": {"addresses": ["169.254.20.10/32", "34.118.224.10/32"]},
}
"""Settings with which nothing is to be set on the unchanged cluster."""
RECEIVER = {"type": "slack", "channel": "#a", "secretName": "slack"}


def _platform(settings: dict[str, Any], tenant: dict[str, Any]) -> Platform:
    document = {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1", **RIGHT, **settings},
        "tenants": [{"name": "tenant-a", "model": "s3://models/tenant-a/spam", **tenant}],
    }
    return Platform.model_validate(document)


def _findings(
    name: str,
    change: Callable[[Document], object] = lambda _: None,
    settings: dict[str, Any] | None = None,
    tenant: dict[str, Any] | None = None,
) -> list[Finding]:
    cluster = recorded("gke")
    change(cluster)
    inspected = Inspected(api=Api(RecordedCluster(cluster)), platform=_platform(settings or {}, tenant or {}))
    return [each.finding for each in inspect(inspected) if each.check.name == name]


def _answer(address: str, answer: Any) -> Callable[[Document], object]:
    return lambda cluster: cluster["get"].update({address: answer})


def _spec(kind: str, **fields: Any) -> Callable[[Document], object]:
    return lambda cluster: cluster["get"][f"{OPERATOR}/{kind}"]["items"][0]["spec"].update(fields)


def _cache(**fields: Any) -> Callable[[Document], object]:
    return lambda cluster: cluster["get"][DAEMONSETS]["items"][1]["spec"]["template"]["spec"].update(fields)


def _nodes(change: Callable[[Document], object]) -> Callable[[Document], object]:
    def all_nodes(cluster: Document) -> None:
        for node in cluster["get"]["/api/v1/nodes"]["items"]:
            change(node)

    return all_nodes


CONFIGZ = "/api/v1/nodes/gke-pool-1/proxy/configz"
CASES: list[tuple[str, Callable[[Document], object], dict[str, Any], dict[str, Any], Status, str, dict[str, Any]]] = [
    ("version", _answer("/version", {"gitVersion": "v1.29.9"}), {}, {}, Status.BLOCKING, "v1.29.9", {}),
    ("version", _answer("/version", {"gitVersion": "v1.30.0"}), {}, {}, Status.OK, "v1.30.0", {}),
    ("version", _answer("/version", {"gitVersion": "new"}), {}, {}, Status.UNKNOWN, "'new'", {}),
    ("version", _answer("/version", {"error": "Forbidden"}), {}, {}, Status.UNKNOWN, "Forbidden", {}),
    ("profile", lambda _: None, {"cluster": {"profile": "eks"}}, {}, Status.WARNING, "gke", {"cluster.profile": "gke"}),
    (
        "profile",
        lambda cluster: cluster["get"].update({"/version": {"gitVersion": "v1.34.1"}}),
        {"cluster": {"profile": "openshift"}},
        {},
        Status.WARNING,
        "gke (nodes have the label cloud.google.com/gke-nodepool)",
        {"cluster.profile": "gke"},
    ),
    ("rights", lambda cluster: cluster["denied"].append("namespaces"), {}, {}, Status.BLOCKING, "cluster-wide", {}),
    ("rights", lambda cluster: cluster["denied"].append("services"), {}, {}, Status.BLOCKING, "in tenant-a", {}),
    (
        "rights",
        lambda cluster: cluster["denied"].append("configmaps"),
        {},
        {},
        Status.BLOCKING,
        "configmaps in observability",
        {},
    ),
    ("rights", lambda cluster: cluster["denied"].append("validatingadmissionpolicies"), {}, {}, Status.OK, "", {}),
    (
        "rights",
        lambda cluster: cluster["denied"].append("validatingadmissionpolicies"),
        {"guard": True},
        {},
        Status.BLOCKING,
        "validatingadmissionpolicies",
        {},
    ),
    (
        "crds",
        _answer(OPERATOR, {"resources": [{"kind": "ServiceMonitor"}]}),
        {},
        {},
        Status.BLOCKING,
        "PrometheusR",
        {},
    ),
    ("crds", _answer(f"{OPERATOR}alpha1", {"error": "NotFound"}), {}, {}, Status.OK, "all", {}),
    (
        "crds",
        _answer(f"{OPERATOR}alpha1", {"error": "NotFound"}),
        {},
        {"receiver": RECEIVER},
        Status.BLOCKING,
        "AlertmanagerConfig",
        {},
    ),
    (
        "crds",
        lambda _: None,
        {"gateway": {"name": "g", "namespace": "gw", "podLabels": {"a": "b"}, "domain": "models.example.com"}},
        {},
        Status.BLOCKING,
        "HTTPRoute",
        {},
    ),
    ("prometheus", _answer(f"{OPERATOR}/prometheuses", {"items": []}), {}, {}, Status.WARNING, "no object", {}),
    ("prometheus", _spec("prometheuses", serviceMonitorSelector=None), {}, {}, Status.FAILED, "absent", {}),
    ("prometheus", _spec("prometheuses", ruleNamespaceSelector=None), {}, {}, Status.FAILED, "absent", {}),
    (
        "prometheus",
        _spec("prometheuses", serviceMonitorNamespaceSelector={"matchLabels": {"monitored": "yes"}}),
        {},
        {},
        Status.FAILED,
        "monitored=yes",
        {},
    ),
    (
        "prometheus",
        _spec("prometheuses", ruleSelector={"matchLabels": {"role": "rules"}}),
        {},
        {},
        Status.FAILED,
        "role=rules",
        {"monitoring.objectLabels": {"release": "prom", "role": "rules"}},
    ),
    (
        "prometheus",
        _spec("prometheuses", ruleSelector={"matchExpressions": [{"key": "role", "operator": "Exists"}]}),
        {},
        {},
        Status.FAILED,
        "role",
        {},
    ),
    (
        "prometheus",
        lambda _: None,
        {"monitoring": {"namespace": "monitoring", "objectLabels": {"release": "prom"}}},
        {},
        Status.FAILED,
        "observability",
        {"monitoring.namespace": "observability"},
    ),
    (
        "prometheus",
        _answer("/api/v1/namespaces/observability/pods", {"items": [{"metadata": {"labels": {"app": "prometheus"}}}]}),
        {},
        {},
        Status.FAILED,
        "",
        {"monitoring.prometheusLabels": {"operator.prometheus.io/name": "prom-kube-prometheus-stack-prometheus"}},
    ),
    (
        "prometheus",
        lambda _: None,
        {"monitoring": {**RIGHT["monitoring"], "prometheusLabels": {"app": "other"}}},
        {},
        Status.FAILED,
        "",
        {"monitoring.prometheusLabels": {"app.kubernetes.io/name": "prometheus"}},
    ),
    ("alertmanager", _spec("alertmanagers", alertmanagerConfigSelector=None), {}, {}, Status.OK, "not needed", {}),
    (
        "alertmanager",
        _spec("alertmanagers", alertmanagerConfigSelector=None),
        {},
        {"receiver": RECEIVER},
        Status.FAILED,
        "none selects",
        {},
    ),
    (
        "alertmanager",
        _spec("alertmanagers", alertmanagerConfigSelector={"matchLabels": {"config": "yes"}}),
        {},
        {"receiver": RECEIVER},
        Status.FAILED,
        "none selects",
        {"monitoring.objectLabels": {"release": "prom", "config": "yes"}},
    ),
    (
        "metrics",
        _answer("/apis/metrics.k8s.io/v1beta1", {"error": "ServiceUnavailable"}),
        {},
        {},
        Status.FAILED,
        "does not answer",
        {},
    ),
    ("metrics", _answer("/apis/metrics.k8s.io/v1beta1/nodes", {"items": []}), {}, {}, Status.WARNING, "without", {}),
    ("dns", lambda _: None, {}, {}, Status.OK, "169.254.20.10", {}),
    (
        "dns",
        _answer("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", {"items": []}),
        {},
        {},
        Status.FAILED,
        "none is ready",
        {},
    ),
    (
        "dns",
        _answer(
            "/api/v1/namespaces/kube-system/pods",
            {"items": [{"spec": {"hostNetwork": True}, "status": {"hostIP": "10.1.0.4"}}, {"spec": {}, "status": {}}]},
        ),
        {},
        {},
        Status.BLOCKING,
        "on the host network of 10.1.0.4",
        {"dns.addresses": ["169.254.20.10/32", "34.118.224.10/32", "10.1.0.4/32"]},
    ),
    ("dns", lambda _: None, {"dns": {"addresses": ["169.254.20.0/24", "34.118.224.0/20"]}}, {}, Status.OK, "", {}),
    (
        "dns",
        _cache(hostNetwork=False),
        {"dns": {"addresses": [], "cachePodLabels": {"k8s-app": "mine"}}},
        {},
        Status.BLOCKING,
        "k8s-app=node-local-dns",
        {"dns.cachePodLabels": {"k8s-app": "node-local-dns"}},
    ),
    ("dns", _cache(hostNetwork=False), {"dns": {"addresses": []}}, {}, Status.OK, "", {}),
    (
        "dns",
        _cache(containers=[{"args": ["--localip=169.254.25.10"]}]),
        {"dns": {"addresses": []}},
        {},
        Status.BLOCKING,
        "169.254.25.10",
        {"dns.addresses": ["169.254.25.10/32"]},
    ),
    (
        "dns",
        _answer(CONFIGZ, {"kubeletconfig": {"clusterDNS": ["169.254.169.254"]}}),
        {},
        {},
        Status.BLOCKING,
        "not a Service",
        {"dns.addresses": ["169.254.20.10/32", "34.118.224.10/32", "169.254.169.254/32"]},
    ),
    ("dns", _answer(CONFIGZ, {"error": "Forbidden"}), {}, {}, Status.OK, "kube-system/kube-dns", {}),
    (
        "dns",
        lambda cluster: cluster["get"].update({CONFIGZ: {"error": "Forbidden"}, "/api/v1/services": {"items": []}}),
        {},
        {},
        Status.UNKNOWN,
        "no Service",
        {},
    ),
    (
        "dns",
        lambda _: None,
        {"dns": {**RIGHT["dns"], "namespace": "dns", "podLabels": {"k8s-app": "coredns"}, "port": 1053}},
        {},
        Status.BLOCKING,
        "k8s-app=kube-dns",
        {"dns.namespace": "kube-system", "dns.podLabels": {"k8s-app": "kube-dns"}, "dns.port": 53},
    ),
    ("network", _answer(DAEMONSETS, {"error": "Forbidden"}), {}, {}, Status.WARNING, "not known", {}),
    ("baseline", lambda _: None, {}, {}, Status.OK, "not served", {}),
    ("baseline", lambda _: None, {"baseline": True}, {}, Status.BLOCKING, "not served", {}),
    (
        "baseline",
        _answer("/apis/policy.networking.k8s.io/v1alpha2", {"resources": [{"kind": "ClusterNetworkPolicy"}]}),
        {"baseline": True},
        {},
        Status.OK,
        "is served; whether the network plugin enforces it is not tested",
        {},
    ),
    (
        "rights",
        lambda cluster: cluster["denied"].append("clusternetworkpolicies"),
        {"baseline": True},
        {},
        Status.BLOCKING,
        "clusternetworkpolicies cluster-wide",
        {},
    ),
    ("podSecurity", lambda cluster: cluster["warnings"].clear(), {}, {}, Status.WARNING, "not answered", {}),
    (
        "user",
        _answer("/apis/security.openshift.io/v1", {"resources": []}),
        {},
        {},
        Status.BLOCKING,
        "UID",
        {"pods.fixedUser": False},
    ),
    (
        "user",
        _answer("/apis/security.openshift.io/v1", {"resources": []}),
        {"pods": {"fixedUser": False}},
        {},
        Status.OK,
        "UID",
        {},
    ),
    ("storage", _answer("/apis/storage.k8s.io/v1/storageclasses", {"items": []}), {}, {}, Status.WARNING, "no sto", {}),
    ("image", lambda _: None, {}, {}, Status.SKIPPED, "not tested", {}),
]


@pytest.mark.parametrize(
    ("name", "change", "settings", "tenant", "status", "says", "keys"),
    CASES,
    ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)],
)
def test_a_difference_is_found(
    name: str,
    change: Callable[[Document], object],
    settings: dict[str, Any],
    tenant: dict[str, Any],
    status: Status,
    says: str,
    keys: dict[str, Any],
) -> None:
    """The finding has the status, names what was found, and names exactly the keys to set."""
    (finding,) = _findings(name, change, settings, tenant)
    assert finding.status is status
    assert says in finding.found + finding.fix
    assert {each.path.removeprefix("platform."): each.value for each in finding.settings} == keys
    assert finding.settings or finding.fix or finding.status in {Status.OK, Status.UNKNOWN} or name == "profile"


def _capacity(change: Callable[[Document], object], settings: dict[str, Any] | None = None) -> Finding:
    (finding,) = _findings("capacity", change, settings)
    return finding


def test_nodes_that_take_no_pods_do_not_count() -> None:
    for change in (
        lambda node: node["spec"].update(unschedulable=True),
        lambda node: node["spec"].update(taints=[{"key": "gpu", "effect": "NoSchedule"}]),
    ):
        finding = _capacity(_nodes(change))
        assert finding.status is Status.FAILED
        assert "0 nodes" in finding.found
    preferred = _capacity(_nodes(lambda node: node["spec"].update(taints=[{"effect": "PreferNoSchedule"}])))
    assert preferred.status is Status.OK


def _running(namespace: str, phase: str = "Running") -> Callable[[Document], object]:
    """A pod that leaves 100m of each node's CPU."""
    pods = [
        {
            "metadata": {"namespace": namespace},
            "spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": "3820m"}}}]},
            "status": {"phase": phase},
        }
        for node in ("gke-pool-1", "gke-pool-2")
    ]
    return _answer("/api/v1/pods", {"items": pods})


def test_pods_that_run_leave_less_unless_they_are_the_tenants_own() -> None:
    assert _capacity(_running("web")).status is Status.FAILED
    assert _capacity(_running("tenant-a")).status is Status.OK
    assert _capacity(_running("web", "Succeeded")).status is Status.OK


def test_a_cluster_that_holds_the_minimum_only_is_a_warning() -> None:
    small = _nodes(lambda node: node["status"]["allocatable"].update(cpu="800m"))
    finding = _capacity(small)
    assert finding.status is Status.WARNING
    assert "unschedulable: 0 pods at the minimum" in finding.found


@pytest.mark.parametrize(
    ("scheduling", "is_said"), [({"nodeSelector": {"pool": "models"}}, True), ({"priorityClass": "high"}, False)]
)
def test_it_is_said_that_a_tenants_choice_of_nodes_is_not_considered(scheduling: Any, is_said: bool) -> None:  # noqa: FBT001
    (finding,) = _findings("capacity", tenant={"scheduling": scheduling})
    assert ("not considered: the node selectors" in finding.found) is is_said


def test_a_description_that_promises_more_than_the_nodes_is_corrected() -> None:
    described = {"profile": "gke", "workers": 2, "cpu": "8", "memory": "8Gi", "pods": 110}
    finding = _capacity(lambda _: None, {"cluster": described})
    assert finding.status is Status.WARNING
    assert {each.path: each.value for each in finding.settings} == {"platform.cluster.cpu": "3920m"}
    assert _capacity(lambda _: None, {"cluster": {**described, "cpu": "3"}}).settings == ()


@pytest.mark.parametrize(
    ("arguments", "mode", "statuses"),
    [
        (["--enable-network-policy=false"], "strict", [Status.BLOCKING]),
        (["--enable-network-policy=true"], "standard", [Status.WARNING, Status.SKIPPED]),
        (["--enable-network-policy=true"], "strict", [Status.SKIPPED]),
    ],
)
def test_the_switches_of_the_vpc_cni_are_read(arguments: list[str], mode: str, statuses: list[Status]) -> None:
    containers = [
        {"name": "aws-node", "env": [{"name": "NETWORK_POLICY_ENFORCING_MODE", "value": mode}]},
        {"name": "aws-eks-nodeagent", "args": arguments},
    ]
    plugin = {
        "metadata": {"name": "aws-node", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": containers}}},
    }
    found = _findings("network", _answer(DAEMONSETS, {"items": [plugin]}))
    assert [each.status for each in found] == statuses


def test_a_server_that_stops_answering_is_an_error_and_not_a_finding() -> None:
    class Silent(RecordedCluster):
        def _get(self, address: str) -> Any:
            done = super()._get(address)
            done.returncode, done.stderr = 1, "Unable to connect to the server: dial tcp 192.0.2.1:443: i/o timeout"
            return done

    inspected = Inspected(api=Api(Silent(recorded("gke"))), platform=_platform({}, {}))
    with pytest.raises(CommandError, match="Unable to connect"):
        inspect(inspected)


def test_lists_are_read_to_their_last_page() -> None:
    class Paged(RecordedCluster):
        def _get(self, address: str) -> Any:
            if address.startswith("/api/v1/nodes"):
                page = "continue=more" in address
                metadata = {} if page else {"continue": "more"}
                self.document["get"]["/api/v1/nodes"] = {"items": [{"page": page}], "metadata": metadata}
            return super()._get(address)

    assert Api(Paged(recorded("gke"))).items("/api/v1/nodes") == [{"page": False}, {"page": True}]
