"""Semantics of admin, baseline and cluster network policies."""

import pytest

from audit import Verdict
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import DENY_ALL, admin, baseline, namespace, pod, policy

PODS = (
    namespace("shop", "{team: red}")
    + namespace("bank", "{team: blue}")
    + pod("web", "{app: web}")
    + pod(
        "db", "{app: db}", ports="[{name: pg, containerPort: 5432}, {name: pg-udp, containerPort: 5432, protocol: UDP}]"
    )
    + pod("till", "{app: till}", "bank")
)
EVERYONE = "subject: {namespaces: {}}"
FROM_ALL = "from: [{namespaces: {}}]"


def rules(*actions: str, rest: str = FROM_ALL) -> str:
    return f"{EVERYONE}, ingress: [{', '.join(f'{{action: {action}, {rest}}}' for action in actions)}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (admin("a", 1, rules("Deny")), Verdict.DENIED),
        (admin("a", 1, rules("Allow")) + policy("deny", DENY_ALL.replace(", Egress", "")), Verdict.ALLOWED),
        (admin("a", 1, rules("Pass", "Deny")) + policy("deny", DENY_ALL.replace(", Egress", "")), Verdict.DENIED),
        (admin("a", 1, rules("Pass", "Deny")), Verdict.ALLOWED),
        (admin("a", 2, rules("Deny")) + admin("b", 1, rules("Allow")), Verdict.ALLOWED),
        (admin("a", 1, rules("Pass")) + admin("b", 2, rules("Deny")), Verdict.ALLOWED),
        (baseline(rules("Deny")), Verdict.DENIED),
        (baseline(rules("Deny")) + policy("open", "{podSelector: {}, ingress: [{}]}"), Verdict.ALLOWED),
        (baseline(rules("Allow", "Deny")), Verdict.ALLOWED),
        (baseline(rules("Deny")) + admin("a", 1, rules("Pass")), Verdict.DENIED),
        (baseline(rules("Deny")) + admin("a", 1, rules("Allow")), Verdict.ALLOWED),
        (admin("a", 1, f"{EVERYONE}, ingress: []"), Verdict.ALLOWED),
    ],
)
def test_tiers_priorities_and_pass_decide_in_order(cluster: Build, text: str, expected: Verdict) -> None:
    assert cluster(PODS + text).verdict("shop/web", "shop/db", 5432).verdict is expected


def test_policies_of_equal_priority_that_disagree_are_unknown_and_named(cluster: Build) -> None:
    text = admin("one", 5, rules("Deny")) + admin("two", 5, rules("Allow"))
    answer = cluster(PODS + text).verdict("shop/web", "shop/db", 5432)
    assert answer.verdict is Verdict.UNKNOWN
    (missing,) = answer.missing
    assert missing.endswith("have equal priority 5: give them different ones")
    agree = admin("one", 5, rules("Deny")) + admin("two", 5, rules("Deny"))
    assert cluster(PODS + agree).verdict("shop/web", "shop/db", 5432).verdict is Verdict.DENIED


def test_subjects_and_peers_select_by_namespace_and_by_pod(cluster: Build) -> None:
    subject = "subject: {pods: {namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: db}}}}"
    text = admin(
        "a", 1, f"{subject}, ingress: [{{action: Deny, from: [{{namespaces: {{matchLabels: {{team: blue}}}}}}]}}]"
    )
    found = cluster(PODS + text)
    assert found.verdict("bank/till", "shop/db", 5432).verdict is Verdict.DENIED
    assert found.verdict("bank/till", "shop/web", 80).verdict is Verdict.ALLOWED
    assert found.verdict("shop/web", "shop/db", 5432).verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "expected"),
    [
        ("[{portNumber: {port: 5432}}]", 5432, "TCP", Verdict.DENIED),
        ("[{portNumber: {port: 5432}}]", 5432, "UDP", Verdict.ALLOWED),
        ("[{portRange: {start: 5000, end: 6000, protocol: UDP}}]", 5432, "UDP", Verdict.DENIED),
        ("[{namedPort: pg}]", 5432, "TCP", Verdict.DENIED),
        ("[{namedPort: pg}]", 5432, "UDP", Verdict.ALLOWED),
        ("[{namedPort: pg}]", 5433, "TCP", Verdict.ALLOWED),
    ],
)
def test_ports_match_by_number_range_and_name(
    cluster: Build, ports: str, port: int, protocol: str, expected: Verdict
) -> None:
    text = admin("a", 1, rules("Deny", rest=f"{FROM_ALL}, ports: {ports}"))
    assert cluster(PODS + text).verdict("shop/web", "shop/db", port, protocol).verdict is expected


def test_networks_cover_pods_as_the_api_says(cluster: Build) -> None:
    text = PODS + admin("a", 1, f"{EVERYONE}, egress: [{{action: Deny, to: [{{networks: [10.0.0.0/8]}}]}}]")
    assert cluster(text).verdict("shop/web", "10.1.2.3", 80).verdict is Verdict.DENIED
    assert cluster(text).verdict("shop/web", "192.0.2.1", 80).verdict is Verdict.ALLOWED
    assert cluster(text, pod_cidrs=["10.244.0.0/16"]).verdict("shop/web", "shop/db", 1).verdict is Verdict.DENIED
    assert cluster(text, pod_cidrs=["172.16.0.0/16"]).verdict("shop/web", "shop/db", 1).verdict is Verdict.ALLOWED
    assert cluster(text).verdict("shop/web", "shop/db", 1).verdict is Verdict.UNKNOWN


def test_domain_names_are_unknown(cluster: Build) -> None:
    allow = "{action: Allow, to: [{domainNames: ['*.example.com']}]}"
    deny = "{action: Deny, to: [{networks: [0.0.0.0/0]}]}"
    found = cluster(PODS + admin("a", 1, f"{EVERYONE}, egress: [{allow}, {deny}]"))
    answer = found.verdict("shop/web", "192.0.2.1", 443)
    assert answer.verdict is Verdict.UNKNOWN
    assert "domain name" in answer.missing[0]


def test_admin_policies_do_not_select_pods_on_the_host_network(cluster: Build) -> None:
    host = pod("host", "{app: host}", spec="hostNetwork: true")
    found = cluster(PODS + host + admin("a", 1, rules("Deny")))
    assert found.verdict("shop/web", "shop/host", 80).verdict is Verdict.ALLOWED


RULE = "ingress: [{action: %s, from: [{namespaces: {}}]%s}]"


@pytest.mark.parametrize("version", ["v1alpha2", "v1beta1"])
@pytest.mark.parametrize(
    ("tier", "action", "protocols", "expected"),
    [
        ("Admin", "Deny", "", Verdict.DENIED),
        ("Admin", "Accept", "", Verdict.ALLOWED),
        ("Baseline", "Deny", "", Verdict.DENIED),
        ("Admin", "Deny", "{tcp: {destinationPort: {number: 5432}}}", Verdict.DENIED),
        ("Admin", "Deny", "{tcp: {destinationPort: {range: {start: 1, end: 100}}}}", Verdict.ALLOWED),
        ("Admin", "Deny", "{udp: {destinationPort: {number: 5432}}}", Verdict.ALLOWED),
        ("Admin", "Deny", "{destinationNamedPort: pg}", Verdict.DENIED),
    ],
)
def test_cluster_network_policies_have_tiers_and_protocols(
    cluster: Build, version: str, tier: str, action: str, protocols: str, expected: Verdict
) -> None:
    rule = RULE % (action, f", protocols: [{protocols}]" if protocols else "")
    text = (
        f"---\napiVersion: policy.networking.k8s.io/{version}\nkind: ClusterNetworkPolicy\nmetadata: {{name: c}}\n"
        f"spec: {{subject: {{namespaces: {{}}}}, tier: {tier}, priority: 1, {rule}}}\n"
    )
    assert cluster(PODS + text).verdict("shop/web", "shop/db", 5432).verdict is expected


def test_a_policy_that_may_not_select_the_pods_leaves_the_rest_possible(cluster: Build) -> None:
    """The namespace is only mentioned, so whether it has the subject's label is not known."""
    pods = pod("web", "{app: web}") + pod("db", "{app: db}")
    subject = "subject: {namespaces: {matchLabels: {team: red}}}"
    text = admin("a", 1, f"{subject}, ingress: [{{action: Deny, {FROM_ALL}}}]")
    answer = cluster(pods + text).verdict("shop/web", "shop/db", 80)
    assert answer.verdict is Verdict.UNKNOWN
    assert answer.missing == ("namespace shop is not declared in the input, so its labels (team) are not known",)
