"""Runs the conformance kit against every server and writes docs/conformance.md and docs/conformance/.

`python -m bench.conformance` runs all of them, `python -m bench.conformance --only kserve` one, which writes its report
in docs/conformance/ but not the tables, and `python -m bench.conformance --cases` writes the table of the cases alone.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from bench.conformance.page import PAGE, REPORTS, cases_table, results_table, unclear_table, with_block
from bench.conformance.servers import FOLDER, Server, ServerError, servers
from conformance.discovery import UnusableError
from conformance.reports import as_json, as_markdown
from conformance.runner import Options, Report, run

MODEL: Final = Path("build/models/spam")
FIRST_PORT: Final = 8600
"""Fixed ports: the commands in the reports stay the same from run to run."""
_PORTS_PER_SERVER: Final = 20


def main() -> int:
    """Run, write, and return the exit code: 1 when a server cannot be run, or this service does not conform."""
    parser = argparse.ArgumentParser(prog="python -m bench.conformance", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="one server, as in docs/conformance/NAME.md")
    parser.add_argument("--cases", action="store_true", help="only write the table of the cases")
    chosen = parser.parse_args()
    if chosen.cases:
        PAGE.write_text(with_block(PAGE.read_text(), "cases", cases_table()))
        return 0
    known = servers(MODEL)
    asked = [server for server in known if chosen.only in {None, server.name}]
    if not asked:
        print(f"unknown server '{chosen.only}'; known servers: {', '.join(s.name for s in known)}", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        reports = {server.name: test(server, known.index(server)) for server in asked}
    except (ServerError, UnusableError) as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.only is None:
        page = with_block(PAGE.read_text(), "cases", cases_table())
        page = with_block(page, "results", results_table(known, reports))
        PAGE.write_text(with_block(page, "unclear", unclear_table(known, reports)))
    return 0 if all(report.conforms for name, report in reports.items() if name == "tenantry") else 1


def test(server: Server, index: int) -> Report:
    """Install, start and test one server, and write its report."""
    server.install(say)
    say(f"testing {server.title}")
    port = FIRST_PORT + index * _PORTS_PER_SERVER
    with server.running(port) as url:
        if server.loading is None:
            report = run(Options(url=url, model=server.model))
        else:
            with server.running(port + _PORTS_PER_SERVER // 2, loading=True) as loading_url:
                report = run(Options(url=url, model=server.model, loading_url=loading_url))
    FOLDER.joinpath(f"{server.name}.json").write_text(as_json(report))
    REPORTS.mkdir(parents=True, exist_ok=True)
    REPORTS.joinpath(f"{server.name}.md").write_text(as_markdown(report))
    return report


def say(text: str) -> None:
    """Say what is going on."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
