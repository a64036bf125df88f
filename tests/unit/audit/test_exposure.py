"""What is reported as exposed, through what, and where it stands."""

import pytest

from audit.engine.answer import Verdict
from audit.reports.exposure_report import exposure_report
from audit.reports.finding import Exposure, Finding
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy

WEB = namespace("shop") + pod("web", "{app: web}", ports="[{name: http, containerPort: 8080}]")
DENY = policy("deny", DENY_ALL)


def findings(cluster: Build, text: str, exposure: Exposure, **assumptions: object) -> list[Finding]:
    report = exposure_report(cluster(text, **assumptions))
    return [finding for finding in report.findings if finding.exposure is exposure]


def service(spec: str) -> str:
    head = "---\napiVersion: v1\nkind: Service\nmetadata: {name: svc, namespace: shop}\n"
    return f"{head}spec: {{selector: {{app: web}}, {spec}}}\n"


def test_an_open_workload_is_exposed_to_everybody(cluster: Build) -> None:
    report = exposure_report(cluster(WEB))
    assert {finding.exposure for finding in report.findings} == {
        Exposure.CLUSTER,
        Exposure.ADDRESSES,
        Exposure.NODES,
        Exposure.UNRESTRICTED_INGRESS,
        Exposure.UNRESTRICTED_EGRESS,
    }
    assert {finding.verdict for finding in report.findings} == {Verdict.ALLOWED}
    assert {finding.line for finding in report.findings} == {6}


def test_an_isolated_workload_is_not_exposed(cluster: Build) -> None:
    assert exposure_report(cluster(WEB + DENY)).findings == []


def test_workloads_of_other_namespaces_are_named_and_those_of_the_own_are_not(cluster: Build) -> None:
    far = namespace("far", "{team: red}") + pod("one", "{app: one}", "far") + pod("near", "{app: near}")
    allow = (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}], "
        "from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {team: red}}}]}]}"
    )
    everything = policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{}]}", "far")
    (finding,) = [
        each
        for each in findings(cluster, WEB + far + DENY + policy("p", allow) + everything, Exposure.CLUSTER)
        if each.label == "shop/web"
    ]
    assert (finding.verdict, finding.by, finding.ports) == (Verdict.ALLOWED, "far/one", ["TCP 8080"])


def test_pods_that_a_rule_lets_in_and_the_input_lacks_are_unknown_at_the_rules_line(cluster: Build) -> None:
    spaces = "{matchLabels: {kubernetes.io/metadata.name: monitoring}}"
    peer = f"{{namespaceSelector: {spaces}, podSelector: {{matchLabels: {{a: b}}}}}}"
    text = WEB + DENY + policy("p", f"{{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}")
    (finding,) = findings(cluster, text, Exposure.CLUSTER)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.by == "pods with a=b in namespaces with kubernetes.io/metadata.name=monitoring"
    assert finding.line == len(text.splitlines())
    there = text + pod("prometheus", "{a: b}", "monitoring")
    assert [each.by for each in findings(cluster, there, Exposure.CLUSTER) if each.label == "shop/web"] == [
        "monitoring/prometheus"
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("type: NodePort, ports: [{port: 80, targetPort: http, nodePort: 30080}]", "(port 30080 of every node)"),
        ("type: NodePort, ports: [{port: 80, targetPort: 8080}]", "(port chosen by the cluster of every node)"),
        ("type: LoadBalancer, ports: [{port: 80, targetPort: http}]", "(port 80)"),
        ("externalIPs: [192.0.2.1], ports: [{port: 80, targetPort: http}]", "(port 80 of 192.0.2.1)"),
    ],
)
def test_a_service_opens_the_pods_port_on_nodes_and_outside(cluster: Build, spec: str, expected: str) -> None:
    (finding,) = findings(cluster, WEB + service(spec), Exposure.SERVICE)
    assert finding.verdict is Verdict.ALLOWED
    assert finding.ports == ["TCP 8080"]
    assert expected in finding.by
    (isolated,) = findings(cluster, WEB + DENY + service(spec), Exposure.SERVICE)
    assert isolated.verdict is Verdict.UNKNOWN
    assert "a node may forward the traffic" in isolated.missing[0]


def test_a_service_inside_the_cluster_is_not_an_exposure(cluster: Build) -> None:
    assert findings(cluster, WEB + service("ports: [{port: 80, targetPort: http}]"), Exposure.SERVICE) == []


INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: svc, port: {name: web}}}}]}
"""
ROUTE = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: in, namespace: shop}
spec:
  parentRefs: [{name: gate, namespace: edge}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: svc, port: 80}]}]
"""


@pytest.mark.parametrize(
    ("route", "by"),
    [
        (INGRESS, "Ingress shop/in (shop.example.com) through nginx"),
        (ROUTE, "HTTPRoute shop/in (shop.example.com) through Gateway edge/gate"),
    ],
)
def test_a_route_is_reported_with_whether_pods_of_a_controller_may_get_in(cluster: Build, route: str, by: str) -> None:
    text = WEB + service("ports: [{name: web, port: 80, targetPort: http}]") + route
    (finding,) = findings(cluster, text, Exposure.ROUTE)
    assert (finding.verdict, finding.by, finding.ports) == (Verdict.ALLOWED, by, ["TCP 8080"])
    (denied,) = findings(cluster, text + DENY, Exposure.ROUTE)
    assert denied.verdict is Verdict.DENIED
    gate = policy("p", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {edge: yes-it-is}}}]}]}")
    (maybe,) = findings(cluster, text + DENY + gate, Exposure.ROUTE)
    assert maybe.verdict is Verdict.UNKNOWN
    assert maybe.missing == ["the pods of the ingress controller or gateway are not known"]


def test_addresses_that_are_let_in_are_the_smallest_set(cluster: Build) -> None:
    blocks = "{ipBlock: {cidr: 192.0.2.0/25}}, {ipBlock: {cidr: 192.0.2.128/25}}, {ipBlock: {cidr: 192.0.2.7/32}}"
    text = WEB + policy("p", f"{{podSelector: {{}}, ingress: [{{from: [{blocks}], ports: [{{port: 1}}]}}]}}")
    (finding,) = findings(cluster, text, Exposure.ADDRESSES)
    assert (finding.by, finding.ports) == ("addresses 192.0.2.0/24", ["TCP 1"])


def test_pods_on_the_host_network_are_named(cluster: Build) -> None:
    text = pod("agent", "{app: agent}", spec="hostNetwork: true") + DENY
    (finding,) = findings(cluster, text, Exposure.HOST_NETWORK)
    assert finding.verdict is Verdict.UNKNOWN
