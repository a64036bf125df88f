"""Who reaches whom, in the form that every format prints."""

from collections.abc import Iterator

from msgspec import Struct

from audit.cluster import Cluster
from audit.engine import bits
from audit.engine.answer import Verdict
from audit.engine.endpoints import Traffic
from audit.engine.groups import Groups
from audit.engine.outside import Outside
from audit.engine.reach import Flow
from audit.errors import EndpointError
from audit.model.addresses import Addresses
from audit.model.policies import Direction
from audit.reports import words

SCHEMA = "tenantry.dev/audit/reach/v1"
OWN_NAMESPACE = "its own namespace"
EVERYTHING = "every workload"
_MANY = 12
"""With more groups than this, what a source reaches alike becomes one line."""
_NAMED = 4
"""Up to so many members are named in a label."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which lines to show.

    Attributes:
        source: Reference of the source, or None for all.
        destination: Reference of the destination, or an address, or None for all.
        port: Port to show, or None for all.
        protocol: Its protocol.
        namespace: Namespace that the source or the destination is in, or None for all.
        new_pods: Whether to show pods that do not exist yet.
    """

    source: str | None = None
    destination: str | None = None
    port: int | None = None
    protocol: str = "TCP"
    namespace: str | None = None
    new_pods: bool = False


class Line(Struct, frozen=True, rename="camel", kw_only=True):
    """What the members of a group reach alike.

    Attributes:
        destination: What is reached, in words.
        verdict: allowed or unknown; what is denied has no line.
        ports: The ports, as in TCP 80-90.
        members: References of what is reached, seen from the group's first member; empty for addresses, and where
            it is shorter to list what is not reached.
        excluded: References of all that is not reached, where `members` is empty for that reason.
        cidrs: The smallest set of CIDRs that is reached; empty for pods.
        missing: For an unknown, which information is missing.
    """

    destination: str
    verdict: Verdict
    ports: list[str]
    members: list[str] = []
    excluded: list[str] = []
    cidrs: list[str] = []
    missing: list[str] = []


class Source(Struct, frozen=True, rename="camel", kw_only=True):
    """A group with what it reaches.

    Attributes:
        label: Its one member, or the pattern of names that its members share.
        members: References of its members.
        reaches: What it reaches; everything else is denied.
    """

    label: str
    members: list[str]
    reaches: list[Line]


class ReachReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Who reaches whom.

    Attributes:
        schema: Name and version of this form.
        workloads: Number of workloads.
        namespaces: Number of namespaces.
        policies: Number of policies that are evaluated.
        unsupported: Policies that are not evaluated, in words: they make verdicts unknown.
        problems: What is invalid in the input.
        sources: Groups of equal behaviour, with what they reach.
    """

    schema: str = SCHEMA
    workloads: int
    namespaces: int
    policies: int
    unsupported: list[str]
    problems: list[str]
    sources: list[Source]


def reach_report(cluster: Cluster, wanted: Filter) -> ReachReport:
    """Who reaches whom in a cluster.

    Args:
        cluster: The cluster.
        wanted: Which lines to show.

    Raises:
        EndpointError: The filter names what the input does not hold.
    """
    inventory = cluster.inventory
    writer = ReachWriter(cluster, wanted)
    return ReachReport(
        workloads=len(inventory.workloads),
        namespaces=len(inventory.namespaces),
        policies=len(inventory.policies),
        unsupported=[f"{each}: {each.reason}" for each in inventory.opaque],
        problems=[str(problem) for problem in cluster.problems],
        sources=list(writer.sources()),
    )


class ReachWriter:
    """Turns flows into lines.

    Attributes:
        reach: Who reaches whom, by classes.
        groups: The groups of classes.
    """

    def __init__(self, cluster: Cluster, wanted: Filter) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self.reach = cluster.reach()
        self._outside = Outside(self.reach.ports, cluster.judge, cluster.assumptions)
        self.groups = Groups(self.reach, self._outside, new_pods=wanted.new_pods or _asks_for_new_pods(wanted))
        self._from = self._classes(wanted.source) if wanted.source else self.groups.shown
        self._to, self._addresses = self._destinations(wanted.destination)
        self._inside = self._namespace(wanted.namespace)
        one = self.reach.ports.one(wanted.protocol, wanted.port) if wanted.port else 0
        self._ports = one or self.reach.ports.everything

    def sources(self) -> Iterator[Source]:
        """Groups with what they reach; groups without a line under a filter are left out."""
        narrowed = self._wanted != Filter(new_pods=self._wanted.new_pods)
        for group in self.groups.all:
            classes = group.classes & self._from
            if not classes:
                continue
            first = next(bits.members(classes))
            lines = [*self._lines(first), *self._outside_lines(first)]
            if lines or not narrowed:
                members = self.groups.members(classes)
                label = members[0] if len(members) == 1 else group.label
                yield Source(label=label, members=members, reaches=lines)

    def _lines(self, source: int) -> Iterator[Line]:
        within = self._to if (1 << source) & self._inside else self._to & self._inside
        for flow in self.reach.flows(source):
            reached = flow.destinations & within
            if reached:
                yield from self._flow(source, flow, reached, within)

    def _flow(self, source: int, flow: Flow, reached: int, within: int) -> Iterator[Line]:
        """The lines of what is reached alike: everything, all but a few, or its own namespace and groups."""
        own = self.groups.own(source)
        if reached == self.groups.shown:
            yield from self._both(source, flow, reached, EVERYTHING)
            return
        if reached.bit_count() > max(_MANY, self.groups.shown.bit_count() // 2):
            label = f"{EVERYTHING} but {len(self.groups.members(within & ~reached))}"
            yield from self._both(source, flow, reached, label, within & ~reached)
            return
        if reached & own:
            whole = reached & own == own
            yield from self._both(source, flow, reached & own, OWN_NAMESPACE if whole else self._label(reached & own))
        others = reached & ~own
        hit = self.groups.of(others)
        if len(hit) > _MANY:
            yield from self._both(source, flow, others, self._label(others))
            return
        for group in hit:
            found = others & group.classes
            whole = found == group.classes & ~own
            yield from self._both(source, flow, found, group.label if whole else self._label(found))

    def _both(self, source: int, flow: Flow, reached: int, label: str, excluded: int = 0) -> Iterator[Line]:
        """The line of what is allowed, and that of what is unknown."""
        space = self.reach.ports
        members = [] if excluded else self.groups.members(reached)
        for verdict, ports in ((Verdict.ALLOWED, flow.allowed), (Verdict.UNKNOWN, flow.unknown)):
            mask = ports & self._ports
            if mask:
                missing = self._missing(source, next(bits.members(reached)), mask) if verdict is Verdict.UNKNOWN else []
                yield Line(
                    destination=label,
                    verdict=verdict,
                    ports=words.ports(space.ranges(mask), self._asked()),
                    members=members,
                    excluded=self.groups.members(excluded),
                    missing=missing,
                )

    def _outside_lines(self, source: int) -> Iterator[Line]:
        if not self._addresses or not (1 << source) & self._inside:
            return
        for cell in self._outside.cells(self.reach.classes[source].endpoint, Direction.EGRESS):
            mask = cell.ports & self._ports
            ports = words.ports(self.reach.ports.ranges(mask), self._asked()) if mask else []
            certain = cell.certain & self._addresses
            unknown = cell.possible & ~cell.certain & self._addresses
            for verdict, addresses in ((Verdict.ALLOWED, certain), (Verdict.UNKNOWN, unknown)):
                if addresses and mask:
                    label = words.addresses(addresses)
                    yield Line(destination=label, verdict=verdict, ports=ports, cidrs=addresses.cidrs())

    def _missing(self, source: int, destination: int, mask: int) -> list[str]:
        one = self.reach.ports.ranges(mask)[0]
        ends = self.reach.classes[source].endpoint, self.reach.classes[destination].endpoint
        return list(self._cluster.judge.missing(Traffic(*ends, one.protocol, one.low)))

    def _label(self, classes: int) -> str:
        members = self.groups.members(classes)
        more = f" and {len(members) - _NAMED} more" if len(members) > _NAMED else ""
        return ", ".join(members[:_NAMED]) + more

    def _asked(self) -> tuple[str, int] | None:
        return (self._wanted.protocol, self._wanted.port) if self._wanted.port else None

    def _destinations(self, reference: str | None) -> tuple[int, Addresses]:
        if reference is None:
            return self.groups.shown, self._outside.everything
        network = words.network(reference)
        if network is not None:
            return 0, network
        return self._classes(reference), Addresses()

    def _namespace(self, name: str | None) -> int:
        if name is None:
            return self.groups.shown
        self._cluster.references.check_namespace(name)
        return self.reach.universe.in_namespace(name) & self.groups.shown

    def _classes(self, reference: str) -> int:
        """The classes of a reference."""
        ends = {end.name for end in self._cluster.references.endpoints(reference)}
        found = bits.of(
            number
            for number, each in enumerate(self.reach.classes)
            if each.endpoint.name in ends or any(workload.reference in ends for workload in each.workloads)
        )
        if not found & self.groups.shown:
            raise EndpointError(f"{reference!r} is not a workload of the input; 'audit explain' answers about it")
        return found & self.groups.shown


def _asks_for_new_pods(wanted: Filter) -> bool:
    return any(reference is not None and reference.endswith("/*") for reference in (wanted.source, wanted.destination))
