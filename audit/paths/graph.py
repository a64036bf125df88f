"""The graph that is searched: what somebody can have or be, and the steps from one to another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from audit.engine.answer import Answer
from audit.model.place import Place

ANY: Final = "*"
"""As a name: every object of the namespace, or any node."""


class Kind(StrEnum):
    """What somebody can have or be."""

    MANIFESTS = "manifests"
    PODS = "pods"
    NEW_PODS = "new pods"
    REACHED = "traffic to"
    ACCOUNT = "account"
    USER = "user"
    GROUP = "group"
    SECRET = "Secret"  # noqa: S105 - a kind, not a password
    VOLUME = "volume"
    NODE = "node"
    LOGS = "logs"
    OBJECTS = "objects"
    TRAFFIC = "traffic of"
    METRICS = "metrics"
    MONITORS = "monitors"
    RULES = "rules"
    LABELS = "labels"
    POLICIES = "network policies"
    NAMESPACE = "everything in"
    CLUSTER = "the whole cluster"


@dataclass(frozen=True, slots=True)
class Node:
    """Something that somebody can have or be.

    Attributes:
        kind: Its kind.
        namespace: Its namespace; empty for what is in none.
        name: Its name; `*` for all of the namespace, empty where the kind and the namespace say everything.
    """

    kind: Kind
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        if self.kind is Kind.CLUSTER:
            return "the whole cluster"
        if self.kind is Kind.NODE:
            where = f"the node of {self.namespace}/{self.name}" if self.namespace else f"node {self.name}"
            return "any node" if self.name == ANY else where
        if self.kind in {Kind.MANIFESTS, Kind.NAMESPACE, Kind.LABELS} or self.name in {"", ANY}:
            plural = "Secrets" if self.kind is Kind.SECRET else str(self.kind)
            of = "" if plural.endswith(("of", "in", "to")) or not self.namespace else " of"
            all_pods = " all pods of" if self.kind is Kind.REACHED else ""
            return f"{plural}{all_pods}{of} {self.namespace}".rstrip()
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that makes a step possible.

    Attributes:
        reason: What it says, in words; may be empty.
        file: Its file, or empty.
        line: Its line, from 1, or 0.
        text: Its text.
    """

    reason: str
    file: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step from one node to another.

    Attributes:
        target: Where it leads.
        rule: Stable name of what makes it possible.
        sentence: Why it is possible, in words.
        evidence: The lines; asked for only if the step is reported.
        certain: Whether the input decides that it is possible.
        source: Documentation that the rule follows, or empty.
    """

    target: Node
    rule: str
    sentence: str
    evidence: Callable[[], Sequence[Evidence]] = field(compare=False)
    certain: bool = True
    source: str = ""


class Plane(Protocol):
    """One kind of way. A plane is one module and does not import another.

    Attributes:
        name: Its name.
    """

    name: str

    @property
    def searched(self) -> Mapping[str, int]:
        """What it looks at in this input: how many of what."""
        ...

    @property
    def unknown(self) -> Sequence[str]:
        """What the input does not say, in words."""
        ...

    def steps(self, node: Node) -> Iterator[Step]:
        """The steps from a node."""
        ...


def evidence_of(answer: Answer) -> Callable[[], Sequence[Evidence]]:
    """The evidence of a verdict about traffic, of both sides."""

    def found() -> list[Evidence]:
        return [
            Evidence(f"{each.direction}: {each.reason}", each.file, each.line, each.text)
            for side in (answer.egress, answer.ingress)
            for each in side.evidence
        ]

    return found


def lines(*places: Place | None) -> Callable[[], Sequence[Evidence]]:
    """The evidence of places, without those that are not in a file of the input."""

    def found() -> list[Evidence]:
        return [Evidence("", each.file, each.line, each.text) for each in places if each is not None]

    return found
