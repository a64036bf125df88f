"""Faults of network engines: what each does otherwise than the API says, with a policy set that shows it.

A fault explains an observation only where the policies, rewritten as the engine treats them, give every open and every
closed connection of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.audit.kube_objects import network_policy
from tests.audit.reference import Object
from tests.audit.reference.objects import Labels, selects


@dataclass(frozen=True)
class Fault:
    """What an engine does otherwise than the API says.

    Attributes:
        engine: The engine and its version.
        behaviour: What it does.
        sentence: What the API says.
        policies: The reproduction, on the pods of `pods.py`.
    """

    engine: str
    behaviour: str
    sentence: str
    policies: list[Object]


_KUBE_ROUTER: Final = "kube-router 2.1.0"
FAULTS: Final = [
    Fault(
        engine=_KUBE_ROUTER,
        behaviour=(
            "Between two pods that a policy of both directions selects, an egress rule of that policy also lets the"
            " connection in, although no ingress rule allows it."
        ),
        sentence=(
            "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the"
            " source pod and the ingress policy on the destination pod need to allow the connection."
        ),
        policies=[network_policy("audit-grey/both", policyTypes=["Ingress", "Egress"], egress=[{}])],
    ),
    Fault(
        engine=_KUBE_ROUTER,
        behaviour=(
            "A named port in an egress rule without peers is resolved on the pods that the policy selects, and opens"
            " its number there on every destination."
        ),
        sentence="This can either be a numerical or named port on a pod.",
        policies=[
            network_policy(
                "audit-red/egress", policyTypes=["Egress"], egress=[{"ports": [{"port": "dns", "protocol": "UDP"}]}]
            )
        ],
    ),
    Fault(
        engine=_KUBE_ROUTER,
        behaviour="An ingress rule with peers and a named port that no selected pod has opens every port to the peers.",
        sentence="If present, only traffic on the specified protocol AND port will be matched.",
        policies=[
            network_policy(
                "audit-red/ingress",
                podSelector={"matchLabels": {"app": "c"}},
                ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"port": "web"}]}],
            )
        ],
    ),
]


def as_kube_router_treats(policies: Sequence[Object], objects: Sequence[Object]) -> list[Object]:
    """The policies rewritten with the second and the third fault, which concern named ports."""
    return [_rewritten(each, [pod for pod in objects if _selected(each, pod)]) for each in policies]


def _rewritten(policy: Object, pods: list[Object]) -> Object:
    spec = dict(policy["spec"])
    if spec.get("egress"):
        spec["egress"] = _each(spec["egress"], lambda rule: _egress_rule(rule, pods))
    if spec.get("ingress"):
        spec["ingress"] = _each(spec["ingress"], lambda rule: _ingress_rule(rule, pods))
    return policy | {"spec": spec}


def _each(rules: list[Object], rewrite: Callable[[Object], Object | None]) -> list[Object]:
    return [found for rule in rules if (found := rewrite(rule)) is not None]


def _egress_rule(rule: Object, pods: list[Object]) -> Object | None:
    if rule.get("to") or not rule.get("ports"):
        return rule
    ports = [port for entry in rule["ports"] for port in ([entry] if not _named(entry) else _numbers(entry, pods))]
    return rule | {"ports": ports} if ports else None


def _ingress_rule(rule: Object, pods: list[Object]) -> Object:
    ports = rule.get("ports") or []
    if rule.get("from") and ports and all(_named(entry) and not _numbers(entry, pods) for entry in ports):
        return {"from": rule["from"]}
    return rule


def _named(entry: Object) -> bool:
    return isinstance(entry.get("port"), str)


def _numbers(entry: Object, pods: list[Object]) -> list[Object]:
    """What a named port is on some pods."""
    wanted = (entry["port"], entry.get("protocol", "TCP"))
    declared: list[Any] = [port for pod in pods for port in pod["spec"]["containers"][0].get("ports", [])]
    return [
        {"protocol": wanted[1], "port": port["containerPort"]}
        for port in declared
        if (port.get("name"), port.get("protocol", "TCP")) == wanted
    ]


def _selected(policy: Object, pod: Object) -> bool:
    if pod["kind"] != "Pod" or pod["metadata"]["namespace"] != policy["metadata"]["namespace"]:
        return False
    return selects(policy["spec"].get("podSelector") or {}, Labels(pod["metadata"].get("labels") or {})) is True
