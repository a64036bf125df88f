"""Mistakes that other analyzers made, each with the report and what the API says."""

from typing import Final

from tests.audit.kube_objects import namespace, network_policy, pod
from tests.audit.reference import Assumptions
from tests.audit.sentences.sentence import Sentence

_ANY_V6: Final = {"ipBlock": {"cidr": "::/0"}}
_ANY_V4: Final = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}

SENTENCES: Final = [
    Sentence(
        "kubescape#3903: egress on TCP 80 and ingress on TCP 443 do not combine to a connection",
        [
            network_policy("red/p", policyTypes=["Egress"], egress=[{"ports": [{"port": 80}]}]),
            network_policy("blue/p", ingress=[{"ports": [{"port": 443}]}]),
        ],
        {"red/a blue/a 80 TCP": "denied", "red/a blue/a 443 TCP": "denied"},
    ),
    Sentence(
        "kubescape#3904: a pod reaches itself whatever policies say (a pod cannot block access to itself)",
        [network_policy("red/p", policyTypes=["Ingress", "Egress"])],
        {"red/a red/a 80 TCP": "allowed", "red/a red/b 80 TCP": "denied"},
    ),
    Sentence(
        "An IPv6 block is not an IPv4 block: ::/0 holds no IPv4 address, and 0.0.0.0/0 no IPv6 address",
        [
            network_policy("red/p", policyTypes=["Egress"], egress=[{"to": [_ANY_V6, _ANY_V4]}]),
            network_policy("blue/p", ingress=[{"from": [_ANY_V6]}]),
        ],
        {
            "red/a 10.1.2.3 443 TCP": "denied",
            "red/a 192.0.2.1 443 TCP": "allowed",
            "red/a 2001:db8::1 443 TCP": "allowed",
            "192.0.2.1 blue/a 443 TCP": "denied",
            "2001:db8::1 blue/a 443 TCP": "allowed",
        },
    ),
    Sentence(
        "An IPv6 block holds no pod of an IPv4 cluster",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{"to": [_ANY_V6, _ANY_V4]}])],
        {"red/a blue/a 443 TCP": "denied"},
        assumptions=Assumptions(pod_cidrs=("10.244.0.0/16",), ip_blocks_cover_pods=True),
    ),
    Sentence(
        "A named port is resolved for each pod: one replica lacks it, and on another it has another number",
        [
            namespace("red"),
            pod("red/client"),
            pod("red/web-1", {"app": "web"}, [{"name": "http", "containerPort": 8080}]),
            pod("red/web-2", {"app": "web"}, [{"name": "http", "containerPort": 9090}]),
            pod("red/web-3", {"app": "web"}),
            network_policy(
                "red/p", podSelector={"matchLabels": {"app": "web"}}, ingress=[{"ports": [{"port": "http"}]}]
            ),
        ],
        {
            "red/client red/web-1 8080 TCP": "allowed",
            "red/client red/web-1 9090 TCP": "denied",
            "red/client red/web-2 9090 TCP": "allowed",
            "red/client red/web-2 8080 TCP": "denied",
            "red/client red/web-3 8080 TCP": "denied",
        },
        alone=True,
    ),
]
