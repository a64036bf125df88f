"""Routes between namespaces: ReferenceGrants, host names, aliases, and routes that are not evaluated."""

from pathlib import Path

import pytest

from audit import Cluster, read
from audit.contract import contract_findings
from audit.engine.answer import Verdict
from audit.metrics import Metrics
from audit.paths import Paths
from audit.reports.exposure_report import exposure_report
from audit.reports.finding import Exposure
from audit.wiring import broken_references
from tests.unit.audit.contracts import contract
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy

ENFORCED = "{pod-security.kubernetes.io/enforce: restricted}"
PORTS = "[{name: http, containerPort: 8000}]"
SPEC = "automountServiceAccountToken: false"
WEB = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: %s}\nspec: {%s}\n"
OWN = "selector: {app: web}, clusterIP: 10.96.0.%d, ports: [{name: http, port: 80, targetPort: 8000}]"
BASE = "".join(
    namespace(each, ENFORCED)
    + pod("web", "{app: web}", each, PORTS, SPEC)
    + f"status: {{podIP: 10.244.1.{number}}}\n"
    + WEB % (each, OWN % number)
    for number, each in enumerate(("red", "blue"), 1)
)
CLOSED = BASE + policy("deny", DENY_ALL, "red") + policy("deny", DENY_ALL, "blue")
ROUTE = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: red}
spec: {rules: [{backendRefs: [{name: web, namespace: blue, port: 80}]}]}
"""
GRANT = """\
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: routes, namespace: blue}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: red}]
  to: [{group: "", kind: Service, name: web}]
"""
OTHER_GRANTS = [
    GRANT.replace("namespace: red", "namespace: green"),
    GRANT.replace("HTTPRoute", "TLSRoute"),
    GRANT.replace("kind: Service", "kind: Secret"),
    GRANT.replace("name: web", "name: other"),
    GRANT.replace("namespace: blue", "namespace: red"),
]
TENANTS = [{"name": "red", "routes": True}, {"name": "blue", "routes": True}]


def cluster(tmp_path: Path, text: str) -> Cluster:
    file = tmp_path / "all.yaml"
    file.write_text(text)
    return read.objects([file], details=True)


def ways(tmp_path: Path, text: str) -> list[tuple[str, str, bool]]:
    """The rule, the end and whether it is certain of each path from red to blue."""
    return [
        (each.steps[-1].rule, str(each.end), each.certain)
        for each in Paths(cluster(tmp_path, text)).find(["red"], ["blue"])
    ]


def checked(tmp_path: Path, text: str, **spec: object) -> list[tuple[str, str, str]]:
    """Rule, state and subject of what breaks a contract, without what is about pods."""
    wanted = contract(**{"tenants": TENANTS, "quota": False, "podSecurity": "privileged", **spec})
    found = contract_findings(wanted, cluster(tmp_path, text))
    return [(each.rule, str(each.state), each.subject) for each in found]


def test_a_route_to_another_namespace_needs_a_grant_of_that_namespace(tmp_path: Path) -> None:
    assert ways(tmp_path, CLOSED + ROUTE + GRANT) == [("route", "traffic to blue/web", True)]
    assert ways(tmp_path, CLOSED + ROUTE + GRANT.replace(", name: web}", "}")) != []
    for grant in ("", *OTHER_GRANTS):
        assert ways(tmp_path, CLOSED + ROUTE + grant) == []


def test_without_the_namespace_in_the_input_whether_it_has_a_grant_is_not_known(tmp_path: Path) -> None:
    undeclared = CLOSED.replace(namespace("blue", ENFORCED), "")
    assert ways(tmp_path, undeclared + ROUTE) == [("route", "traffic to blue/web", False)]


def test_a_route_without_a_grant_is_a_broken_reference_and_exposes_nothing(tmp_path: Path) -> None:
    for more, broken, verdict in ((GRANT, [], Verdict.ALLOWED), ("", ["route-without-grant"], Verdict.DENIED)):
        found = cluster(tmp_path, BASE + ROUTE + more)
        assert [each.rule for each in broken_references(found.inventory)] == broken
        (exposed,) = [each for each in exposure_report(found).findings if each.exposure is Exposure.ROUTE]
        assert exposed.verdict is verdict


def test_grants_are_read_where_only_the_network_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(BASE + ROUTE + GRANT)
    (exposed,) = [each for each in exposure_report(read.objects([file])).findings if each.exposure is Exposure.ROUTE]
    assert exposed.verdict is Verdict.ALLOWED


def test_a_route_to_prometheus_without_a_grant_queries_nothing(tmp_path: Path) -> None:
    text = BASE.replace("app: web", "app.kubernetes.io/name: prometheus") + ROUTE
    text += "---\napiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: main, namespace: blue}\n"
    deny = policy("deny", DENY_ALL, "red")
    queries = [Metrics(cluster(tmp_path, text + deny + more)).queries for more in ("", GRANT)]
    assert [[str(each.way) for each in found] for found in queries] == [[], ["route"]]


@pytest.mark.parametrize(
    ("grant", "spec", "states"),
    [
        (GRANT, {}, ["violation"]),
        (GRANT.replace("namespace: red", "namespace: blue"), {}, []),
        (GRANT.replace("namespace: red", "namespace: gateways"), {}, []),
        (GRANT.replace("namespace: red", "namespace: far").replace("kind: Service", "kind: Secret"), {}, ["violation"]),
        (GRANT.replace("namespace: red", "namespace: gateways"), {"tenants": [{"name": "blue"}]}, ["violation"]),
        (GRANT.replace("namespace: blue", "namespace: gateways"), {}, []),
    ],
)  # fmt: skip
def test_a_grant_to_others_breaks_the_contract_unless_it_is_for_routes_that_it_allows(
    tmp_path: Path, grant: str, spec: dict[str, object], states: list[str]
) -> None:
    found = checked(tmp_path, CLOSED + grant, **spec)
    assert found == [("reference-grant", state, "ReferenceGrant blue/routes") for state in states]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("networking.istio.io/v1", "VirtualService"),
        ("networking.istio.io/v1", "ServiceEntry"),
        ("traefik.io/v1alpha1", "IngressRoute"),
        ("projectcontour.io/v1", "HTTPProxy"),
        ("route.openshift.io/v1", "Route"),
        ("policy.linkerd.io/v1beta3", "HTTPRoute"),
        ("getambassador.io/v2", "Mapping"),
    ],
)
def test_a_route_of_another_kind_is_not_known_and_undecided(tmp_path: Path, version: str, kind: str) -> None:
    text = CLOSED + f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: web, namespace: red}}\nspec: {{}}\n"
    assert checked(tmp_path, text) == [("route-not-evaluated", "undecided", f"{kind} red/web")]
    (plane,) = [each for each in Paths(cluster(tmp_path, text)).searched if each.plane == "routes and Services"]
    assert plane.unknown[0].startswith(f"where {kind} red/web leads: the audit does not evaluate {kind} of ")


def test_a_route_to_an_imported_service_is_possible(tmp_path: Path) -> None:
    imported = "group: multicluster.x-k8s.io, kind: ServiceImport, name: web"
    route, grant = ROUTE.replace("name: web, namespace: blue", f"{imported}, namespace: blue"), GRANT
    grant = grant.replace('{group: "", kind: Service, name: web}', f"{{{imported}}}")
    assert ways(tmp_path, CLOSED + route + grant) == [("route", "traffic to blue/web", False)]
    assert ways(tmp_path, CLOSED + route) == []


def ingress(of: str, host: str, spec: str = "ingressClassName: shared") -> str:
    backend = "{service: {name: web, port: {number: 80}}}"
    return (
        f"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web, namespace: {of}}}\n"
        f"spec: {{{spec}, rules: [{{host: '{host}', http: {{paths: [{{path: /, backend: {backend}}}]}}}}]}}\n"
    )


@pytest.mark.parametrize(
    ("mine", "spec", "taken"),
    [
        ("shop.example", "ingressClassName: shared", True),
        ("shop.example", "rules: []", True),
        ("shop.example", "ingressClassName: own", False),
        ("other.example", "ingressClassName: shared", False),
        ("*.example", "ingressClassName: shared", False),
        ("", "ingressClassName: shared", False),
    ],
)
def test_the_host_of_another_at_the_same_controller_is_a_possible_path(
    tmp_path: Path, mine: str, spec: str, *, taken: bool
) -> None:
    spec = "defaultBackend: null" if spec == "rules: []" else spec
    text = CLOSED + ingress("red", mine, spec) + ingress("blue", "shop.example")
    assert ways(tmp_path, text) == ([("takes-host", "traffic of blue", False)] if taken else [])


def test_routes_without_hosts_at_the_same_gateway_take_from_each_other(tmp_path: Path) -> None:
    route = ROUTE.replace("namespace: blue, ", "").replace("{rules", "{parentRefs: [{name: g, namespace: blue}], rules")
    other = route.replace("namespace: red", "namespace: blue")
    expected = [("takes-host", "traffic of blue", False)]
    assert ways(tmp_path, CLOSED + route + other) == expected
    named = route.replace("spec: {", "spec: {hostnames: [shop.example], ")
    assert ways(tmp_path, CLOSED + named + other) == expected
    assert ways(tmp_path, CLOSED + route + other.replace("name: g,", "name: h,")) == []
    assert ways(tmp_path, CLOSED + route + named.replace("namespace: red", "namespace: blue")) == []


@pytest.mark.parametrize(
    ("name", "leads"),
    [
        ("web.blue.svc", True),
        ("web.blue.svc.cluster.local.", True),
        ("web-0.web.blue.svc.cluster.local", True),
        ("10-244-1-2.blue.pod.cluster.local", True),
        ("web.blue", True),
        ("10.244.1.2", True),
        ("10.96.0.2", True),
        ("web.red.svc.cluster.local", False),
        ("10.244.1.1", False),
        ("10.96.0.1", False),
    ],
)
def test_every_name_of_another_namespace_is_an_alias_that_leads_there(
    tmp_path: Path, name: str, *, leads: bool
) -> None:
    expected = [("external-name", "traffic to blue/web", False)] if leads else []
    alias = "---\napiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: red}\n"
    assert ways(tmp_path, f"{CLOSED}{alias}spec: {{type: ExternalName, externalName: {name}}}\n") == expected
    slices = (
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: FQDN\n"
        "metadata: {name: web, namespace: red, labels: {kubernetes.io/service-name: web}}\n"
        f"endpoints: [{{addresses: ['{name}']}}]\n"
    )
    assert ways(tmp_path, CLOSED + slices) == expected


def test_a_name_outside_the_cluster_is_not_known(tmp_path: Path) -> None:
    alias = WEB.replace("name: web", "name: alias") % ("red", "type: ExternalName, externalName: shop.example.com")
    (plane,) = [each for each in Paths(cluster(tmp_path, CLOSED + alias)).searched if each.plane.startswith("routes")]
    assert plane.unknown == ("where the Service red/alias leads: shop.example.com is not a name of the cluster",)


def test_an_alias_of_a_service_named_svc_leads_to_its_namespace(tmp_path: Path) -> None:
    alias = WEB.replace("name: web", "name: alias") % ("red", "type: ExternalName, externalName: svc.blue.svc")
    assert ways(tmp_path, CLOSED + alias) == [("external-name", "traffic to all pods of blue", False)]


def test_routes_of_kinds_that_cannot_have_hosts_do_not_take_from_each_other(tmp_path: Path) -> None:
    route = ROUTE.replace("namespace: blue, ", "").replace("HTTPRoute", "TCPRoute").replace("/v1", "/v1alpha2")
    assert ways(tmp_path, CLOSED + route + route.replace("namespace: red", "namespace: blue")) == []


@pytest.mark.parametrize(
    ("managed", "address", "leads"),
    [
        ("me", "10.244.1.2", True),
        ("me", "10.96.0.2", True),
        ("me", "10.244.1.1", False),
        ("endpointslice-controller.k8s.io", "10.244.1.2", False),
    ],
)
def test_endpoints_that_somebody_adds_to_a_service_with_a_selector_count(
    tmp_path: Path, managed: str, address: str, *, leads: bool
) -> None:
    labels = f"{{kubernetes.io/service-name: web, endpointslice.kubernetes.io/managed-by: {managed}}}"
    added = (
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
        f"metadata: {{name: web, namespace: red, labels: {labels}}}\n"
        f"endpoints: [{{addresses: [{address}]}}]\nports: [{{name: http, port: 8000}}]\n"
    )
    expected = [("endpoints", "traffic to blue/web", False)] if leads else []
    assert ways(tmp_path, CLOSED + added) == expected


@pytest.mark.parametrize(
    "key", ["nginx.ingress.kubernetes.io/auth-tls-secret", "nginx.ingress.kubernetes.io/proxy-ssl-secret"]
)
@pytest.mark.parametrize("space", ["red", "blue"])
def test_an_annotation_that_names_a_secret_of_another_namespace_is_a_possible_path(
    tmp_path: Path, key: str, space: str
) -> None:
    text = ingress("red", "a.example").replace(
        "namespace: red}", f"namespace: red, annotations: {{{key}: {space}/keys}}}}"
    )
    expected = [("uses-secret", "Secret blue/keys", False)] if space == "blue" else []
    assert ways(tmp_path, CLOSED + text) == expected


@pytest.mark.parametrize(
    ("group", "kind"),
    [("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.x-k8s.io", "XListenerSet")],
)
def test_a_grant_for_the_group_and_kind_allows_a_certificate_of_another_namespace(
    tmp_path: Path, group: str, kind: str
) -> None:
    given = f"---\napiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: g, namespace: red}}\n"
    given += "spec: {listeners: [{name: a, tls: {certificateRefs: [{name: web, namespace: blue}]}}]}\n"
    grant = GRANT.replace("gateway.networking.k8s.io, kind: HTTPRoute", f"{group}, kind: {kind}")
    grant = grant.replace("kind: Service", "kind: Secret")
    assert ways(tmp_path, CLOSED + given + grant) == [("certificate", "traffic of blue", True)]
    assert ways(tmp_path, CLOSED + given + GRANT) == []
