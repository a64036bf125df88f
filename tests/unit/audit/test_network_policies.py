"""Semantics of NetworkPolicy, one sentence of the API's documentation per test."""

import pytest

from audit import Cluster, Verdict
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy

PODS = pod("web", "{app: web}", ports="[{name: http, containerPort: 8080}]") + pod("db", "{app: db}")
ALLOWED, DENIED, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN


def verdict(cluster: Cluster, source: str = "shop/web", to: str = "shop/db", port: int = 5432, **more: str) -> Verdict:
    return cluster.verdict(source, to, port, **more).verdict


def test_pods_that_no_policy_selects_are_open(cluster: Build) -> None:
    assert verdict(cluster(PODS)) is ALLOWED


def test_a_policy_without_rules_isolates_the_pods_that_it_selects(cluster: Build) -> None:
    found = cluster(PODS + policy("deny", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}"))
    assert verdict(found) is DENIED
    assert verdict(found, "shop/db", "shop/web") is ALLOWED


def test_absent_policy_types_mean_ingress_and_egress_only_where_there_are_egress_rules(cluster: Build) -> None:
    one = cluster(PODS + policy("p", "{podSelector: {matchLabels: {app: web}}}"))
    assert verdict(one) is ALLOWED
    assert verdict(one, "shop/db", "shop/web") is DENIED
    two = cluster(PODS + policy("p", "{podSelector: {matchLabels: {app: web}}, egress: [{ports: [{port: 1}]}]}"))
    assert verdict(two) is DENIED
    empty = cluster(PODS + policy("p", "{podSelector: {matchLabels: {app: web}}, policyTypes: [], egress: []}"))
    assert verdict(empty) is ALLOWED


def test_rules_of_a_direction_that_the_policy_types_leave_out_do_nothing(cluster: Build) -> None:
    found = cluster(PODS + policy("p", "{podSelector: {}, policyTypes: [Egress], egress: [{}], ingress: []}"))
    assert verdict(found) is ALLOWED


@pytest.mark.parametrize("rule", ["{}", "{from: []}", "{from: null, ports: []}", "{ports: null}"])
def test_empty_and_absent_lists_of_a_rule_match_everything(cluster: Build, rule: str) -> None:
    assert verdict(cluster(PODS + policy("p", f"{{podSelector: {{}}, ingress: [{rule}]}}"))) is ALLOWED


@pytest.mark.parametrize("rules", ["[]", "null"])
def test_an_empty_list_of_rules_allows_nothing(cluster: Build, rules: str) -> None:
    found = cluster(PODS + policy("p", f"{{podSelector: {{}}, policyTypes: [Ingress], ingress: {rules}}}"))
    assert verdict(found) is DENIED


def test_policies_add_up_and_both_sides_have_to_allow(cluster: Build) -> None:
    deny = policy("deny", DENY_ALL)
    ingress = policy("in", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}")
    egress = policy("out", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{}]}")
    assert verdict(cluster(PODS + deny + ingress)) is DENIED
    assert verdict(cluster(PODS + deny + egress)) is DENIED
    assert verdict(cluster(PODS + deny + ingress + egress)) is ALLOWED


def test_an_egress_port_and_another_ingress_port_do_not_combine(cluster: Build) -> None:
    """kubescape#3903."""
    egress = policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 80}]}]}")
    ingress = policy("in", "{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 443}]}]}")
    found = cluster(PODS + egress + ingress)
    assert verdict(found, port=80) is DENIED
    assert verdict(found, port=443) is DENIED


def test_a_pod_reaches_itself_whatever_policies_say(cluster: Build) -> None:
    """kubescape#3904."""
    found = cluster(PODS + policy("deny", DENY_ALL))
    assert verdict(found, "shop/db", "shop/db") is ALLOWED
    assert verdict(found) is DENIED


def test_a_selector_pair_in_one_peer_is_and_two_peers_are_or(cluster: Build) -> None:
    spaces = namespace("shop", "{team: red}") + namespace("other", "{team: blue}") + pod("web", "{app: web}", "other")
    both = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [%s]}]}"
    one_peer = both % "{namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}"
    two_peers = both % "{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: {matchLabels: {app: web}}}"
    found = cluster(PODS + spaces + policy("p", one_peer))
    assert verdict(found) is DENIED
    assert verdict(found, "other/web") is ALLOWED
    found = cluster(PODS + spaces + policy("p", two_peers))
    assert verdict(found) is ALLOWED
    assert verdict(found, "other/web") is ALLOWED


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{key: app, operator: In, values: [web, x]}", ALLOWED),
        ("{key: app, operator: In, values: [x]}", DENIED),
        ("{key: app, operator: NotIn, values: [web]}", DENIED),
        ("{key: app, operator: NotIn, values: [x]}", ALLOWED),
        ("{key: tier, operator: NotIn, values: [x]}", ALLOWED),
        ("{key: tier, operator: In, values: [x]}", DENIED),
        ("{key: app, operator: Exists}", ALLOWED),
        ("{key: tier, operator: Exists}", DENIED),
        ("{key: app, operator: DoesNotExist}", DENIED),
        ("{key: tier, operator: DoesNotExist, values: []}", ALLOWED),
    ],
)
def test_selector_operators_match_as_documented(cluster: Build, expression: str, expected: Verdict) -> None:
    rule = f"[{{from: [{{podSelector: {{matchExpressions: [{expression}]}}}}]}}]"
    assert verdict(cluster(PODS + policy("p", f"{{podSelector: {{}}, ingress: {rule}}}"))) is expected


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "expected"),
    [
        ("{port: 8080}", 8080, "TCP", ALLOWED),
        ("{port: 8080}", 8080, "UDP", DENIED),
        ("{port: 8080, protocol: SCTP}", 8080, "SCTP", ALLOWED),
        ("{port: 8000, endPort: 8080}", 8080, "TCP", ALLOWED),
        ("{port: 8000, endPort: 8079}", 8080, "TCP", DENIED),
        ("{protocol: UDP}", 53, "UDP", ALLOWED),
        ("{protocol: UDP}", 53, "TCP", DENIED),
        ("{port: http}", 8080, "TCP", ALLOWED),
        ("{port: http}", 80, "TCP", DENIED),
        ("{port: http, protocol: UDP}", 8080, "UDP", DENIED),
        ("{port: metrics}", 8080, "TCP", DENIED),
    ],
)
def test_ports_match_by_number_range_and_name(
    cluster: Build, ports: str, port: int, protocol: str, expected: Verdict
) -> None:
    ingress = cluster(PODS + policy("p", f"{{podSelector: {{}}, ingress: [{{ports: [{ports}]}}]}}"))
    assert ingress.verdict("shop/db", "shop/web", port, protocol).verdict is expected
    spec = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{ports}]}}]}}"
    assert cluster(PODS + policy("p", spec)).verdict("shop/db", "shop/web", port, protocol).verdict is expected


def test_a_named_port_does_not_match_an_address(cluster: Build) -> None:
    spec = "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"
    assert cluster(PODS + policy("p", spec)).verdict("shop/web", "192.0.2.1", 8080).verdict is DENIED


def test_an_address_block_of_one_family_does_not_match_the_other(cluster: Build) -> None:
    spec = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: '::/0', except: ['fc00::/7']}}]}]}"
    found = cluster(PODS + policy("p", spec))
    assert found.verdict("shop/web", "192.0.2.1", 443).verdict is DENIED
    assert found.verdict("shop/web", "10.0.0.1", 443).verdict is DENIED
    assert found.verdict("shop/web", "2001:db8::1", 443).verdict is ALLOWED
    assert found.verdict("shop/web", "fd00::1", 443).verdict is DENIED


def test_whether_an_address_block_covers_pods_is_unknown_unless_the_user_says(cluster: Build) -> None:
    text = PODS + policy("p", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    assert verdict(cluster(text)) is UNKNOWN
    assert verdict(cluster(text, pod_cidrs=["10.244.0.0/16"])) is UNKNOWN
    assert verdict(cluster(text, pod_cidrs=["10.244.0.0/16"], ip_blocks_cover_pods=True)) is ALLOWED
    assert verdict(cluster(text, pod_cidrs=["10.244.0.0/16"], ip_blocks_cover_pods=False)) is DENIED
    assert verdict(cluster(text, pod_cidrs=["10.244.0.0/16", "fd00::/64"], ip_blocks_cover_pods=True)) is UNKNOWN
    assert verdict(cluster(text, pod_cidrs=["172.16.0.0/16"])) is DENIED
    assert verdict(cluster(text, ip_blocks_cover_pods=False)) is DENIED
