"""Faults of network engines, each with the smallest policy set that shows it on the pods of `pods.py`."""

from dataclasses import dataclass
from typing import Final

from tests.audit.kube_objects import network_policy
from tests.audit.reference import Object


@dataclass(frozen=True)
class Fault:
    """What an engine does otherwise than the API says.

    Attributes:
        engine: The engine and its version.
        behaviour: What it does.
        sentence: What the API says.
        policies: The reproduction.
    """

    engine: str
    behaviour: str
    sentence: str
    policies: list[Object]


FAULTS: Final = [
    Fault(
        engine="kube-router 2.1.0",
        behaviour=(
            "Between two pods that a policy of both directions selects, an egress rule of that policy also lets the"
            " connection in, although no ingress rule allows it."
        ),
        sentence=(
            "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the"
            " source pod and the ingress policy on the destination pod need to allow the connection."
        ),
        policies=[
            network_policy("audit-grey/both", policyTypes=["Ingress", "Egress"], egress=[{}]),
        ],
    )
]
