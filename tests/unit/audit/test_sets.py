"""The sets that the engine computes with: addresses, labels, ports and groups."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from audit.engine.groups import Groups
from audit.engine.label_index import LabelIndex
from audit.engine.outside import Outside
from audit.model.addresses import NOWHERE, Addresses
from audit.model.labels import Labels, Requirement, Selector
from audit.model.truth import MAYBE, NO, YES
from tests.unit.audit.conftest import Build
from tests.unit.audit.manifests import namespace, pod, policy

CIDRS = st.sampled_from(
    [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "255.0.0.0/8",
        "::/0",
        "::/1",
        "8000::/1",
        "::/128",
        "fd00::/8",
    ],
)
PROBES = [
    "0.0.0.1",
    "10.0.0.1",
    "10.200.0.1",
    "11.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "8000::",
    "fd00::1",
    "ffff::",
]


def _of(cidrs: list[str]) -> Addresses:
    result = NOWHERE
    for cidr in cidrs:
        result |= Addresses.of(ip_network(cidr))
    return result


@given(st.lists(CIDRS, max_size=4), st.lists(CIDRS, max_size=4))
def test_sets_of_addresses_behave_as_sets(left: list[str], right: list[str]) -> None:
    one, other = _of(left), _of(right)
    for probe in map(ip_address, PROBES):
        inside = any(probe in ip_network(cidr) for cidr in left)
        beside = any(probe in ip_network(cidr) for cidr in right)
        assert (probe in one) == inside
        assert (probe in (one | other)) == (inside or beside)
        assert (probe in (one & other)) == (inside and beside)
        assert (probe in ~one) == (not inside)
    assert ~~one == one
    assert _of(one.cidrs()) == one


def test_adjacent_ranges_are_one_and_families_stay_apart() -> None:
    assert _of(["10.0.0.0/9", "10.128.0.0/9"]) == _of(["10.0.0.0/8"])
    assert _of(["10.0.0.0/9", "10.128.0.0/9"]).cidrs() == ["10.0.0.0/8"]
    assert _of(["255.0.0.0/8", "::/1"]).cidrs() == ["255.0.0.0/8", "::/1"]
    assert _of([str(IPv4Network("0.0.0.0/0")), str(IPv6Network("::/0"))]) == Addresses.all()


def test_the_label_index_says_what_each_selector_says_of_each_label_set() -> None:
    sets = [
        Labels(known, present, open=more)
        for known, present, more in product(
            ({}, {"a": "x"}, {"a": "y"}, {"b": "x"}, {"a": "x", "b": "y"}),
            (frozenset[str](), frozenset({"b"}), frozenset({"a"})),
            (False, True),
        )
    ]
    values = (frozenset({"x"}), frozenset({"y"}), frozenset({"x", "y"}))
    single = [Requirement(key, operator, each) for key in "ab" for operator in ("In", "NotIn") for each in values]
    single += [Requirement(key, operator) for key in "ab" for operator in ("Exists", "DoesNotExist")]
    index = LabelIndex(sets)
    for requirements in [(), *((one,) for one in single), *product(single, single)]:
        selector = Selector(requirements)
        yes, maybe = index.match(selector)
        for number, labels in enumerate(sets):
            found = YES if yes >> number & 1 else MAYBE if maybe >> number & 1 else NO
            assert found is selector.matches(labels), (str(selector), labels)


def test_a_name_that_two_containers_share_is_unknown_for_all_pairs_at_once_too(cluster: Build) -> None:
    ports = "[{name: http, containerPort: 80}, {name: http, containerPort: 81}]"
    text = pod("web", "{app: web}", ports=ports) + pod("db", namespace="far") + namespace("far")
    found = cluster(text + policy("p", "{podSelector: {}, ingress: [{ports: [{port: http}]}]}"))
    reach = found.reach()
    names = [each.endpoint.name for each in reach.classes]
    flow = reach.between(names.index("far/db"), names.index("shop/web"))
    assert flow.allowed == 0
    assert flow.unknown == reach.ports.one("TCP", 80) | reach.ports.one("TCP", 81)


def test_open_workloads_of_any_namespaces_are_one_group(cluster: Build) -> None:
    spaces = ("red", "blue", "grey", "pink")
    found = cluster("".join(namespace(name) + pod(f"{name}-app", "{app: app}", name) for name in spaces))
    reach = found.reach()
    (group,) = Groups(reach, Outside(reach.ports, found.judge, found.assumptions)).all
    assert group.label == "*/*-app"
    assert len(group.members) == 4


def test_a_service_port_is_found_by_number_and_protocol(cluster: Build) -> None:
    ports = "[{name: tcp, port: 53, targetPort: 5353}, {name: udp, port: 53, protocol: UDP, targetPort: 5454}]"
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\n"
    found = cluster(pod("dns", "{app: dns}") + f"{service}spec: {{selector: {{app: dns}}, ports: {ports}}}\n")
    assert found.verdict("node", "shop/service/dns", 53).port == 5353
    assert found.verdict("node", "shop/service/dns", 53, "UDP").port == 5454
