"""Writes docs/audit-proof.md: what the audit was compared with, how often, and what came of it.

    python -m tests.audit.proof docs/audit-proof.md          # a few minutes; CLUSTERS=3000 says how many are drawn

The live part is what `python -m tests.audit.live` last wrote into `live/result.json`.
"""

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from textwrap import wrap
from typing import Any, Final

import yaml

import audit
from tenantry.console import say
from tests.audit import platform_objects as platform
from tests.audit.cyclonus_cases import ASSUMPTIONS, GROUPS, number_of_cases, steps
from tests.audit.drawing import Draw, draw_cluster
from tests.audit.engines import ENGINES
from tests.audit.live.faults import FAULTS
from tests.audit.reference import Reference
from tests.audit.sentences import ADMIN_POLICY, ALL, KNOWN_MISTAKES, NETWORK_POLICY, UNDEFINED
from tests.e2e.matrix import Cell, Source, Target, expected

LIVE: Final = Path(__file__).parent / "live/result.json"
API: Final = Path(__file__).parent / "api/result.json"
PROVED: Final = [name for name in ENGINES if name != "reference"]
_WIDTH: Final = 118
CLUSTERS: Final = int(os.environ.get("CLUSTERS", "3000"))
_SAYS: Final = {Cell.OPEN: "allowed", Cell.EXPOSED: "allowed", Cell.CLOSED: "denied"}


@dataclass
class Count:
    """What came of one comparison.

    Attributes:
        cases: How many clusters, cases or cells.
        verdicts: What was expected of the connections.
        differences: Connections about which the audit says something else.
        explained: Connections where a sentence of the API says why the other one errs.
    """

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    differences: int = 0
    explained: int = 0


def drawn_clusters(number: int) -> Count:
    """The audit against the reference engine."""
    count = Count(number)
    for seed in range(number):
        drawn = draw_cluster(Draw(Random(seed)))  # noqa: S311 - reproducible on purpose
        reference = Reference(drawn.objects, drawn.assumptions)
        expectations = {ask: reference.verdict(*ask) for ask in drawn.asks()}
        count.verdicts.update(expectations.values())
        for name in PROVED:
            engine = ENGINES[name](drawn.objects, drawn.assumptions)
            count.differences += sum(engine.verdict(*ask) != verdict for ask, verdict in expectations.items())
        if seed % 500 == 0:
            say(f"drawn clusters: {seed} of {number}, {count.differences} differences")
    return count


def cyclonus() -> Count:
    """The audit, and the reference engine, against the truth tables of cyclonus."""
    count = Count(number_of_cases())
    for step in (step for group in GROUPS for step in steps(group)):
        count.verdicts.update(cell.expected for cell in step.cells)
        engines = [make(step.objects, ASSUMPTIONS) for make in ENGINES.values()]
        for cell in step.cells:
            said = {engine.verdict(cell.source, cell.destination, cell.port, cell.protocol) for engine in engines}
            if said == {cell.expected}:
                continue
            if cell.is_loopback and said == {"allowed"}:
                count.explained += 1
            else:
                count.differences += 1
    return count


def sentences() -> Count:
    """The audit, and the reference engine, against what follows from the text."""
    count = Count(len(ALL))
    for sentence in ALL:
        engines = [make(sentence.objects, sentence.assumptions) for make in ENGINES.values()]
        count.verdicts.update(sentence.asks.values())
        for ask, verdict in sentence.asks.items():
            source, destination, port, protocol = ask.split()
            said = {engine.verdict(source, destination, int(port), protocol) for engine in engines}
            count.differences += said != {verdict}
    return count


def matrix() -> Count:
    """`dist/` against the table that the end-to-end suite measures."""
    cluster = audit.read.objects([*platform.PATHS, *platform.objects()], assumptions=platform.ASSUMPTIONS)
    count = Count()
    for source, target in product(Source, Target):
        cell = expected(source, target)
        if cell not in _SAYS:
            continue
        count.cases += 1
        for ask in platform.asks(source, target):
            count.verdicts[_SAYS[cell]] += 1
            count.differences += cluster.verdict(*ask).verdict.value != _SAYS[cell]
    return count


def document(live: dict[str, Any]) -> str:
    """The whole page; every figure in it is counted here."""
    of_cyclonus = cyclonus()
    template = Path(__file__).with_name("proof.md").read_text("utf-8")
    return template.format(
        table="\n".join(
            [
                row("sentences of the API text", "what follows from each", sentences()),
                row("drawn clusters", "the reference engine", drawn_clusters(CLUSTERS)),
                row("cases of cyclonus", "its truth tables", of_cyclonus),
                row("cells of the end-to-end matrix", "`dist/`", matrix()),
                row("policy sets on a live cluster", "what was open", of_live(live)),
            ]
        ),
        network_policy=len(NETWORK_POLICY),
        admin_policy=len(ADMIN_POLICY),
        undefined=len(UNDEFINED),
        mistakes=mistakes(),
        loopback=f"{of_cyclonus.explained:,}",
        live=live_run(live),
        faults=faults(live),
        clusters=f"{CLUSTERS:,}",
        api=of_api(),
    )


def row(what: str, against: str, count: Count) -> str:
    """A row of the table."""
    verdicts = [count.verdicts[each] for each in ("allowed", "denied", "unknown")]
    numbers = [count.verdicts.total(), *verdicts, count.differences]
    return f"| {count.cases:,} {what} | {against} | {' | '.join(f'{number:,}' for number in numbers)} |"


def of_live(live: dict[str, Any]) -> Count:
    """What the audit said from YAML alone, and what the network did otherwise."""
    differences = sum(len(each["connections"]) for each in live["wrong"].values())
    return Count(live["sets"], Counter(live["verdicts from YAML alone"]), differences)


def mistakes() -> str:
    """Mistakes of others, as a list."""
    return "\n".join(f"- {each.text}." for each in KNOWN_MISTAKES)


def live_run(live: dict[str, Any]) -> str:
    """The run on a live cluster."""
    decided, settled, sets = Counter(live["verdicts"]), live["seconds to settle"], live["sets"]
    text = (
        f"{sets:,} sets of seed {live['seed']} with {live['policies']:,} policies, on Kubernetes {live['kubernetes']}:"
        f" {live['observations']:,} observations of {decided.total() // sets:,} connections each. The median set had"
        f" settled after {settled['median']} s, the last one after {settled['most']} s. {len(live['wrong']):,} sets"
        f" differ; {len(live['sets that show a fault']):,} show a fault of the network engine. Where it is assumed that"
        f" an ipBlock covers pods, the audit leaves {decided['unknown']:,} of the {decided.total():,} connections"
        " unknown."
    )
    return "\n".join(wrap(text, _WIDTH))


def faults(live: dict[str, Any]) -> str:
    """The faults of network engines, with their reproductions."""
    lines = []
    for fault in FAULTS:
        shown = live["connections that show a fault"][fault.behaviour]
        text = f'{fault.behaviour} The API says: "{fault.sentence}" {shown} connections showed it in this run, with'
        lines += [
            *wrap(f"**{fault.engine}.** {text}", _WIDTH),
            "",
            "```yaml",
            yaml.safe_dump_all(fault.policies, sort_keys=False).strip(),
            "```",
        ]
    return "\n".join(lines)


def of_api() -> str:
    """What an API server decided otherwise, as a list."""
    found = json.loads(API.read_text("utf-8"))
    roles = found["permissions"]
    text = (
        f"Permissions: {roles['sets']:,} sets of seed {roles['seed']} with {roles['objects']:,} roles and bindings on"
        f" Kubernetes {found['kubernetes']}: {roles['allowed'] + roles['denied']:,} requests, of which the API server"
        f" allowed {roles['allowed']:,}. Differences: {len(roles['wrong']):,}."
    )
    pods = found["pods"]
    versions = ", ".join(f"1.{each}" for each in pods["versions"])
    of_pods = (
        f"Pod Security: {pods['pods']:,} pods of seed {pods['seed']}, each for both levels and the versions {versions}:"
        f" {pods['admitted'] + pods['refused']:,} decisions, of which the API server admitted {pods['admitted']:,}."
        f" Differences: {len(pods['wrong']):,}."
    )
    return "\n\n".join("\n".join(wrap(each, _WIDTH)) for each in (text, of_pods))


def main() -> None:
    """Write the page where the argument says."""
    Path(sys.argv[1]).write_text(document(json.loads(LIVE.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
