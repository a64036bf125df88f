"""Paths between tenants in the form that every format prints: the same path to many tenants is one entry."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from audit.cluster import Cluster
from audit.contract import Contract, connects
from audit.errors import AuditError
from audit.model.finding import general
from audit.paths import Paths, Step, Way

SCHEMA: Final = "tenantry.dev/audit/paths/v1"
ENOUGH: Final = 10_000
"""After this many paths, the tenants are clearly not isolated, and the remaining ones are not searched."""


class Result(StrEnum):
    """What was found."""

    NONE = "none"
    POSSIBLE = "possible"
    FOUND = "found"


class Line(Struct, frozen=True, rename="camel", kw_only=True):
    """A line that makes a step possible.

    Attributes:
        reason: What it says, in words; may be empty.
        file: Its file, or empty where the absence of something decides.
        line: Its line, from 1; 0 for an object of a cluster.
        text: Its text.
    """

    reason: str
    file: str
    line: int
    text: str


class StepLine(Struct, frozen=True, rename="camel", kw_only=True):
    """A step of a path.

    Attributes:
        source: What somebody has before it.
        target: What somebody has after it.
        rule: Stable name of what makes it possible.
        sentence: Why it is possible.
        certain: Whether the input decides that it is.
        documentation: Documentation that the rule follows, or empty.
        evidence: The lines.
    """

    source: str
    target: str
    rule: str
    sentence: str
    certain: bool
    documentation: str
    evidence: list[Line]


class Path(Struct, frozen=True, rename="camel", kw_only=True):
    """A path.

    Attributes:
        certain: Whether the input decides that every step is possible.
        start: Where it begins.
        end: Where it leads.
        namespace: The namespace in which it ends.
        steps: Its steps, in order.
        also: The same path between other namespaces: where each begins and ends.
    """

    certain: bool
    start: str
    end: str
    namespace: str
    steps: list[StepLine]
    also: list[str]


class Plane(Struct, frozen=True, rename="camel", kw_only=True):
    """A kind of way that was searched.

    Attributes:
        name: Its name.
        searched: What was looked at: how many of what.
        unknown: What the input does not say, in words.
    """

    name: str
    searched: dict[str, int]
    unknown: list[str]


class PathsReport(Struct, frozen=True, rename="camel", kw_only=True):
    """The shortest paths from one tenant to others, or between tenants.

    Attributes:
        schema: Name and version of this form.
        sources: Namespaces in which paths begin.
        targets: Namespaces in which paths may end.
        starts: Number of pods, accounts and manifests in which paths begin.
        result: found, possible (a path has a step that the input does not decide), or none.
        paths: The paths, those that are certain first, then the shortest first.
        planes: What was searched.
        unsearched: Tenants from which no path was searched, because enough were found from others.
        problems: What is invalid in the input.
    """

    schema: str = SCHEMA
    sources: list[str]
    targets: list[str]
    starts: int
    result: Result
    paths: list[Path]
    planes: list[Plane]
    unsearched: list[str]
    problems: list[str]


def paths_report(cluster: Cluster, sources: Sequence[str], targets: Sequence[str]) -> PathsReport:
    """The report of paths from one tenant.

    Args:
        cluster: The cluster, read in detail.
        sources: Namespaces of the tenant that begins.
        targets: Namespaces in which paths may end; every other one if empty.

    Raises:
        AuditError: A namespace is not in the input, or is on both sides.
    """
    for each in (*sources, *targets):
        cluster.references.check_namespace(each)
    both = [each for each in targets if each in sources]
    if both:
        raise AuditError(f"--from and --to name the same namespace {both[0]}: paths lead from one tenant to another")
    paths = Paths(cluster)
    wanted = list(dict.fromkeys(targets or paths.others(sources)))
    return _report(cluster, paths, sources, wanted, paths.find(sources, wanted))


def paths_between(cluster: Cluster, contract: Contract) -> PathsReport:
    """The report of paths from every tenant of a contract to every other one.

    Traffic in one step between tenants that the contract allows to connect is left out. After ENOUGH paths, no more
    tenants are searched.

    Args:
        cluster: The cluster, read in detail.
        contract: The contract.
    """
    paths = Paths(cluster)
    owner = {space: tenant for tenant in contract.spec.tenants for space in tenant.spaces}
    found: list[Way] = []
    unsearched: list[str] = []
    for tenant in contract.spec.tenants:
        if len(found) >= ENOUGH:
            unsearched.append(tenant.name)
            continue
        others = [space for space in owner if owner[space] is not tenant]
        found += [
            way
            for way in paths.find(tenant.spaces, others)
            if not (_is_traffic(way) and connects(tenant, owner[way.end.namespace]))
        ]
    found.sort(key=lambda each: (not each.certain, len(each.steps)))
    return _report(cluster, paths, list(owner), list(owner), found, unsearched=unsearched)


def _is_traffic(way: Way) -> bool:
    return [each.rule for each in way.steps] == ["network"]


def _report(
    cluster: Cluster,
    paths: Paths,
    sources: Sequence[str],
    targets: Sequence[str],
    found: Sequence[Way],
    *,
    unsearched: Sequence[str] = (),
) -> PathsReport:
    groups: dict[object, list[Way]] = {}
    for way in found:
        groups.setdefault(_pattern(way), []).append(way)
    result = Result.NONE
    if found:
        result = Result.FOUND if found[0].certain else Result.POSSIBLE
    return PathsReport(
        sources=list(sources),
        targets=list(targets),
        starts=len(paths.starts(sources)),
        result=result,
        paths=[_path(group) for group in groups.values()],
        planes=[
            Plane(name=each.plane, searched=dict(each.what), unknown=list(each.unknown)) for each in paths.searched
        ],
        unsearched=list(unsearched),
        problems=[str(problem) for problem in cluster.problems],
    )


def _pattern(way: Way) -> tuple[object, ...]:
    """What a way has in common with the same one between other namespaces."""

    def alike(text: object) -> str:
        return general(general(str(text), way.end.namespace), way.start.namespace)

    steps = ((each.rule, alike(each.sentence), alike(each.target)) for each in way.steps)
    return way.certain, alike(way.start), tuple(steps)


def _path(group: list[Way]) -> Path:
    first = group[0]
    sources = [str(first.start), *(str(each.target) for each in first.steps)]
    return Path(
        certain=first.certain,
        start=str(first.start),
        end=str(first.end),
        namespace=first.end.namespace,
        steps=[_step(source, step) for source, step in zip(sources, first.steps, strict=False)],
        also=[f"{each.start} to {each.end}" for each in group[1:]],
    )


def _step(source: str, step: Step) -> StepLine:
    lines = dict.fromkeys(step.evidence())
    return StepLine(
        source=source,
        target=str(step.target),
        rule=step.rule,
        sentence=step.sentence,
        certain=step.certain,
        documentation=step.source,
        evidence=[Line(reason=each.reason, file=each.file, line=each.line, text=each.text) for each in lines],
    )
