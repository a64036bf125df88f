"""Draws NetworkPolicies, with every field in every form that the API server accepts."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.audit.drawing.addresses import draw_block
from tests.audit.drawing.draw import NAMESPACE_LABELS, POD_LABELS, PORT_NAMES, PORT_NUMBERS, PROTOCOLS, Draw
from tests.audit.kube_objects import network_policy
from tests.audit.reference import Object
from tests.audit.reference.objects import NAME_LABEL


@dataclass(frozen=True)
class Vocabulary:
    """What drawn policies may speak of."""

    namespaces: Sequence[str]
    protocols: Sequence[str] = tuple(PROTOCOLS)
    numbers: Sequence[int] = tuple(PORT_NUMBERS)
    blocks: int = 25
    """Percentage of peers that are address blocks."""


def draw_network_policies(draw: Draw, vocabulary: Vocabulary, most: int = 4) -> list[Object]:
    """Up to `most` policies in the namespaces."""
    return [
        network_policy(f"{draw.one(vocabulary.namespaces)}/policy-{number}", **_spec(draw, vocabulary))
        for number in range(draw.number(0, most))
    ]


def _spec(draw: Draw, vocabulary: Vocabulary) -> Object:
    spec: Object = {"podSelector": draw.selector(POD_LABELS)}
    types = draw.one([None, None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    if types is not None:
        spec["policyTypes"] = types
    for side, peers in (("ingress", "from"), ("egress", "to")):
        if draw.chance(60):
            spec[side] = [_rule(draw, vocabulary, peers) for _ in range(draw.number(0, 2))]
    return spec


def _rule(draw: Draw, vocabulary: Vocabulary, peers: str) -> Object:
    """A rule: each of its lists absent, empty, or with some items."""
    rule: Object = {}
    if draw.chance(70):
        rule[peers] = draw.several(lambda: _peer(draw, vocabulary), 0, 2)
    if draw.chance(60):
        rule["ports"] = draw.several(lambda: _port(draw, vocabulary), 0, 2)
    return rule


def _peer(draw: Draw, vocabulary: Vocabulary) -> Object:
    if draw.chance(vocabulary.blocks):
        return {"ipBlock": draw_block(draw)}
    form = draw.one(["pods", "namespaces", "both"])
    peer: Object = {}
    if form != "namespaces":
        peer["podSelector"] = draw.selector(POD_LABELS)
    if form != "pods":
        peer["namespaceSelector"] = draw_namespace_selector(draw, vocabulary.namespaces)
    return peer


def draw_namespace_selector(draw: Draw, namespaces: Sequence[str]) -> Object:
    """A selector of namespaces, by name or by other labels."""
    if draw.chance(40):
        return {"matchLabels": {NAME_LABEL: draw.one(namespaces)}}
    return draw.selector(NAMESPACE_LABELS)


def _port(draw: Draw, vocabulary: Vocabulary) -> Object:
    entry: Object = {}
    if draw.chance(60):
        entry["protocol"] = draw.one(vocabulary.protocols)
    match draw.one(["none", "number", "number", "range", "name"]):
        case "number":
            entry["port"] = draw.one(vocabulary.numbers)
        case "range":
            low, high = sorted([draw.one(vocabulary.numbers), draw.one(vocabulary.numbers)])
            entry |= {"port": low, "endPort": high}
        case "name":
            entry["port"] = draw.one(PORT_NAMES)
    return entry
