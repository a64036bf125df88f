"""One side of one connection, and the evidence for its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.engine import reasons, wording
from audit.engine.answer import Decision, Evidence, Verdict
from audit.engine.endpoints import Endpoint, Traffic
from audit.engine.evaluation import Outcome, Profile
from audit.engine.matching import Matcher
from audit.model.place import Place
from audit.model.policies import Action, Direction, Policy, Rule, Tier
from audit.model.truth import MAYBE, NO, YES, Truth

Observation = tuple[Policy, Rule | None, Truth]
"""A policy, the rule of it that matches or None for its isolation, and whether it certainly does."""
_EFFECTS = {Action.ALLOW: "allows", Action.DENY: "denies", Action.PASS: "passes"}
_MAY = {"allows": "may allow", "denies": "may deny", "passes": "may pass", "isolates": "may isolate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What decides one side.

    Attributes:
        direction: The side.
        traffic: The connection.
        subject: The pods that policies restrict.
        other: The other end.
        profile: The policies that apply.
        observed: What matched, in the order of evaluation.
        outcome: Whether the traffic may be allowed and denied.
        exempt: Why the API may exempt the traffic, or empty.
        matcher: Matches peers.
    """

    direction: Direction
    traffic: Traffic
    subject: Endpoint
    other: Endpoint
    profile: Profile
    observed: Sequence[Observation]
    outcome: Outcome[int]
    exempt: str
    matcher: Matcher

    def decision(self, verdict: Verdict) -> Decision:
        """The verdict with its evidence."""
        if verdict is Verdict.ALLOWED:
            return Decision(direction=self.direction, verdict=verdict, evidence=tuple(self._allowing()))
        if verdict is Verdict.DENIED:
            evidence = tuple(self._denying())
            return Decision(direction=self.direction, verdict=verdict, evidence=evidence, needed=tuple(self._needed()))
        return Decision(
            direction=self.direction,
            verdict=verdict,
            evidence=tuple(self._undecided()),
            missing=tuple(dict.fromkeys(self.missing())),
        )

    def _allowing(self) -> Iterator[Evidence]:
        allowing = [each for each in self.observed if each[1] is not None and each[1].action is not Action.DENY]
        certain = [each for each in allowing if each[2] is YES]
        if self.exempt and not certain:
            yield self._plain("allows", self.exempt)
        elif allowing:
            for policy, rule, truth in certain or allowing:
                yield self._evidence(policy, rule, truth)
        else:
            yield self._plain("allows", f"no policy restricts {self.direction} of {self.subject.name}")

    def _denying(self) -> Iterator[Evidence]:
        for policy, rule, truth in self.observed:
            if rule is None or (rule.action is not Action.ALLOW and truth is YES):
                yield self._evidence(policy, rule, truth)

    def _undecided(self) -> Iterator[Evidence]:
        for opaque in self.profile.opaque:
            reason = f"{opaque} may restrict {self.subject.name}: {opaque.reason}"
            yield self._at(opaque.place, "may restrict", str(opaque), reason)
        for policy, rule, truth in self.observed:
            yield self._evidence(policy, rule, truth)

    def _needed(self) -> Iterator[str]:
        traffic = self.traffic
        side = "from" if self.direction is Direction.INGRESS else "to"
        what = f"{traffic.protocol} {traffic.number} {side} {self.other.name}"
        if self.outcome.deny_by_admin:
            yield f"a rule of higher precedence that allows or passes {what}"
            return
        namespace = self.subject.pods.namespace.name if self.subject.pods else ""
        where = f"a NetworkPolicy in namespace {namespace} that selects {self.subject.name}"
        yield f"an {self.direction} rule, in {where}, that allows {what}"
        yield from self._near_misses()

    def _near_misses(self) -> Iterator[str]:
        """Rules that match one of peer and port."""
        for policy, _truth in self.profile.network:
            for rule in policy.rules(self.direction) or ():
                namespace = policy.namespace
                peers = (
                    YES
                    if rule.peers is None
                    else max(self.matcher.peer(each, namespace, self.other) for each in rule.peers)
                )
                if peers is not NO:
                    where = f"{policy} ({rule.place.file}:{rule.place.line})"
                    allowed = wording.ports(rule.ports)
                    matches = "matches" if peers is YES else "may match"
                    yield f"nearest: {where} {matches} {self.other.name}, but allows {allowed} only"

    def missing(self) -> Iterator[str]:
        """Which information is missing for a verdict."""
        for opaque in self.profile.opaque:
            yield f"what {opaque} does: {opaque.reason}"
        traffic = (self.traffic.protocol, self.traffic.number, self.traffic.destination)
        for policy, rule, truth in self.observed:
            if truth is not MAYBE:
                continue
            pods = self.subject.pods
            if pods is not None:
                yield from reasons.selection(policy.subject, policy.namespace, pods, self.subject.name)
            if rule is not None:
                yield from reasons.rule(rule, policy.namespace, self.other, traffic, self.matcher)
        if self.exempt:
            yield f"whether {self.subject.name} and {self.other.name} are on the same node: {self.exempt}"
        yield from self._ambiguous()

    def _ambiguous(self) -> Iterator[str]:
        """Policies of equal priority that disagree: the API leaves the choice to the implementation."""
        seen: dict[tuple[Tier, int], Policy] = {}
        for policy, rule, _truth in self.observed:
            if rule is None or policy.tier is Tier.NETWORK:
                continue
            first = seen.setdefault((policy.tier, policy.priority), policy)
            if first is not policy:
                yield f"{first} and {policy} have equal priority {policy.priority}: give them different ones"

    def _evidence(self, policy: Policy, rule: Rule | None, truth: Truth) -> Evidence:
        if rule is None:
            place = policy.place.at("spec", "podSelector")
            effect = "isolates"
            reason = f"{policy} restricts {self.direction} of {wording.peer(policy.subject, policy.namespace)}"
        else:
            place = self._place(policy, rule)
            effect = _EFFECTS[rule.action]
            side = "from" if self.direction is Direction.INGRESS else "to"
            reason = f"{policy} {effect} {wording.ports(rule.ports)} {side} {wording.peers(rule, policy.namespace)}"
        return self._at(place, effect if truth is YES else _MAY[effect], str(policy), reason)

    def _place(self, policy: Policy, rule: Rule) -> Place:
        """The entry of a rule that matches best: its peer, else the rule."""
        if not rule.peers:
            return rule.place
        truths = [self.matcher.peer(peer, policy.namespace, self.other) for peer in rule.peers]
        return rule.place.at(rule.peer_field, truths.index(max(truths)))

    def _at(self, place: Place, effect: str, policy: str, reason: str) -> Evidence:
        return Evidence(
            direction=self.direction,
            effect=effect,
            reason=reason,
            policy=policy,
            rule=place.field,
            file=place.file,
            line=place.line,
            text=place.text,
        )

    def _plain(self, effect: str, reason: str) -> Evidence:
        return Evidence(direction=self.direction, effect=effect, reason=reason)
