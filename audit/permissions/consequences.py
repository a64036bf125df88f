"""What a permission amounts to: the consequences that follow from a rule."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from audit.model.consequence import Consequence
from audit.model.finding import Severity
from audit.model.permissions import ANY, PolicyRule
from audit.permissions.catalog import CONSEQUENCES, EVERYTHING

ALL: Final = {each.name: each for each in (EVERYTHING, *CONSEQUENCES)}
"""By name."""


def of_rule(rule: PolicyRule, *, cluster_wide: bool) -> Iterator[tuple[Consequence, Severity]]:
    """What follows from a rule, with its severity.

    Args:
        rule: The rule.
        cluster_wide: Whether it holds in every namespace.
    """
    for each in _following(rule):
        yield each, each.severity.worse() if cluster_wide else each.severity


@lru_cache(maxsize=65536)
def _following(rule: PolicyRule) -> tuple[Consequence, ...]:
    """What follows from a rule; a thousand tenants have equal ones."""
    return (EVERYTHING,) if unlimited(rule) else tuple(each for each in CONSEQUENCES if each.follows_from(rule))


def unlimited(rule: PolicyRule) -> bool:
    """Whether a rule allows everything with every resource."""
    return all(ANY in each for each in (rule.verbs, rule.groups, rule.resources)) and not rule.names
