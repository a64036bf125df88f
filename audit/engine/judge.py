"""The verdict about one connection, with its evidence."""

from collections import defaultdict
from typing import TypeVar

from audit.assumptions import Assumptions
from audit.engine.answer import Answer, Decision, Evidence, Verdict
from audit.engine.case import Case
from audit.engine.endpoints import Endpoint, Kind, Traffic
from audit.engine.evaluation import Outcome, Profile, Selected, evaluate
from audit.engine.matching import Matcher, port, selects
from audit.model.inventory import Inventory
from audit.model.pods import Pods
from audit.model.policies import Direction, OpaquePolicy, Policy, Rule
from audit.model.truth import MAYBE, NO, YES, Truth

P = TypeVar("P")

_OWN_NODE = "traffic between a pod and the node that it runs on is always allowed"
_ITSELF = "a pod cannot block access to itself"


class Judge:
    """Decides connections of one cluster, one at a time.

    Attributes:
        matcher: Matches peers under the user's assumptions.
    """

    def __init__(self, inventory: Inventory, assumptions: Assumptions) -> None:
        self.matcher = Matcher(assumptions)
        self._by_namespace: dict[str | None, list[Policy]] = defaultdict(list)
        self._opaque: dict[str | None, list[OpaquePolicy]] = defaultdict(list)
        # By identity; the pods are kept so that another object cannot take theirs.
        self._profiles: dict[tuple[int, Direction], tuple[Pods, Profile]] = {}
        for policy in inventory.policies:
            self._by_namespace[policy.namespace].append(policy)
        for opaque in inventory.opaque:
            self._opaque[opaque.namespace].append(opaque)

    def answer(self, traffic: Traffic, notes: tuple[str, ...] = ()) -> Answer:
        """The verdict about a connection."""
        egress = self._decide(Direction.EGRESS, traffic)
        ingress = self._decide(Direction.INGRESS, traffic)
        return Answer(
            source=traffic.source.name,
            destination=traffic.destination.name,
            port=traffic.number,
            protocol=traffic.protocol,
            verdict=both(egress.verdict, ingress.verdict),
            egress=egress,
            ingress=ingress,
            notes=notes,
        )

    def profile(self, pods: Pods, direction: Direction) -> Profile:
        """The policies that apply to pods."""
        key = (id(pods), direction)
        remembered = self._profiles.get(key)
        if remembered is None:
            remembered = self._profiles[key] = (pods, self._selected(pods, direction))
        return remembered[1]

    def _selected(self, pods: Pods, direction: Direction) -> Profile:
        name = pods.namespace.name
        selected: list[Selected] = []
        for policy in _in_scope(self._by_namespace, name):
            if policy.rules(direction) is None:
                continue
            truth = selects(policy.subject, policy.namespace, pods)
            if truth is not NO:
                selected.append((policy, truth))
        return Profile.of(selected, _in_scope(self._opaque, name))

    def missing(self, traffic: Traffic) -> tuple[str, ...]:
        """Which information is missing for a verdict that is unknown, without evidence."""
        found: dict[str, None] = {}
        for direction in (Direction.EGRESS, Direction.INGRESS):
            case, verdict = self._case(direction, traffic)
            if case is not None and verdict is Verdict.UNKNOWN:
                found.update(dict.fromkeys(case.missing()))
        return tuple(found)

    def _decide(self, direction: Direction, traffic: Traffic) -> Decision:
        case, verdict = self._case(direction, traffic)
        if case is not None:
            return case.decision(verdict)
        subject = traffic.destination if direction is Direction.INGRESS else traffic.source
        reason = _ITSELF if _is_itself(traffic) else f"policies restrict pods only, and {subject.name} is not a pod"
        evidence = Evidence(direction=direction, effect="allows", reason=reason)
        return Decision(direction=direction, verdict=verdict, evidence=(evidence,))

    def _case(self, direction: Direction, traffic: Traffic) -> tuple[Case | None, Verdict]:
        """One side of a connection; None for what no policy restricts: other ends than pods, and a pod with itself."""
        ends = (traffic.destination, traffic.source)
        subject, other = ends if direction is Direction.INGRESS else ends[::-1]
        if subject.pods is None or _is_itself(traffic):
            return None, Verdict.ALLOWED
        profile = self.profile(subject.pods, direction)
        observed: list[tuple[Policy, Rule | None, Truth]] = []

        def match(policy: Policy, rule: Rule) -> tuple[int, int]:
            truth = min(self._peers(policy, rule, other), _ports(rule, traffic))
            return int(truth is YES), int(truth is MAYBE)

        outcome = evaluate(
            profile, direction, match, everything=1, nothing=0, observe=lambda *item: observed.append(item)
        )
        exempt, why = _exempt(subject, other)
        case = Case(
            direction=direction,
            traffic=traffic,
            subject=subject,
            other=other,
            profile=profile,
            observed=observed,
            outcome=outcome,
            exempt=why if exempt is not NO else "",
            matcher=self.matcher,
        )
        return case, _verdict(outcome, exempt)

    def _peers(self, policy: Policy, rule: Rule, other: Endpoint) -> Truth:
        if rule.peers is None:
            return YES
        return max(self.matcher.peer(peer, policy.namespace, other) for peer in rule.peers)


def _in_scope(policies: dict[str | None, list[P]], namespace: str) -> list[P]:
    """The policies of a namespace, without a name of any, and those of the whole cluster."""
    if not namespace:
        return [policy for each in policies.values() for policy in each]
    return [*policies.get(namespace, ()), *policies.get(None, ())]


def _ports(rule: Rule, traffic: Traffic) -> Truth:
    if rule.ports is None:
        return YES
    return max(port(match, traffic.protocol, traffic.number, traffic.destination) for match in rule.ports)


def both(first: Verdict, second: Verdict) -> Verdict:
    """The verdict about traffic that has to pass two sides."""
    if Verdict.DENIED in {first, second}:
        return Verdict.DENIED
    return Verdict.UNKNOWN if Verdict.UNKNOWN in {first, second} else Verdict.ALLOWED


def _verdict(outcome: Outcome[int], exempt: Truth) -> Verdict:
    """One side's verdict; the API exempts some traffic from NetworkPolicies, and does not say so of admin policies."""
    allow, deny = outcome.allow, outcome.deny
    if exempt is YES and deny:
        allow, deny = 1, 0
    if exempt and (deny or outcome.deny_by_admin):
        allow = 1
    if not (deny or outcome.deny_by_admin):
        return Verdict.ALLOWED
    return Verdict.UNKNOWN if allow else Verdict.DENIED


def _is_itself(traffic: Traffic) -> bool:
    """Whether a pod connects to its own address: no policy of any tier restricts that."""
    return bool(traffic.source.single) and traffic.source.single == traffic.destination.single


def _exempt(subject: Endpoint, other: Endpoint) -> tuple[Truth, str]:
    """Whether NetworkPolicies do not restrict this traffic at all, and why."""
    pods = subject.pods
    if pods is None or pods.host_network:
        return NO, ""
    if other.kind is Kind.NODE:
        known = {address for address in pods.node_addresses if address in other.addresses}
        if subject.single and pods.node_addresses and other.addresses:
            return (YES if known else NO), _OWN_NODE
        return MAYBE, _OWN_NODE
    if other.pods is not None and other.pods.host_network:
        return MAYBE, _OWN_NODE
    return NO, ""
