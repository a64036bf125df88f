"""All pairs at once say what each pair says by itself."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import Assumptions, Cluster, Verdict, read
from audit.engine.endpoints import Traffic

LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2)
SPACES = ["red", "blue", "grey"]
PROTOCOLS = st.sampled_from(["TCP", "UDP", "SCTP"])
CIDRS = ["10.0.0.0/8", "10.244.0.0/16", "0.0.0.0/0", "::/0", "192.0.2.0/24"]
EXPRESSIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["app", "tier"]),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2, unique=True),
        }
    ),
    st.fixed_dictionaries(
        {"key": st.sampled_from(["app", "tier"]), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
    ),
)
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda labels: {"matchLabels": labels}, LABELS),
    st.builds(lambda each: {"matchExpressions": each}, st.lists(EXPRESSIONS, max_size=2)),
)
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, SELECTORS),
    st.builds(lambda spaces: {"namespaceSelector": spaces}, SELECTORS),
    st.builds(lambda spaces, pods: {"namespaceSelector": spaces, "podSelector": pods}, SELECTORS, SELECTORS),
    st.builds(lambda cidr: {"ipBlock": {"cidr": cidr}}, st.sampled_from(CIDRS)),
)
PORTS = st.one_of(
    st.builds(lambda port, protocol: {"port": port, "protocol": protocol}, st.sampled_from([80, 443]), PROTOCOLS),
    st.builds(lambda port, last: {"port": port, "endPort": last}, st.just(80), st.sampled_from([80, 100, 443])),
    st.builds(lambda protocol: {"port": "http", "protocol": protocol}, PROTOCOLS),
    st.builds(lambda protocol: {"protocol": protocol}, PROTOCOLS),
)


def _rules(field: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    rule = st.builds(
        lambda peers, ports: {field: peers, "ports": ports}, st.lists(PEERS, max_size=2), st.lists(PORTS, max_size=2)
    )
    return st.lists(rule, max_size=2)


def _objects(kind: str, version: str, number: int, namespace: str, **rest: Any) -> dict[str, Any]:
    metadata = {"name": f"{kind.lower()}-{number}", "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


@st.composite
def pods(draw: st.DrawFn, number: int) -> dict[str, Any]:
    ports = st.lists(
        st.builds(
            lambda port, protocol, name: {"containerPort": port, "protocol": protocol, "name": name},
            st.sampled_from([80, 8080]),
            PROTOCOLS,
            st.sampled_from(["http", "other"]),
        ),
        max_size=2,
    )
    spec = {
        "containers": [{"name": "c", "ports": draw(ports)}],
        "hostNetwork": draw(st.sampled_from([False] * 5 + [True])),
    }
    found = _objects("Pod", "v1", number, draw(st.sampled_from(SPACES)), spec=spec)
    found["metadata"]["labels"] = draw(LABELS)
    if draw(st.booleans()):
        return found
    template = {"metadata": {"labels": draw(LABELS)}, "spec": spec}
    return _objects("Deployment", "apps/v1", number, draw(st.sampled_from(SPACES)), spec={"template": template})


@st.composite
def policies(draw: st.DrawFn, number: int) -> dict[str, Any]:
    types = draw(st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"], None]))
    spec = {
        "podSelector": draw(SELECTORS),
        "policyTypes": types,
        "ingress": draw(_rules("from")),
        "egress": draw(_rules("to")),
    }
    return _objects("NetworkPolicy", "networking.k8s.io/v1", number, draw(st.sampled_from(SPACES)), spec=spec)


@st.composite
def admin_policies(draw: st.DrawFn, number: int) -> dict[str, Any]:
    base = number == 0
    kind = "BaselineAdminNetworkPolicy" if base else "AdminNetworkPolicy"
    actions = ["Allow", "Deny"] if base else ["Allow", "Deny", "Pass"]
    peer = st.one_of(
        st.builds(lambda spaces: {"namespaces": spaces}, SELECTORS),
        st.builds(
            lambda spaces, pods: {"pods": {"namespaceSelector": spaces, "podSelector": pods}}, SELECTORS, SELECTORS
        ),
    )
    port = st.one_of(
        st.builds(lambda port: {"portNumber": {"port": port, "protocol": "TCP"}}, st.sampled_from([80, 443])),
        st.builds(lambda end: {"portRange": {"start": 80, "end": end}}, st.sampled_from([100, 443])),
        st.just({"namedPort": "http"}),
    )
    block = st.builds(lambda cidr: {"networks": [cidr]}, st.sampled_from(CIDRS))

    def rules(field: str) -> list[dict[str, Any]]:
        found = []
        for _rule in range(draw(st.integers(0, 2))):
            peers = draw(st.lists(peer, min_size=1, max_size=2))
            ports = draw(st.lists(port, max_size=2))
            if field == "to" and not any("namedPort" in each for each in ports):
                peers += draw(st.lists(block, max_size=1))
            rule = {"action": draw(st.sampled_from(actions)), field: peers}
            found.append({**rule, "ports": ports} if ports else rule)
        return found

    spec: dict[str, Any] = {"subject": {"namespaces": draw(SELECTORS)}, "ingress": rules("from"), "egress": rules("to")}
    if not base:
        spec["priority"] = draw(st.integers(0, 2))
    found = _objects(kind, "policy.networking.k8s.io/v1alpha1", number, "", spec=spec)
    found["metadata"] = {"name": "default" if base else f"anp-{number}"}
    return found


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    objects = [draw(pods(number)) for number in range(draw(st.integers(1, 4)))]
    objects += [draw(policies(number)) for number in range(draw(st.integers(0, 4)))]
    objects += [draw(admin_policies(number)) for number in range(draw(st.integers(0, 2)))]
    for name in draw(st.lists(st.sampled_from(SPACES), unique=True)):
        labels = draw(LABELS)
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    assumed = Assumptions(
        pod_cidrs=draw(st.sampled_from([[], ["10.244.0.0/16"]])),
        node_cidrs=draw(st.sampled_from([[], ["10.0.0.0/24"]])),
        ip_blocks_cover_pods=draw(st.sampled_from([None, True, False])),
    )
    return read.objects(objects, assumptions=assumed)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(clusters())
def test_every_cell_of_the_matrix_equals_the_verdict_about_the_pair(cluster: Cluster) -> None:
    reach = cluster.reach()
    cells = [reach.ports.one(protocol, number) for protocol in ("TCP", "UDP") for number in (79, 80, 443, 8080)]
    traffic = [(protocol, number) for protocol in ("TCP", "UDP") for number in (79, 80, 443, 8080)]
    for source, one in enumerate(reach.classes):
        for destination, other in enumerate(reach.classes):
            flow = reach.between(source, destination)
            for cell, (protocol, number) in zip(cells, traffic, strict=True):
                answer = cluster.judge.answer(Traffic(one.endpoint, other.endpoint, protocol, number))
                known = Verdict.ALLOWED if flow.allowed & cell else Verdict.UNKNOWN if flow.unknown & cell else None
                assert (known or Verdict.DENIED) is answer.verdict, (one.endpoint.name, other.endpoint.name, number)


def test_pods_that_no_policy_tells_apart_are_one_class() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c"}]}}
    owner = {"ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}], "namespace": "red"}
    found = read.objects([{**pod, "metadata": {**owner, "name": f"web-{number}"}} for number in range(50)])
    assert len(found.workloads) == 1
    assert len(found.reach().classes) == 4  # the pods, a new pod in red, a new pod elsewhere, a node
