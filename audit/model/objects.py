"""Objects as they stand in the input, for the parts of the audit that read their fields themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.model.place import Place


@dataclass(frozen=True, slots=True)
class Object:
    """An object with its identity.

    Attributes:
        group: API group.
        kind: Kind.
        version: API version.
        namespace: Its namespace, or empty for an object of the whole cluster.
        name: Its name.
        data: The object.
        place: Where it stands.
    """

    group: str
    kind: str
    version: str
    namespace: str
    name: str
    data: dict[str, Any] = field(compare=False, repr=False)
    place: Place = field(compare=False, repr=False)

    @property
    def reference(self) -> str:
        """How messages name it, as in "Role tenant-a/reader"."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def at(self, *path: str | int) -> Any:
        """The value that a path leads to, or None where a step of it does not exist."""
        value: Any = self.data
        for step in path:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and 0 <= step < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping of the input; empty where there is none."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list of the input; empty where there is none."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """A list of mappings of the input; what is not a mapping counts as an empty one."""
    return [mapping(each) for each in listed(value)]
