"""What somebody with a permission can do."""

from dataclasses import dataclass

from audit.model.finding import Severity
from audit.model.permissions import PolicyRule


@dataclass(frozen=True, slots=True)
class Consequence:
    """What somebody with a permission can do.

    Attributes:
        name: Its stable name.
        severity: How bad it is within one namespace; for the whole cluster it is one step worse.
        sentence: What the holder can do.
        source: Where it is documented.
        requests: The requests of which one is enough: verbs, API group, resource, subresource.
    """

    name: str
    severity: Severity
    sentence: str
    source: str
    requests: tuple[tuple[tuple[str, ...], str, str, str], ...]

    def follows_from(self, rule: PolicyRule) -> bool:
        """Whether a rule of a role is enough for it."""
        return any(
            rule.may_allow(verb, group, resource, part)
            for verbs, group, resource, part in self.requests
            for verb in verbs
        )
