"""Draws the policies of administrators: v1alpha1 with a baseline policy, or v1alpha2 in both tiers."""

from collections.abc import Callable, Sequence
from typing import Final

from tests.audit.drawing.addresses import BLOCKS
from tests.audit.drawing.draw import POD_LABELS, PORT_NAMES, PORT_NUMBERS, PROTOCOLS, Draw
from tests.audit.drawing.network_policies import draw_namespace_selector
from tests.audit.kube_objects import admin_policy, baseline_policy, cluster_policy
from tests.audit.reference import Object

_PRIORITIES: Final = [0, 1, 1, 7, 1000]
"""Few, so that equal ones meet."""
_MakePort = Callable[[Draw, Sequence[str]], Object]
"""Draws a port, by one of some names or by number."""


def draw_admin_policies(draw: Draw, namespaces: Sequence[str]) -> list[Object]:
    """Policies of one of the two APIs, or of none."""
    match draw.one(["none", "v1alpha1", "v1alpha2"]):
        case "v1alpha1":
            return _v1alpha1(draw, namespaces)
        case "v1alpha2":
            return _v1alpha2(draw, namespaces)
    return []


def _v1alpha1(draw: Draw, namespaces: Sequence[str]) -> list[Object]:
    def spec(*actions: str) -> Object:
        return _spec(draw, namespaces, actions, "ports", _port_v1alpha1)

    policies = [
        admin_policy(f"admin-{number}", priority=draw.one(_PRIORITIES), **spec("Allow", "Deny", "Pass"))
        for number in range(draw.number(1, 4))
    ]
    return [*policies, *([baseline_policy(**spec("Allow", "Deny"))] if draw.chance(50) else [])]


def _v1alpha2(draw: Draw, namespaces: Sequence[str]) -> list[Object]:
    return [
        cluster_policy(
            f"cluster-{number}",
            tier=draw.one(["Admin", "Baseline"]),
            priority=draw.one(_PRIORITIES),
            **_spec(draw, namespaces, ("Accept", "Deny", "Pass"), "protocols", _port_v1alpha2),
        )
        for number in range(draw.number(1, 5))
    ]


def _spec(draw: Draw, namespaces: Sequence[str], actions: Sequence[str], ports: str, make_port: _MakePort) -> Object:
    def rule(peers: str) -> Object:
        egress = peers == "to"
        drawn: Object = {
            "action": draw.one(actions),
            peers: draw.several(lambda: _peer(draw, namespaces, networks=egress), 1, 2),
        }
        if draw.chance(50):
            names = [] if any("networks" in each for each in drawn[peers]) else PORT_NAMES
            drawn[ports] = draw.several(lambda: make_port(draw, names), 1, 2)
        return drawn

    spec: Object = {"subject": _pods(draw, namespaces)}
    for side, peers in (("ingress", "from"), ("egress", "to")):
        if draw.chance(65):
            spec[side] = [rule(peers) for _ in range(draw.number(0, 3))]
    return spec


def _peer(draw: Draw, namespaces: Sequence[str], *, networks: bool) -> Object:
    if networks and draw.chance(30):
        return {"networks": draw.some(BLOCKS, 1, 2)}
    return _pods(draw, namespaces)


def _pods(draw: Draw, namespaces: Sequence[str]) -> Object:
    chosen = {} if draw.chance(40) else draw_namespace_selector(draw, namespaces)
    if draw.chance(50):
        return {"namespaces": chosen}
    return {"pods": {"namespaceSelector": chosen, "podSelector": draw.selector(POD_LABELS)}}


def _port_v1alpha1(draw: Draw, names: Sequence[str]) -> Object:
    match draw.one(["portNumber", "portRange", "namedPort"]):
        case "portNumber":
            return {"portNumber": _protocol(draw) | {"port": draw.one(PORT_NUMBERS)}}
        case "namedPort" if names:
            return {"namedPort": draw.one(names)}
    return {"portRange": _protocol(draw) | _range(draw)}


def _port_v1alpha2(draw: Draw, names: Sequence[str]) -> Object:
    if names and draw.chance(30):
        return {"destinationNamedPort": draw.one(names)}
    port: Object = {"range": _range(draw)} if draw.chance(40) else {"number": draw.one(PORT_NUMBERS)}
    return {draw.one(PROTOCOLS).lower(): {"destinationPort": port}}


def _protocol(draw: Draw) -> Object:
    return {"protocol": draw.one(PROTOCOLS)} if draw.chance(80) else {}


def _range(draw: Draw) -> Object:
    low, high = sorted(draw.some(PORT_NUMBERS, 2, 2))
    return {"start": low, "end": high}
