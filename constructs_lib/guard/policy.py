"""The shape of one policy of the guard, as plain data. Imports no jsii."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
WRITE: Final = (CREATE, UPDATE)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold for an object.

    Args:
        holds: CEL expression.
        otherwise: the message of a refusal: the field, the rule and the allowed form.
        details: CEL expression of a message, for one that depends on the object. Default: none.
    """

    holds: str
    otherwise: str
    details: str = ""

    def manifest(self) -> dict[str, str]:
        """The entry of `spec.validations`."""
        details = {"messageExpression": self.details} if self.details else {}
        return {"expression": self.holds, "message": self.otherwise, **details}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A ValidatingAdmissionPolicy.

    Args:
        name: name of the policy and of its binding, after the prefix.
        resources: resources by API group; every version of the group.
        rules: what must hold.
        operations: operations that are checked. Default: create and update.
        variables: CEL expressions that the rules use, by name.
        restricts_controllers: whether the exempt groups and users are restricted, too.
    """

    name: str
    resources: Mapping[str, Sequence[str]]
    rules: Sequence[Rule]
    operations: Sequence[str] = WRITE
    variables: Mapping[str, str] = field(default_factory=dict)
    restricts_controllers: bool = False

    def matches(self) -> list[dict[str, Any]]:
        """The entries of `spec.matchConstraints.resourceRules`."""
        return [
            {
                "apiGroups": [group],
                "apiVersions": ["*"],
                "operations": list(self.operations),
                "resources": list(names),
            }
            for group, names in self.resources.items()
        ]
