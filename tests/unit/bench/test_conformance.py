"""docs/conformance.md says what the cases are and what the servers did."""

from pathlib import Path

import pytest

from bench.conformance.page import PAGE, REPORTS, cases_table, results_table, unclear_table, with_block
from bench.conformance.servers import Server, servers
from conformance.cases import all_cases
from conformance.runner import run
from tests.unit.conformance.protocol_server import MODEL, ProtocolServer
from tests.unit.conformance.serving import options

HERE = Server(name="here", title="Small", model=MODEL, command=lambda _: [], note="in this process")


def test_the_page_lists_every_case() -> None:
    """`make conformance-cases` was run after a case changed."""
    page = PAGE.read_text()
    assert with_block(page, "cases", cases_table()) == page, "run make conformance-cases"


def test_every_server_has_its_report() -> None:
    """The table links to one per server, and to no other."""
    names = {server.name for server in servers(Path("model"))}
    assert {path.stem for path in REPORTS.glob("*.md")} == names
    assert all(f"conformance/{name}.md" in PAGE.read_text() for name in names - {"tenantry"})


def test_the_results_count_what_passed() -> None:
    """A failure is counted, and the row links to the report."""
    report = run(options(ProtocolServer(accepts={"outputs.unknown"}), cases=["outputs.*", "server.version"]))
    row = results_table([HERE], {"here": report})[2]
    failed = "[1, each with a command](conformance/here.md)"
    passed = len(report.having("passed", "must"))
    assert row.startswith(f"| Small | 1.0 | {passed} of {passed + 1} | ")
    assert row.endswith(f"| {failed} |")


def test_the_unclear_places_show_each_behaviour() -> None:
    """A row per case of level unclear, a column per server."""
    report = run(options(ProtocolServer()))
    rows = unclear_table([HERE], {"here": report})[2:]
    assert len(rows) == sum(case.level == "unclear" for case in all_cases())
    assert any(row.startswith("| `shape.zero` |") and row.endswith("| status 200 |") for row in rows)


def test_a_page_without_a_block_is_refused() -> None:
    """The generated part would get lost."""
    with pytest.raises(ValueError, match="has no block"):
        with_block("# A page", "cases", [])
