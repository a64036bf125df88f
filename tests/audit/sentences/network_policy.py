"""NetworkPolicy: `networking/v1/types.go` and the concept page "Network Policies"."""

from typing import Final

from tests.audit.kube_objects import namespace, network_policy, pod
from tests.audit.reference import Assumptions
from tests.audit.sentences.sentence import PODS, Sentence

_A: Final = {"matchLabels": {"app": "a"}}
_B: Final = {"matchLabels": {"app": "b"}}
_OUTSIDE: Final = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}


def _expression(key: str, operator: str, *values: str) -> dict[str, object]:
    found: dict[str, object] = {"key": key, "operator": operator}
    return {"matchExpressions": [found | ({"values": list(values)} if values else {})]}


SENTENCES: Final = [
    Sentence(
        "Traffic is allowed to a pod if there are no NetworkPolicies selecting the pod",
        [network_policy("red/deny", podSelector=_A)],
        {"red/a red/b 80 TCP": "allowed", "red/b red/a 80 TCP": "denied", "203.0.113.1 red/b 80 TCP": "allowed"},
    ),
    Sentence(
        "An empty selector matches all pods in the policy's namespace",
        [network_policy("red/deny", podSelector={})],
        {"blue/a red/a 80 TCP": "denied", "blue/a red/b 80 TCP": "denied", "red/a blue/a 80 TCP": "allowed"},
    ),
    Sentence(
        "podSelector: this field is optional; if it is not specified, it defaults to an empty selector",
        [{**network_policy("red/deny"), "spec": {"policyTypes": ["Ingress"]}}],
        {"blue/a red/a 80 TCP": "denied", "blue/a red/b 80 TCP": "denied"},
    ),
    Sentence(
        "Multiple network policies can select the same set of pods; the rules are combined additively",
        [
            network_policy("red/one", ingress=[{"ports": [{"port": 80}]}]),
            network_policy("red/two", podSelector=_A, ingress=[{"ports": [{"port": 81}]}]),
        ],
        {
            "blue/a red/a 80 TCP": "allowed",
            "blue/a red/a 81 TCP": "allowed",
            "blue/a red/b 81 TCP": "denied",
            "blue/a red/a 82 TCP": "denied",
        },
    ),
    Sentence(
        "If this field is empty then this NetworkPolicy does not allow any traffic",
        [network_policy("red/deny", ingress=[])],
        {"blue/a red/a 80 TCP": "denied", "203.0.113.1 red/a 80 TCP": "denied"},
    ),
    Sentence(
        "Outgoing traffic is allowed if it matches at least one egress rule across all of the policies",
        [
            network_policy("red/deny", policyTypes=["Egress"]),
            network_policy("red/dns", policyTypes=["Egress"], egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}]),
        ],
        {
            "red/a blue/a 53 UDP": "allowed",
            "red/a blue/a 53 TCP": "denied",
            "red/a 203.0.113.1 53 UDP": "allowed",
            "red/a 2001:db8::1 80 TCP": "denied",
            "blue/a red/a 80 TCP": "allowed",
        },
    ),
    Sentence(
        "All policies are assumed to affect ingress; those that contain an egress section are assumed to affect egress",
        [network_policy("red/p", egress=[{"ports": [{"port": 53}]}])],
        {"red/a blue/a 53 TCP": "allowed", "red/a blue/a 80 TCP": "denied", "blue/a red/a 53 TCP": "denied"},
    ),
    Sentence(
        "By default Egress is set if the NetworkPolicy has any egress rules",
        [network_policy("red/p", egress=[]), network_policy("blue/p", policyTypes=[], egress=[{}])],
        {
            "red/a 203.0.113.1 80 TCP": "allowed",
            "blue/a 203.0.113.1 80 TCP": "allowed",
            "red/a blue/a 80 TCP": "denied",
        },
    ),
    Sentence(
        "If you want to write an egress-only policy, you must explicitly specify policyTypes [ Egress ]",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{}], ingress=[])],
        {"blue/a red/a 80 TCP": "allowed", "red/a blue/a 80 TCP": "allowed"},
    ),
    Sentence(
        "A policy with policyTypes [ Ingress ] has no effect on egress, whatever rules it has",
        [network_policy("red/p", policyTypes=["Ingress"], ingress=[{}], egress=[{"ports": [{"port": 53}]}])],
        {"red/a blue/a 80 TCP": "allowed", "blue/a red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "To specify that no egress is allowed, policyTypes must include Egress",
        [network_policy("red/p", policyTypes=["Ingress", "Egress"])],
        {"red/a blue/a 80 TCP": "denied", "blue/a red/a 80 TCP": "denied"},
    ),
    Sentence(
        "The traffic must match both ports and from",
        [network_policy("red/p", ingress=[{"ports": [{"port": 80}], "from": [{"podSelector": _B}]}])],
        {"red/b red/a 80 TCP": "allowed", "red/b red/a 81 TCP": "denied", "blue/a red/a 80 TCP": "denied"},
    ),
    Sentence(
        "Each item in ports is combined using a logical OR",
        [network_policy("red/p", ingress=[{"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}])],
        {"blue/a red/a 80 TCP": "allowed", "blue/a red/a 53 UDP": "allowed", "blue/a red/a 80 UDP": "denied"},
    ),
    Sentence(
        "If ports is empty or missing, this rule matches all ports",
        [network_policy("red/p", ingress=[{"ports": [], "from": [{"podSelector": _B}]}])],
        {"red/b red/a 1 TCP": "allowed", "red/b red/a 65535 SCTP": "allowed", "blue/b red/a 1 TCP": "denied"},
    ),
    Sentence(
        "If from is empty or missing, this rule matches all sources",
        [network_policy("red/p", ingress=[{"from": [], "ports": [{"port": 80}]}])],
        {"blue/b red/a 80 TCP": "allowed", "203.0.113.1 red/a 80 TCP": "allowed", "blue/b red/a 81 TCP": "denied"},
    ),
    Sentence(
        "If to is empty or missing, this rule matches all destinations",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{"ports": [{"port": 80}]}])],
        {"red/a 2001:db8::1 80 TCP": "allowed", "red/a blue/a 80 TCP": "allowed", "red/a blue/a 81 TCP": "denied"},
    ),
    Sentence(
        "Items in from are combined using a logical OR; podSelector alone selects in the policy's own namespace",
        [network_policy("red/p", ingress=[{"from": [{"podSelector": _B}, _OUTSIDE]}])],
        {"red/b red/a 80 TCP": "allowed", "blue/b red/a 80 TCP": "denied", "203.0.113.1 red/a 80 TCP": "allowed"},
        assumptions=Assumptions(pod_cidrs=("10.244.0.0/16",)),
    ),
    Sentence(
        "If not specified, protocol defaults to TCP",
        [network_policy("red/p", ingress=[{"ports": [{"port": 80}]}])],
        {"blue/a red/a 80 TCP": "allowed", "blue/a red/a 80 UDP": "denied", "blue/a red/a 80 SCTP": "denied"},
    ),
    Sentence(
        "port: if this field is not provided, this matches all port names and numbers",
        [
            network_policy("red/p", ingress=[{"ports": [{"protocol": "UDP"}]}]),
            network_policy("blue/p", ingress=[{"ports": [{}]}]),
        ],
        {
            "blue/a red/a 1234 UDP": "allowed",
            "blue/a red/a 1234 TCP": "denied",
            "red/a blue/a 1234 TCP": "allowed",
            "red/a blue/a 1234 UDP": "denied",
        },
    ),
    Sentence(
        "This can either be a numerical or named port on a pod (ingress)",
        [network_policy("red/p", ingress=[{"ports": [{"port": "web"}, {"port": "dns", "protocol": "UDP"}]}])],
        {
            "blue/a red/a 8080 TCP": "allowed",
            "blue/a red/a 53 UDP": "allowed",
            "blue/a red/a 53 TCP": "denied",
            "blue/a red/b 8080 TCP": "denied",
        },
    ),
    Sentence(
        "This can either be a numerical or named port on a pod (egress: on the destination)",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{"ports": [{"port": "web"}]}])],
        {
            "red/b blue/a 8080 TCP": "allowed",
            "red/a blue/b 8080 TCP": "denied",
            "red/a 203.0.113.1 8080 TCP": "denied",
        },
    ),
    Sentence(
        "Only traffic on the specified protocol AND port will be matched: a name with another protocol is not matched",
        [network_policy("red/p", ingress=[{"ports": [{"port": "dns"}]}])],
        {"blue/a red/a 53 TCP": "denied", "blue/a red/a 53 UDP": "denied"},
    ),
    Sentence(
        "The range of ports from port to endPort, inclusive, should be allowed by the policy",
        [network_policy("red/p", ingress=[{"ports": [{"port": 80, "endPort": 90}, {"port": 99, "endPort": 99}]}])],
        {
            "blue/a red/a 79 TCP": "denied",
            "blue/a red/a 80 TCP": "allowed",
            "blue/a red/a 90 TCP": "allowed",
            "blue/a red/a 91 TCP": "denied",
            "blue/a red/a 99 TCP": "allowed",
            "blue/a red/a 85 UDP": "denied",
        },
    ),
    Sentence(
        "except: CIDRs that should not be included within an IPBlock",
        [
            network_policy("red/p", ingress=[{"from": [_OUTSIDE]}]),
            network_policy("blue/p", policyTypes=["Egress"], egress=[{"to": [_OUTSIDE]}]),
        ],
        {
            "203.0.113.127 red/a 80 TCP": "allowed",
            "203.0.113.128 red/a 80 TCP": "denied",
            "203.0.114.1 red/a 80 TCP": "denied",
            "blue/a 203.0.113.127 80 TCP": "allowed",
            "blue/a 203.0.113.128 80 TCP": "denied",
        },
    ),
    Sentence(
        "Another rule may include what a block excepts: rules are combined additively",
        [
            network_policy(
                "red/p", ingress=[{"from": [_OUTSIDE]}, {"from": [{"ipBlock": {"cidr": "203.0.113.200/32"}}]}]
            )
        ],
        {"203.0.113.200 red/a 80 TCP": "allowed", "203.0.113.201 red/a 80 TCP": "denied"},
    ),
    Sentence(
        "podSelector: if present but empty, it selects all pods (of the policy's own namespace)",
        [network_policy("red/p", ingress=[{"from": [{"podSelector": {}}]}])],
        {"red/b red/a 80 TCP": "allowed", "blue/b red/a 80 TCP": "denied", "203.0.113.1 red/a 80 TCP": "denied"},
    ),
    Sentence(
        "namespaceSelector: if present but empty, it selects all namespaces",
        [network_policy("red/p", ingress=[{"from": [{"namespaceSelector": {}}]}])],
        {"blue/b red/a 80 TCP": "allowed", "red/b red/a 80 TCP": "allowed", "203.0.113.1 red/a 80 TCP": "denied"},
    ),
    Sentence(
        "It selects the pods matching podSelector in the namespaces selected by namespaceSelector",
        [
            network_policy(
                "red/p",
                ingress=[{"from": [{"namespaceSelector": _expression("team", "In", "blue"), "podSelector": _B}]}],
            )
        ],
        {"blue/b red/a 80 TCP": "allowed", "blue/a red/a 80 TCP": "denied", "red/b red/a 80 TCP": "denied"},
    ),
    Sentence(
        "Two elements in the from array: pods in the local namespace, or any pod in the selected namespaces",
        [
            network_policy(
                "red/p",
                ingress=[{"from": [{"namespaceSelector": _expression("team", "In", "blue")}, {"podSelector": _B}]}],
            )
        ],
        {"blue/a red/a 80 TCP": "allowed", "red/b red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "Each namespace has the immutable label kubernetes.io/metadata.name, its name",
        [
            pod("grey/a"),
            network_policy(
                "red/p",
                ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "grey"}}}]}],
            ),
        ],
        {"grey/a red/a 80 TCP": "allowed", "blue/a red/a 80 TCP": "denied"},
    ),
    Sentence(
        "Both ends have to let a connection through: egress of the source and ingress of the destination",
        [
            network_policy("red/out", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}]),
            network_policy("blue/in", ingress=[{"from": [{"podSelector": {}}]}]),
        ],
        {"red/a blue/a 80 TCP": "denied", "blue/b blue/a 80 TCP": "allowed", "red/a red/b 80 TCP": "allowed"},
    ),
    *(
        Sentence(
            f"Label selector: {text}",
            [
                namespace("red"),
                pod("red/target"),
                pod("red/yes", yes),
                pod("red/no", no),
                network_policy("red/p", podSelector={}, ingress=[{"from": [{"podSelector": selector}]}]),
            ],
            {"red/yes red/target 80 TCP": "allowed", "red/no red/target 80 TCP": "denied"},
            alone=True,
        )
        for text, selector, yes, no in [
            ("In is one of the values", _expression("k", "In", "v", "w"), {"k": "w"}, {"k": "x"}),
            ("In needs the key", _expression("k", "In", "v"), {"k": "v"}, {}),
            ("NotIn is none of the values", _expression("k", "NotIn", "v"), {"k": "x"}, {"k": "v"}),
            ("NotIn selects what lacks the key", _expression("k", "NotIn", "v"), {"j": "v"}, {"k": "v"}),
            ("Exists with any value", _expression("k", "Exists"), {"k": ""}, {"j": "v"}),
            ("DoesNotExist without the key", _expression("k", "DoesNotExist"), {"j": "v"}, {"k": "v"}),
            (
                "the requirements are ANDed",
                {"matchLabels": {"k": "v"}} | _expression("j", "Exists"),
                {"k": "v", "j": "w"},
                {"k": "v"},
            ),
        ]
    ),
    Sentence(
        "An ipBlock by the addresses of pods, where it is known that it covers them",
        [
            pod("red/a", {}, addresses=("10.244.1.1",)),
            pod("red/b", {}, addresses=("10.244.2.1",)),
            pod("red/c", {}, addresses=("fd00::1",)),
            network_policy("red/p", ingress=[{"from": [{"ipBlock": {"cidr": "10.244.1.0/24"}}]}]),
        ],
        {"red/a red/b 80 TCP": "allowed", "red/b red/a 80 TCP": "denied", "red/c red/a 80 TCP": "denied"},
        alone=True,
        assumptions=Assumptions(ip_blocks_cover_pods=True),
    ),
    Sentence(
        "An ipBlock that holds all, none or some of the addresses that pods may have",
        [
            *PODS,
            network_policy(
                "red/p",
                policyTypes=["Egress"],
                egress=[
                    {"ports": [{"port": 1}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
                    {"ports": [{"port": 2}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16"]}}]},
                    {"ports": [{"port": 3}], "to": [{"ipBlock": {"cidr": "10.244.7.0/24"}}]},
                ],
            ),
        ],
        {"red/a blue/a 1 TCP": "allowed", "red/a blue/a 2 TCP": "denied", "red/a blue/a 3 TCP": "unknown"},
        alone=True,
        assumptions=Assumptions(pod_cidrs=("10.244.0.0/16",), ip_blocks_cover_pods=True),
    ),
]
