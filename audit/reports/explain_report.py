"""The verdict about one connection, in the form that every format prints."""

from msgspec import Struct

from audit.engine.answer import Answer, Decision, Verdict
from audit.model.policies import Direction

SCHEMA = "tenantry.dev/audit/explain/v1"


class EvidenceItem(Struct, frozen=True, rename="camel", kw_only=True):
    """Something that decides a verdict.

    Attributes:
        effect: What it does: allows, denies, passes, isolates, or the same with "may".
        policy: Kind and name of the policy; empty where the absence of one decides.
        rule: Path of the rule in the policy, as in spec.ingress[0].
        file: The file, or empty.
        line: The line, from 1, or 0.
        text: The line's text.
        reason: One sentence.
    """

    effect: str
    policy: str
    rule: str
    file: str
    line: int
    text: str
    reason: str


class Side(Struct, frozen=True, rename="camel", kw_only=True):
    """What the policies of one side say.

    Attributes:
        direction: egress of the source, or ingress of the destination.
        verdict: Their verdict.
        evidence: What decides it.
        needed: For a denial, what would have to allow the traffic.
        missing: For an unknown, which information is missing.
    """

    direction: Direction
    verdict: Verdict
    evidence: list[EvidenceItem]
    needed: list[str]
    missing: list[str]


class ExplainReport(Struct, frozen=True, rename="camel", kw_only=True):
    """The verdict about one connection.

    Attributes:
        schema: Name and version of this form.
        source: The source, as it was asked for.
        destination: The destination, as it was asked for.
        port: The destination's port.
        protocol: TCP, UDP or SCTP.
        verdict: Whether the traffic passes both sides.
        sides: Egress of the source, then ingress of the destination.
        notes: What a reader should know besides.
    """

    schema: str = SCHEMA
    source: str
    destination: str
    port: int
    protocol: str
    verdict: Verdict
    sides: list[Side]
    notes: list[str]


def explain_report(answer: Answer) -> ExplainReport:
    """The report of an answer."""
    return ExplainReport(
        source=answer.source,
        destination=answer.destination,
        port=answer.port,
        protocol=answer.protocol,
        verdict=answer.verdict,
        sides=[_side(answer.egress), _side(answer.ingress)],
        notes=list(answer.notes),
    )


def _side(decision: Decision) -> Side:
    evidence = [
        EvidenceItem(
            effect=each.effect,
            policy=each.policy,
            rule=each.rule,
            file=each.file,
            line=each.line,
            text=each.text,
            reason=each.reason,
        )
        for each in decision.evidence
    ]
    return Side(
        direction=decision.direction,
        verdict=decision.verdict,
        evidence=evidence,
        needed=list(decision.needed),
        missing=list(decision.missing),
    )
