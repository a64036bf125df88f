"""The order of evaluation, for sets of other sides at once: admin policies, NetworkPolicies, baseline policies.

A set is anything with `|`, `&` and `~`: an integer whose bits stand for pods, or `Addresses`. Each member of the set
may end up allowed, denied, or both: then the input does not decide.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, Protocol, Self, TypeVar

from audit.model.policies import Action, Direction, OpaquePolicy, Policy, Rule, Tier
from audit.model.truth import MAYBE, NO, YES, Truth


class Members(Protocol):
    """A set of other sides."""

    def __or__(self, other: Self, /) -> Self: ...
    def __and__(self, other: Self, /) -> Self: ...
    def __invert__(self) -> Self: ...
    def __bool__(self) -> bool: ...


S = TypeVar("S", bound=Members)
Selected = tuple[Policy, Truth]
"""A policy, and whether it selects the pods in question: YES or MAYBE."""
Match = Callable[[Policy, Rule], tuple[Any, Any]]
"""Gives the members that a rule certainly matches, and those that it may match."""
Observe = Callable[[Policy, Rule | None, Truth], None]
"""Hears of every rule that applies, with whether it certainly does; of None for a policy that isolates."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The policies that apply to pods in one direction.

    Attributes:
        admin: Policies of the admin tier, those of equal priority together.
        network: NetworkPolicies.
        baseline: Policies of the baseline tier, those of equal priority together.
        opaque: Policies that are not evaluated.
    """

    admin: tuple[tuple[Selected, ...], ...] = ()
    network: tuple[Selected, ...] = ()
    baseline: tuple[tuple[Selected, ...], ...] = ()
    opaque: tuple[OpaquePolicy, ...] = ()

    @classmethod
    def of(cls, selected: Iterable[Selected], opaque: Iterable[OpaquePolicy]) -> "Profile":
        """Policies in the order of evaluation."""
        tiers: dict[Tier, list[Selected]] = {tier: [] for tier in Tier}
        for policy, truth in selected:
            tiers[policy.tier].append((policy, truth))
        return cls(
            _by_priority(tiers[Tier.ADMIN]),
            tuple(tiers[Tier.NETWORK]),
            _by_priority(tiers[Tier.BASELINE]),
            tuple(opaque),
        )


def _by_priority(policies: list[Selected]) -> tuple[tuple[Selected, ...], ...]:
    ordered = sorted(policies, key=lambda each: each[0].priority)
    return tuple(tuple(group) for _priority, group in groupby(ordered, key=lambda each: each[0].priority))


@dataclass(slots=True)
class Outcome(Generic[S]):
    """Which members may be allowed, and which may be denied.

    Attributes:
        allow: May be allowed.
        deny: May be denied by NetworkPolicies.
        deny_by_admin: May be denied by a policy of the admin or baseline tier.
    """

    allow: S
    deny: S
    deny_by_admin: S


@dataclass(slots=True)
class _Evaluation(Generic[S]):
    direction: Direction
    match: Match
    nothing: S
    observe: Observe
    outcome: Outcome[S] = field(init=False)

    def __post_init__(self) -> None:
        self.outcome = Outcome(self.nothing, self.nothing, self.nothing)

    def rules(self, policy: Policy) -> Iterable[tuple[Rule, S, S]]:
        """The rules of a policy with what they match, certainly or perhaps, where the policy selects the pods."""
        for rule in policy.rules(self.direction) or ():
            yes, maybe = self.match(policy, rule)
            yield rule, yes, maybe

    def ordered(self, groups: Sequence[Sequence[Selected]], live: S) -> tuple[S, S]:
        """An ordered tier: the members that no rule certainly matches, and those that a rule may pass on."""
        passed = self.nothing
        for group in groups:
            left = live
            for policy, truth in group:
                # Of several policies of equal priority the implementation may apply any: each sees all members.
                mine = live
                for rule, yes, maybe in self.rules(policy):
                    hit = mine & (yes | maybe)
                    if not hit:
                        continue
                    self.observe(policy, rule, min(truth, YES if mine & yes else MAYBE))
                    if rule.action is Action.ALLOW:
                        self.outcome.allow = self.outcome.allow | hit
                    elif rule.action is Action.DENY:
                        self.outcome.deny_by_admin = self.outcome.deny_by_admin | hit
                    else:
                        passed = passed | hit
                    mine = mine & ~yes
                if truth is YES:
                    left = left & mine
            live = left
        return live, passed

    def network(self, policies: Sequence[Selected], live: S) -> S:
        """NetworkPolicies: any rule allows; returns the members that no policy may restrict."""
        if not policies or not live:
            return live
        isolated = any(truth is YES for _policy, truth in policies)
        may_allow, allows = self.nothing, self.nothing
        every_one_allows = live
        for policy, truth in policies:
            self.observe(policy, None, truth)
            certain = self.nothing
            for rule, yes, maybe in self.rules(policy):
                hit = live & (yes | maybe)
                if hit:
                    self.observe(policy, rule, min(truth, YES if live & yes else MAYBE))
                    may_allow = may_allow | hit
                    certain = certain | yes
            every_one_allows = every_one_allows & certain
            if truth is YES:
                allows = allows | certain
        self.outcome.allow = self.outcome.allow | may_allow
        # Where no policy certainly isolates, any one of them may be the only one that does.
        self.outcome.deny = self.outcome.deny | (live & ~(allows if isolated else every_one_allows))
        return self.nothing if isolated else live


def evaluate(
    profile: Profile,
    direction: Direction,
    match: Match,
    *,
    everything: S,
    nothing: S,
    observe: Observe = lambda _policy, _rule, _truth: None,
) -> Outcome[S]:
    """Which members of a set may be allowed, and which may be denied, by the policies of one side.

    Args:
        profile: The policies that apply.
        direction: The side.
        match: What a rule matches.
        everything: The set of all members.
        nothing: The empty set.
        observe: Hears of every policy and rule that applies.
    """
    if profile.opaque:
        return Outcome(everything, everything, everything)
    run = _Evaluation(direction, match, nothing, observe)
    live, passed = run.ordered(profile.admin, everything)
    live = run.network(profile.network, live | passed)
    live, passed = run.ordered(profile.baseline, live)
    run.outcome.allow = run.outcome.allow | live | passed
    return run.outcome


__all__ = ["MAYBE", "NO", "YES", "Match", "Observe", "Outcome", "Profile", "Selected", "evaluate"]
