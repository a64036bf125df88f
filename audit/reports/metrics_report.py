"""Who scrapes whom and who reads the metrics, in the form that every format prints."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from audit.metrics import Metrics, Query
from audit.metrics.routes import strategy
from audit.model.finding import general
from audit.model.objects import Object
from audit.model.truth import NO, YES
from audit.reports.findings_report import Entry, entries
from audit.wiring.selection import SELECTED_BY, takes

SCHEMA: Final = "tenantry.dev/audit/metrics/v1"
_SETTINGS: Final = ("enforcedNamespaceLabel", "overrideHonorLabels", "ignoreNamespaceSelectors", "listenLocal")


class Line(Struct, frozen=True, rename="camel", kw_only=True):
    """An object, and where it stands.

    Attributes:
        subject: The object, or who asks.
        file: Its file.
        line: Its line, from 1; 0 for an object of a cluster.
    """

    subject: str
    file: str
    line: int


class Selected(Struct, frozen=True, rename="camel", kw_only=True):
    """Monitors, rules or alert routes that are selected alike.

    Attributes:
        label: What they are; with `*` for the name of the namespace if there are several.
        selected: yes, no, or unknown.
        scrape: For monitors: allowed, denied or unknown, as the policies say of their targets; empty without targets.
        receivers: For alert routes: the names of the receivers.
        members: The objects.
    """

    label: str
    selected: str
    scrape: str
    receivers: list[str]
    members: list[Line]


class Reader(Struct, frozen=True, rename="camel", kw_only=True):
    """Who can ask a Prometheus, alike.

    Attributes:
        label: Who; with `*` for the name of the namespace if there are several.
        way: network, service, route or permission.
        verdict: allowed or unknown.
        text: What makes it possible.
        members: Each of them, with the line that makes it possible.
    """

    label: str
    way: str
    verdict: str
    text: str
    members: list[Line]


class Server(Struct, frozen=True, rename="camel", kw_only=True):
    """A Prometheus or an Alertmanager.

    Attributes:
        kind: Prometheus or Alertmanager.
        reference: Kind and name.
        file: File of the object, or of the values that it is made of.
        line: Its line.
        settings: Settings that decide what monitors and routes may do, as in "enforcedNamespaceLabel namespace".
        selects: What it selects.
        readers: For a Prometheus: who outside its namespace can ask it, and so read the metrics of all.
    """

    kind: str
    reference: str
    file: str
    line: int
    settings: list[str]
    selects: list[Selected]
    readers: list[Reader]


class MetricsReport(Struct, frozen=True, rename="camel", kw_only=True):
    """Who scrapes whom, and who can read and forge which metrics.

    Attributes:
        schema: Name and version of this form.
        servers: The Prometheus and Alertmanager objects.
        others: What none of them selects, or, without one in the input, of which that is unknown.
        missing: What the input lacks for an answer.
        entries: What should not be so, the worst first.
        problems: What is invalid in the input.
    """

    schema: str = SCHEMA
    servers: list[Server]
    others: list[Selected]
    missing: list[str]
    entries: list[Entry]
    problems: list[str]


def metrics_report(plane: Metrics, namespace: str | None = None) -> MetricsReport:
    """The report of a plane.

    Args:
        plane: The plane.
        namespace: Only what concerns this namespace.
    """
    cluster = plane.cluster
    if namespace is not None:
        cluster.references.check_namespace(namespace)
    objects = [each for each in plane.selected if namespace in {None, each.namespace}]
    servers = cluster.inventory.of_kind(*SELECTED_BY)
    of_kinds = {each.kind for each in objects}
    missing = [
        f"the input holds no {kind}, so whether the {_listed(there)} are selected is unknown; add it, or give --values"
        for kind, kinds in SELECTED_BY.items()
        if not cluster.inventory.of_kind(kind) and (there := [each for each in kinds if each in of_kinds])
    ]
    found = [each for each in plane.findings() if namespace in {None, each.namespace}]
    return MetricsReport(
        servers=[_server(plane, each, objects, namespace) for each in servers],
        others=list(_others(plane, objects)),
        missing=missing,
        entries=entries(found),
        problems=[str(problem) for problem in cluster.problems],
    )


def _listed(kinds: Iterable[str]) -> str:
    return " and ".join(f"{kind}s" for kind in kinds)


def _server(plane: Metrics, server: Object, objects: Sequence[Object], namespace: str | None) -> Server:
    kinds = SELECTED_BY[server.kind]
    truths = [(each, takes(plane.cluster.inventory, server, each)) for each in objects if each.kind in kinds]
    scrapes: dict[str, set[str]] = {}
    for each in plane.scrapes if server.kind == "Prometheus" else ():
        if each.server == server:
            scrapes.setdefault(each.monitor.reference, set()).add(each.answer.verdict)
    selected = [(each, "yes" if truth is YES else "unknown") for each, truth in truths if truth is not NO]
    readers = [each for each in plane.queries if each.server == server and namespace in {None, "", each.namespace}]
    return Server(
        kind=server.kind,
        reference=server.reference,
        file=server.place.file,
        line=server.place.line,
        settings=list(_settings(server)),
        selects=list(_selected(selected, scrapes)),
        readers=list(_readers(readers)),
    )


def _settings(server: Object) -> Iterator[str]:
    if server.kind == "Alertmanager":
        yield f"alertmanagerConfigMatcherStrategy {strategy(server)}"
        return
    for field in _SETTINGS:
        value = server.at("spec", field)
        if value:
            yield field if value is True else f"{field} {value}"


def _selected(given: Iterable[tuple[Object, str]], scrapes: dict[str, set[str]]) -> Iterator[Selected]:
    groups: dict[tuple[str, ...], list[Object]] = {}
    for each, selected in given:
        verdicts = scrapes.get(each.reference, set())
        worst = next((word for word in ("denied", "unknown", "allowed") if word in verdicts), "")
        receivers = [str(one.get("name")) for one in each.at("spec", "receivers") or () if isinstance(one, dict)]
        key = (general(each.reference, each.namespace), selected, worst, *receivers)
        groups.setdefault(key, []).append(each)
    for (label, selected, scrape, *names), members in groups.items():
        yield Selected(
            label=label if len(members) > 1 else members[0].reference,
            selected=selected,
            scrape=scrape,
            receivers=list(names),
            members=[Line(subject=one.reference, file=one.place.file, line=one.place.line) for one in members],
        )


def _others(plane: Metrics, objects: Sequence[Object]) -> Iterator[Selected]:
    inventory = plane.cluster.inventory
    for kind, kinds in SELECTED_BY.items():
        servers = inventory.of_kind(kind)
        word = "no" if servers else "unknown"
        of_kind = (each for each in objects if each.kind in kinds)
        found = ((each, word) for each in of_kind if all(takes(inventory, one, each) is NO for one in servers))
        yield from _selected(found, {})


def _readers(given: Iterable[Query]) -> Iterator[Reader]:
    groups: dict[tuple[str, ...], list[Query]] = {}
    for each in given:
        key = (general(each.who, each.namespace), each.way, each.verdict, general(each.text, each.namespace))
        groups.setdefault(key, []).append(each)
    for (label, way, verdict, text), members in groups.items():
        several = len(members) > 1
        yield Reader(
            label=label if several else members[0].who,
            way=way,
            verdict=verdict,
            text=text if several else members[0].text,
            members=[Line(subject=one.who, file=file, line=line) for one in members for file, line in one.places[:1]],
        )
