"""Who can be asked about: nodes, addresses, Services, pods that do not exist yet, and what cannot be known of them."""

import pytest

from audit import EndpointError, Verdict
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy

ALLOWED, DENIED, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN
PODS = (
    namespace("shop")
    + pod("web", "{app: web}", ports="[{name: http, containerPort: 8080}]")
    + pod("db", "{app: db}")
    + pod("host", "{app: host}", spec="hostNetwork: true")
)
DENY = policy("deny", DENY_ALL)
ONLY_WEB = policy(
    "p", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"
)


def test_a_node_reaches_pods_that_are_open_and_may_be_the_own_node_of_those_that_are_not(cluster: Build) -> None:
    assert cluster(PODS).verdict("node", "shop/db", 80).verdict is ALLOWED
    answer = cluster(PODS + DENY).verdict("node", "shop/db", 80)
    assert answer.verdict is UNKNOWN
    (missing,) = answer.missing
    assert missing.startswith("whether shop/db and node are on the same node: traffic between a pod and the node")


def test_a_node_reaches_its_own_pods_where_the_input_says_where_they_run(cluster: Build) -> None:
    nodes = "".join(
        f"---\napiVersion: v1\nkind: Node\nmetadata: {{name: n{n}}}\n"
        f"status: {{addresses: [{{type: InternalIP, address: 10.0.0.{n}}}]}}\n"
        for n in (1, 2)
    )
    running = pod("db", "{app: db}").rstrip() + "\nstatus: {hostIP: 10.0.0.1, podIP: 10.244.0.5}\n"
    found = cluster(nodes + running + DENY)
    assert found.verdict("node/n1", "shop/db", 80).verdict is ALLOWED
    assert found.verdict("10.0.0.1", "shop/db", 80).verdict is ALLOWED
    assert found.verdict("node/n2", "shop/db", 80).verdict is DENIED


def test_pods_on_the_host_network_are_unknown_unless_every_reading_agrees(cluster: Build) -> None:
    assert cluster(PODS).verdict("shop/host", "shop/db", 80).verdict is ALLOWED
    assert cluster(PODS + DENY).verdict("shop/host", "shop/db", 80).verdict is UNKNOWN
    assert cluster(PODS + DENY).verdict("shop/host", "192.0.2.1", 80).verdict is UNKNOWN
    everything = "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}"
    assert cluster(PODS + policy("open", everything)).verdict("shop/host", "shop/db", 80).verdict is ALLOWED


def test_an_address_is_the_pod_that_has_it(cluster: Build) -> None:
    running = pod("db", "{app: db}").rstrip() + "\nstatus: {podIP: 10.244.0.5}\n"
    found = cluster(pod("web", "{app: web}") + running + ONLY_WEB)
    assert found.verdict("shop/web", "10.244.0.5", 80).verdict is ALLOWED
    assert found.verdict("192.0.2.1", "10.244.0.5", 80).verdict is DENIED


def test_a_private_address_counts_as_outside_and_the_answer_says_so(cluster: Build) -> None:
    (note,) = cluster(PODS).verdict("shop/db", "10.1.2.3", 80).notes
    assert note.startswith("10.1.2.3 counts as outside the cluster; if it is not, give --pod-cidr")
    assert cluster(PODS).verdict("shop/db", "8.8.8.8", 80).notes == ()


def test_an_address_of_the_pod_cidr_may_be_any_pod(cluster: Build) -> None:
    found = cluster(PODS + ONLY_WEB, pod_cidrs=["10.244.0.0/16"])
    answer = found.verdict("10.244.9.9", "shop/db", 80)
    assert answer.verdict is UNKNOWN
    assert "the namespace of pod 10.244.9.9 is not known" in answer.missing


def test_a_new_pod_with_any_labels_may_match_any_selector_of_its_namespace(cluster: Build) -> None:
    found = cluster(PODS + namespace("far") + ONLY_WEB)
    assert found.verdict("shop/*", "shop/db", 80).verdict is UNKNOWN
    assert found.verdict("far/*", "shop/db", 80).verdict is DENIED
    assert found.verdict("shop/[app=web]", "shop/db", 80).verdict is ALLOWED
    assert found.verdict("shop/[app=other]", "shop/db", 80).verdict is DENIED
    assert found.verdict("shop/web", "shop/*", 80).verdict is ALLOWED
    assert cluster(PODS + DENY).verdict("shop/web", "shop/*", 80).verdict is DENIED


def test_a_workload_whose_pods_differ_is_unknown_and_the_pods_are_named(cluster: Build) -> None:
    """A named port that one replica lacks."""
    owner = "ownerReferences: [{kind: ReplicaSet, name: web, controller: true}]"
    text = ""
    for name, port in (("web-1", "http"), ("web-2", "other")):
        one = pod(name, "{app: web}", ports=f"[{{name: {port}, containerPort: 8080}}]")
        text += one.replace("labels:", f"{owner}, labels:")
    allow = policy("p", "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: http}]}]}")
    found = cluster(text + pod("db") + allow)
    answer = found.verdict("shop/db", "shop/web", 8080)
    assert answer.verdict is UNKNOWN
    assert "shop/db to shop/web-1 on 8080: allowed; shop/db to shop/web-2 on 8080: denied" in answer.missing[0]
    assert found.verdict("shop/db", "shop/web-1", 8080).verdict is ALLOWED
    assert found.verdict("shop/db", "shop/web-2", 8080).verdict is DENIED


def test_a_port_of_an_init_container_or_of_two_containers_is_unknown_and_one_of_a_sidecar_counts(
    cluster: Build,
) -> None:
    def found(spec: str) -> Verdict:
        text = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
        text += f"spec: {{{spec}}}\n"
        rule = policy("p", "{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]}")
        return cluster(text + pod("db", namespace="far") + rule).verdict("far/db", "shop/web", 80).verdict

    http, other = "{ports: [{name: http, containerPort: 80}]}", "{ports: [{name: http, containerPort: 81}]}"
    assert found(f"containers: [{http}]") is ALLOWED
    assert found(f"initContainers: [{http}]") is UNKNOWN
    assert found(f"initContainers: [{http.replace('{', '{restartPolicy: Always, ', 1)}]") is ALLOWED
    assert found(f"containers: [{http}, {other}]") is UNKNOWN
    assert found(f"containers: [{other}]") is DENIED


def service(spec: str) -> str:
    return f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: svc, namespace: shop}}\nspec: {{{spec}}}\n"


def test_policies_see_the_port_of_the_pod_behind_a_service(cluster: Build) -> None:
    allow = policy("p", "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}")
    ports = "ports: [{name: web, port: 80, targetPort: http}]"
    found = cluster(PODS + allow + service(f"selector: {{app: web}}, clusterIP: 10.96.0.7, {ports}"))
    for port in (80, "80", "web"):
        answer = found.verdict("shop/db", "shop/service/svc", port)
        assert (answer.verdict, answer.port) == (ALLOWED, 8080)
    assert found.verdict("shop/db", "10.96.0.7", 80).verdict is ALLOWED
    assert found.verdict("shop/db", "shop/web", 80).verdict is DENIED
    with pytest.raises(EndpointError, match="has no TCP port 8080; it has TCP 80 web"):
        found.verdict("shop/db", "shop/service/svc", 8080)


def test_a_service_without_a_selector_leads_to_its_endpoints(cluster: Build) -> None:
    ends = (
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        "metadata: {name: svc-1, namespace: shop, labels: {kubernetes.io/service-name: svc}}\n"
        "addressType: IPv4\nports: [{name: '', port: 5432}]\nendpoints: [{addresses: [192.0.2.9]}]\n"
    )
    deny = policy("e", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/28}}]}]}")
    found = cluster(PODS + service("ports: [{port: 5432}]") + ends + deny)
    assert found.verdict("shop/db", "shop/service/svc", 5432).verdict is ALLOWED
    old = "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: svc, namespace: shop}\n"
    old += "subsets: [{addresses: [{ip: 198.51.100.1}], ports: [{port: 5432}]}]\n"
    found = cluster(PODS + service("ports: [{port: 5432}]") + old + deny)
    assert found.verdict("shop/db", "shop/service/svc", 5432).verdict is DENIED


def test_a_service_that_leads_nowhere_says_so(cluster: Build) -> None:
    with pytest.raises(EndpointError, match="has no pods and no endpoints"):
        cluster(PODS + service("selector: {app: none}, ports: [{port: 80}]")).verdict("shop/db", "shop/svc/svc", 80)
    alias = service("type: ExternalName, externalName: example.com")
    with pytest.raises(EndpointError, match=r"is an alias of example\.com"):
        cluster(PODS + alias).verdict("shop/db", "shop/service/svc", 80)


def test_a_name_that_two_kinds_share_has_to_be_told_apart(cluster: Build) -> None:
    twin = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {}}\n"
    found = cluster(PODS + twin)
    with pytest.raises(EndpointError, match="name one of shop/Pod/web, shop/Deployment/web"):
        found.verdict("shop/db", "shop/web", 80)
    assert found.verdict("shop/db", "shop/deployment/web", 80).verdict is ALLOWED
