"""AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2)."""

from typing import Any, Final

from tests.audit.kube_objects import admin_policy, baseline_policy, cluster_policy, network_policy
from tests.audit.reference import Assumptions, Object
from tests.audit.sentences.sentence import Sentence

_ALL: Final[list[Object]] = [{"namespaces": {}}]
_BLUE: Final[list[Object]] = [{"namespaces": {"matchLabels": {"team": "blue"}}}]
_SUBJECT: Final = {"namespaces": {"matchLabels": {"team": "red"}}}
_DENY: Final = network_policy("red/deny", policyTypes=["Ingress", "Egress"])
_POD_NETWORK: Final = Assumptions(pod_cidrs=("10.244.0.0/16",))


def _rule(action: str, peers: list[Object] | None = None, **rest: Any) -> Object:
    return {"action": action, "from": peers or _ALL} | rest


def _to(action: str, peers: list[Object], **rest: Any) -> Object:
    return {"action": action, "to": peers} | rest


def _admin(priority: int, *ingress: Object, **spec: Any) -> Object:
    return admin_policy(f"p{priority}", priority=priority, subject=_SUBJECT, ingress=list(ingress), **spec)


def _tier(tier: str, priority: int, *ingress: Object, name: str = "p", **spec: Any) -> Object:
    return cluster_policy(
        f"{tier.lower()}-{name}{priority}",
        tier=tier,
        priority=priority,
        subject=_SUBJECT,
        ingress=list(ingress),
        **spec,
    )


SENTENCES: Final = [
    Sentence(
        "v1alpha1 Allow: allows the selected traffic (even if it would otherwise have been denied by NetworkPolicy)",
        [_DENY, _admin(5, _rule("Allow", _BLUE))],
        {"blue/a red/a 80 TCP": "allowed", "red/b red/a 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha1 Deny: denied before being checked against NetworkPolicy",
        [network_policy("red/allow", ingress=[{}]), _admin(5, _rule("Deny", _BLUE))],
        {"blue/a red/a 80 TCP": "denied", "203.0.113.1 red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "v1alpha1 Pass: skip any remaining ANP rules, and then pass execution to any NetworkPolicies",
        [
            _admin(1, _rule("Pass", _BLUE), _rule("Deny")),
            _admin(2, _rule("Deny")),
            network_policy("red/allow", ingress=[{"ports": [{"port": 80}]}]),
        ],
        {"blue/a red/a 80 TCP": "allowed", "blue/a red/a 81 TCP": "denied", "red/b red/a 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha1: if the pod is not selected by any NetworkPolicies then execution is passed to the baseline policy",
        [
            baseline_policy(subject=_SUBJECT, ingress=[_rule("Deny", _BLUE)]),
            network_policy("red/p", podSelector={"matchLabels": {"app": "b"}}, ingress=[{"ports": [{"port": 80}]}]),
        ],
        {
            "blue/a red/a 80 TCP": "denied",
            "blue/a red/b 80 TCP": "allowed",
            "blue/a red/b 81 TCP": "denied",
            "red/b red/a 80 TCP": "allowed",
        },
    ),
    Sentence(
        "v1alpha1: baseline rules apply in a direction in which no NetworkPolicy isolates the pod",
        [
            baseline_policy(subject=_SUBJECT, egress=[_to("Deny", _ALL)]),
            network_policy("red/p", policyTypes=["Ingress"], ingress=[{}]),
        ],
        {"red/a blue/a 80 TCP": "denied", "blue/a red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "v1alpha1: policies with lower priority values have higher precedence",
        [_admin(10, _rule("Deny")), _admin(9, _rule("Allow", _BLUE))],
        {"blue/a red/a 80 TCP": "allowed", "red/b red/a 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha1: a rule that appears at the top of the ingress rules would take the highest precedence",
        [_admin(1, _rule("Deny", _BLUE, ports=[{"portNumber": {"protocol": "TCP", "port": 80}}]), _rule("Allow"))],
        {"blue/a red/a 80 TCP": "denied", "blue/a red/a 81 TCP": "allowed", "blue/a red/a 80 UDP": "allowed"},
    ),
    Sentence(
        "v1alpha1: two policies with the same priority: the implementation can apply any of the matching policies",
        [
            _admin(3, _rule("Deny", ports=[{"portNumber": {"protocol": "TCP", "port": 80}}])),
            {**_admin(3, _rule("Allow", _BLUE)), "metadata": {"name": "other"}},
        ],
        {"blue/a red/a 80 TCP": "unknown", "blue/a red/a 81 TCP": "allowed", "red/b red/a 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha1: ANPs with no ingress rules do not affect ingress traffic; there is no implicit isolation",
        [_admin(1, egress=[_to("Deny", _BLUE)])],
        {"blue/a red/a 80 TCP": "allowed", "red/a blue/a 80 TCP": "denied", "red/a 203.0.113.1 80 TCP": "allowed"},
    ),
    Sentence(
        "v1alpha1 portRange: an inclusive range of ports; namedPort: a port on a pod by its name",
        [
            _admin(
                1,
                _rule("Deny", ports=[{"portRange": {"protocol": "TCP", "start": 80, "end": 90}}, {"namedPort": "dns"}]),
            )
        ],
        {
            "blue/a red/a 79 TCP": "allowed",
            "blue/a red/a 80 TCP": "denied",
            "blue/a red/a 90 TCP": "denied",
            "blue/a red/a 91 TCP": "allowed",
            "blue/a red/a 53 UDP": "denied",
            "blue/a red/a 53 TCP": "allowed",
            "blue/a red/b 53 UDP": "allowed",
        },
    ),
    Sentence(
        "v1alpha1 pods: a given set of pods in selected namespaces",
        [
            _admin(
                1,
                _rule("Deny", [{"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "back"}}}}]),
            )
        ],
        {"blue/b red/a 80 TCP": "denied", "red/b red/a 80 TCP": "denied", "blue/a red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "v1alpha1 networks: cluster-internal traffic will be checked against the rule as well",
        [
            _admin(
                1,
                egress=[
                    _to("Deny", [{"networks": ["0.0.0.0/0"]}], ports=[{"portNumber": {"protocol": "TCP", "port": 80}}]),
                    _to("Deny", [{"networks": ["192.0.2.0/24"]}]),
                ],
            )
        ],
        {
            "red/a blue/a 80 TCP": "denied",
            "red/a blue/a 81 TCP": "allowed",
            "red/a 192.0.2.9 81 TCP": "denied",
            "red/a 2001:db8::1 80 TCP": "allowed",
        },
        assumptions=_POD_NETWORK,
    ),
    Sentence(
        "v1alpha2 tiers: Admin, then NetworkPolicy, then Baseline",
        [
            _tier("Admin", 5, _rule("Accept", _BLUE)),
            _tier("Baseline", 1, _rule("Deny")),
            network_policy("red/p", podSelector={"matchLabels": {"app": "b"}}, ingress=[{"ports": [{"port": 80}]}]),
        ],
        {
            "blue/a red/b 81 TCP": "allowed",
            "red/a red/b 80 TCP": "allowed",
            "red/a red/b 81 TCP": "denied",
            "red/b red/a 80 TCP": "denied",
        },
    ),
    Sentence(
        "v1alpha2: v1.NetworkPolicy always makes a final decision for selected pods",
        [_tier("Baseline", 1, _rule("Accept")), _DENY],
        {"blue/a red/a 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha2: priority is the precedence of the policy within its tier",
        [
            _tier("Admin", 900, _rule("Deny", protocols=[{"udp": {"destinationPort": {"number": 53}}}])),
            _tier("Baseline", 1, _rule("Accept")),
            _tier(
                "Baseline",
                0,
                _rule("Deny", protocols=[{"tcp": {"destinationPort": {"range": {"start": 80, "end": 82}}}}]),
            ),
        ],
        {
            "blue/a red/a 53 UDP": "denied",
            "blue/a red/a 53 TCP": "allowed",
            "blue/a red/a 82 TCP": "denied",
            "blue/a red/a 83 TCP": "allowed",
        },
    ),
    Sentence(
        "v1alpha2 Pass: skips all further rules in the current tier, and passes evaluation to the next tier",
        [
            _tier("Admin", 1, _rule("Pass", _BLUE)),
            _tier("Admin", 2, _rule("Accept")),
            _tier("Baseline", 1, _rule("Pass", protocols=[{"destinationNamedPort": "web"}])),
            _tier("Baseline", 2, _rule("Deny")),
        ],
        {
            "red/b red/a 80 TCP": "allowed",
            "blue/a red/a 80 TCP": "denied",
            "blue/a red/a 8080 TCP": "allowed",
            "blue/a red/b 8080 TCP": "denied",
        },
    ),
    Sentence(
        "v1alpha2: two policies in the same tier with the same priority: any of the matching policies",
        [
            _tier("Admin", 1, _rule("Pass", _BLUE)),
            _tier("Admin", 1, _rule("Deny", _BLUE), name="q"),
        ],
        {"blue/a red/a 80 TCP": "unknown", "red/b red/a 80 TCP": "allowed"},
    ),
    Sentence(
        "v1alpha2 Accept of egress: any ingress rules at the destination do apply",
        [_tier("Admin", 1, egress=[_to("Accept", _ALL)]), network_policy("blue/deny"), _DENY],
        {"red/a blue/a 80 TCP": "denied", "red/a red/b 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha2: a pod connecting directly to its own Pod IP is never subject to ClusterNetworkPolicy enforcement",
        [_tier("Admin", 1, _rule("Deny"), egress=[_to("Deny", _ALL)])],
        {"red/a red/a 80 TCP": "allowed", "red/a red/b 80 TCP": "denied"},
    ),
    Sentence(
        "v1alpha2: without a final decision all pods can communicate with each other",
        [_tier("Admin", 1, _rule("Pass")), _tier("Baseline", 1, _rule("Pass"))],
        {"blue/a red/a 80 TCP": "allowed", "red/a blue/a 80 TCP": "allowed"},
    ),
]
