"""What the API text leaves open, or what plain YAML does not say: the verdict is unknown, but only where it matters."""

from typing import Final

from tests.audit.kube_objects import cluster_policy, namespace, network_policy, pod
from tests.audit.reference import Assumptions, Object
from tests.audit.sentences.sentence import PODS, Sentence

_BLOCK: Final = {"ipBlock": {"cidr": "10.0.0.0/8"}}
_EVERYBODY: Final[list[Object]] = [{"namespaces": {}}]
_HOST: Final = [*PODS, pod("blue/host", {"app": "a"}, hostNetwork=True)]

SENTENCES: Final = [
    Sentence(
        "ipBlock: these should be cluster-external IPs, since Pod IPs are ephemeral and unpredictable",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{"to": [_BLOCK], "ports": [{"port": 80}]}])],
        {"red/a blue/a 80 TCP": "unknown", "red/a blue/a 81 TCP": "denied", "red/a 10.1.2.3 80 TCP": "allowed"},
    ),
    Sentence(
        "ipBlock: unknown for a pod whose address it holds, denied for one whose address it does not hold",
        [
            pod("red/in", addresses=("10.1.1.1",)),
            pod("red/out", addresses=("192.168.1.1",)),
            network_policy("blue/p", ingress=[{"from": [_BLOCK]}]),
        ],
        {"red/in blue/a 80 TCP": "unknown", "red/out blue/a 80 TCP": "denied"},
    ),
    Sentence(
        "ipBlock: denied where it is known that it does not cover pods",
        [network_policy("red/p", policyTypes=["Egress"], egress=[{"to": [_BLOCK]}])],
        {"red/a blue/a 80 TCP": "denied", "red/a 10.1.2.3 80 TCP": "allowed"},
        assumptions=Assumptions(ip_blocks_cover_pods=False),
    ),
    Sentence(
        "NetworkPolicy behaviour for hostNetwork pods is undefined",
        [*_HOST, network_policy("blue/p", ingress=[{"from": [{"podSelector": {}}]}])],
        {"red/a blue/host 80 TCP": "unknown", "red/a blue/a 80 TCP": "denied", "blue/host blue/a 80 TCP": "unknown"},
        alone=True,
    ),
    Sentence(
        "Traffic to and from the node where a Pod is running is always allowed, and a hostNetwork pod may be on it",
        [*_HOST, network_policy("red/p", policyTypes=["Ingress", "Egress"])],
        {"blue/host red/a 80 TCP": "unknown", "red/a blue/host 80 TCP": "unknown", "red/a blue/a 80 TCP": "denied"},
        alone=True,
    ),
    Sentence(
        "Without a policy a hostNetwork pod is reached, and reaches, like any other",
        _HOST,
        {"red/a blue/host 80 TCP": "allowed", "blue/host red/a 80 TCP": "allowed"},
        alone=True,
    ),
    Sentence(
        "Host-networked pods are not included in the subjects and peers of ClusterNetworkPolicy",
        [
            *_HOST,
            cluster_policy(
                "p",
                tier="Admin",
                priority=1,
                ingress=[{"action": "Deny", "from": [{"namespaces": {"matchLabels": {"team": "blue"}}}]}],
            ),
        ],
        {"blue/host red/a 80 TCP": "allowed", "blue/a red/a 80 TCP": "denied", "blue/a blue/host 80 TCP": "allowed"},
        alone=True,
    ),
    Sentence(
        "A namespace that is only mentioned has the label of its name, and other labels that are not known",
        [
            pod("grey/a"),
            network_policy("red/p", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]}]),
            network_policy("blue/p", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "red"}}}]}]),
        ],
        {"grey/a red/a 80 TCP": "unknown", "blue/a red/a 80 TCP": "denied", "red/a blue/a 80 TCP": "allowed"},
    ),
    Sentence(
        "Of a policy that may apply, the first rule that matches decides, and no later one",
        [
            pod("grey/a"),
            cluster_policy(
                "p",
                tier="Admin",
                priority=1,
                subject={"namespaces": {"matchLabels": {"team": "x"}}},
                ingress=[{"action": "Accept", "from": _EVERYBODY}, {"action": "Deny", "from": _EVERYBODY}],
                egress=[{"action": "Deny", "to": _EVERYBODY}],
            ),
        ],
        {"red/a grey/a 80 TCP": "allowed", "grey/a red/a 80 TCP": "unknown"},
    ),
    Sentence(
        "Each named port in a pod must have a unique name",
        [
            pod(
                "red/c",
                ports=[{"name": "web", "containerPort": 80}],
                initContainers=[
                    {"name": "i", "restartPolicy": "Always", "ports": [{"name": "web", "containerPort": 81}]},
                    {"name": "j", "ports": [{"name": "setup", "containerPort": 82}]},
                ],
            ),
            network_policy("red/p", ingress=[{"ports": [{"port": "web"}, {"port": "setup"}]}]),
        ],
        {"blue/a red/c 80 TCP": "unknown", "blue/a red/c 82 TCP": "unknown", "blue/a red/c 83 TCP": "denied"},
    ),
    Sentence(
        "What is unknown does not matter where another rule decides",
        [
            namespace("red"),
            pod("red/a"),
            pod("grey/a"),
            network_policy(
                "red/p",
                ingress=[
                    {"from": [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]},
                    {"ports": [{"port": 80}]},
                ],
            ),
        ],
        {"grey/a red/a 80 TCP": "allowed", "grey/a red/a 81 TCP": "unknown"},
        alone=True,
    ),
]
