"""A sentence of the API text as a test."""

from dataclasses import dataclass, field

from tests.audit.kube_objects import namespace, pod
from tests.audit.reference import Assumptions, Object, Verdict

A_PORTS: list[Object] = [
    {"name": "web", "containerPort": 8080},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
]
PODS: list[Object] = [
    namespace("red", team="red"),
    namespace("blue", team="blue", stage="test"),
    pod("red/a", {"app": "a"}, A_PORTS),
    pod("red/b", {"app": "b", "tier": "back"}),
    pod("blue/a", {"app": "a"}, A_PORTS),
    pod("blue/b", {"app": "b", "tier": "back"}),
]
"""Two namespaces with two pods each; the pods named a have named ports."""


@dataclass(frozen=True)
class Sentence:
    """What the API says, and connections that show it.

    Attributes:
        text: The sentence, or the part of it that decides.
        policies: Policies beside `PODS`, or all objects where `alone`.
        asks: "source destination port protocol" and the verdict.
        alone: Whether `policies` is the whole cluster.
        assumptions: What YAML does not say.
    """

    text: str
    policies: list[Object]
    asks: dict[str, Verdict]
    alone: bool = False
    assumptions: Assumptions = field(default=Assumptions())

    @property
    def objects(self) -> list[Object]:
        """The cluster."""
        return self.policies if self.alone else [*PODS, *self.policies]
