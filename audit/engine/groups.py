"""Classes that behave alike: they reach the same, and let the same in, once each is seen from its own namespace.

A thousand tenants with the same policies are one group: each reaches "its own namespace" and the same others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.engine import bits
from audit.engine.outside import Outside
from audit.engine.reach import Reach
from audit.model.policies import Direction

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Group:
    """Classes that behave alike.

    Attributes:
        number: Its number, from 0.
        classes: Its classes, as a set.
        label: Its name: of its one member, or the pattern of names that its members share.
        members: References of its members: workloads, or NAMESPACE/* for new pods.
    """

    number: int
    classes: int
    label: str
    members: tuple[str, ...]


class Groups:
    """The groups of a cluster.

    Attributes:
        all: The groups, in order of the input.
        shown: Every class that is in a group.
    """

    def __init__(self, reach: Reach, outside: Outside, *, new_pods: bool = False) -> None:
        self._reach = reach
        self._outside = outside
        self._own: dict[str, int] = {}
        self.shown = bits.of(
            number
            for number, each in enumerate(reach.classes)
            if each.workloads or (new_pods and each.endpoint.pods is not None)
        )
        self._members: dict[int, list[str]] = {}
        self._names = [
            [workload.reference for workload in each.workloads] or [each.endpoint.name] for each in reach.classes
        ]
        found: dict[object, list[int]] = {}
        for number in bits.members(self.shown):
            found.setdefault(self._behaviour(number), []).append(number)
        self.all = [self._group(number, classes) for number, classes in enumerate(found.values())]
        self._number = {each: group.number for group in self.all for each in bits.members(group.classes)}

    def own(self, number: int) -> int:
        """The classes in the namespace of a class."""
        pods = self._reach.classes[number].endpoint.pods
        name = pods.namespace.name if pods else ""
        if name not in self._own:
            self._own[name] = self._reach.universe.in_namespace(name) & self.shown
        return self._own[name]

    def members(self, classes: int) -> list[str]:
        """References of what is in some classes."""
        found = self._members.get(classes)
        if found is None:
            names = (name for number in bits.members(classes) for name in self._names[number])
            found = self._members[classes] = list(dict.fromkeys(names))
        return found

    def of(self, classes: int) -> list[Group]:
        """The groups that some classes are in."""
        numbers = sorted({self._number[each] for each in bits.members(classes)})
        return [self.all[number] for number in numbers]

    def roles(self, number: int) -> list[str]:
        """Names of what is in a class, with `*` for the namespace's name in them."""
        each = self._reach.classes[number]
        if not each.workloads:
            return ["(new pods)"]
        return sorted({one.name.replace(one.namespace, "*") for one in each.workloads})

    def _group(self, number: int, classes: list[int]) -> Group:
        members = self.members(bits.of(classes))
        if len(members) == 1:
            return Group(number, bits.of(classes), members[0], tuple(members))
        roles = {role for each in classes for role in self.roles(each)}
        spaces = {member.partition("/")[0] for member in members}
        space = spaces.pop() if len(spaces) == 1 else "*"
        name = roles.pop() if len(roles) == 1 else "(several)"
        return Group(number, bits.of(classes), f"{space}/{name}", tuple(members))

    def _behaviour(self, number: int) -> tuple[object, ...]:
        """What tells a class from others, seen from its own namespace."""
        each = self._reach.classes[number]
        flows = frozenset(
            (flow.allowed, flow.unknown, self._seen(flow.destinations, number)) for flow in self._reach.flows(number)
        )
        ingress = frozenset(
            (cell.ports, self._seen(cell.certain, number), self._seen(cell.possible, number))
            for cell in self._reach.ingress[number]
        )
        outside = tuple(self._outside.cells(each.endpoint, direction) for direction in Direction)
        pods = each.endpoint.pods
        return flows, ingress, outside, bool(each.workloads), pods is not None and pods.host_network

    def _seen(self, classes: int, number: int) -> tuple[object, ...]:
        """A set of classes without naming the class's own namespace."""
        classes &= self.shown
        own = self.own(number)
        inside, outside = classes & own, classes & ~own
        relation: object = _ALL if inside == own else frozenset(self._relative(inside, number))
        rest = self.shown & ~own
        # Of "these" and "all but these" the smaller set, so that pods that reach everything are alike.
        if outside.bit_count() * 2 > rest.bit_count():
            return relation, "except", rest & ~outside
        return relation, "only", outside

    def _relative(self, classes: int, number: int) -> Iterator[tuple[str, ...]]:
        for each in bits.members(classes):
            yield ("itself",) if each == number else tuple(self.roles(each))
