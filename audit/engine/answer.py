"""What the engine says about one connection."""

from dataclasses import dataclass
from enum import StrEnum

from audit.model.policies import Direction


class Verdict(StrEnum):
    """Whether traffic passes."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something that decides a verdict.

    Attributes:
        direction: The side that it restricts.
        effect: What it does: allows, denies, passes, isolates, or the same with "may".
        policy: Kind and name of the policy; empty where the absence of one decides.
        rule: Path of the rule in the policy, as in spec.ingress[0].
        file: The file, or empty.
        line: The line, from 1, or 0.
        text: The line's text.
        reason: One sentence.
    """

    direction: Direction
    effect: str
    reason: str
    policy: str = ""
    rule: str = ""
    file: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policies of one side say.

    Attributes:
        direction: Egress of the source, or ingress of the destination.
        verdict: Their verdict.
        evidence: What decides it.
        needed: For a denial, what would have to allow the traffic.
        missing: For an unknown, which information is missing.
    """

    direction: Direction
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    needed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict about one connection.

    Attributes:
        source: The source, as it was asked for.
        destination: The destination, as it was asked for.
        port: The destination's port number; a pod's port where the destination is a Service.
        protocol: TCP, UDP or SCTP.
        verdict: Whether the traffic passes both sides.
        egress: What the source's policies say.
        ingress: What the destination's policies say.
        notes: What a reader should know besides.
    """

    source: str
    destination: str
    port: int
    protocol: str
    verdict: Verdict
    egress: Decision
    ingress: Decision
    notes: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What decides the verdict: of a denial, only the sides that deny; of an unknown, only those that are."""
        return tuple(item for side in self._deciding() for item in side.evidence)

    @property
    def needed(self) -> tuple[str, ...]:
        """For a denial, what would have to allow the traffic."""
        return tuple(item for side in self._deciding() for item in side.needed)

    @property
    def missing(self) -> tuple[str, ...]:
        """For an unknown, which information is missing."""
        return tuple(item for side in self._deciding() for item in side.missing)

    def _deciding(self) -> tuple[Decision, ...]:
        return tuple(side for side in (self.egress, self.ingress) if side.verdict is self.verdict)
