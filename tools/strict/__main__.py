"""`make strict`: run the outside programs on `dist/` and `terraform/` and compare their findings with the exceptions.

Exit codes: 0 when each finding has an exception and each exception is needed, 1 otherwise, 2 for wrong input.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tools.strict.findings import Finding, read_exceptions, unexplained, unneeded
from tools.strict.programs import PROGRAMS, ProgramError
from tools.strict.report import write_report

EXCEPTIONS: Final = Path("tools/strict/exceptions.yaml")
REPORT: Final = Path("docs/strict.md")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.strict", description=__doc__.splitlines()[0], epilog="Example: make strict"
    )
    parser.add_argument(
        "--without", action="append", default=[], choices=[each.name for each in PROGRAMS], metavar="PROGRAM",
        help="leave out a program that cannot be installed here; its exceptions are not checked",
    )  # fmt: skip
    parser.add_argument("--write-report", action="store_true", help=f"only write {REPORT} from the exceptions")
    options = parser.parse_args()
    console = Console(stderr=True)
    try:
        accepted = read_exceptions(EXCEPTIONS)
    except ValueError as error:
        console.print(f"error: {error}", markup=False)
        return 2
    if options.write_report:
        write_report(REPORT, PROGRAMS, accepted)
        return 0
    chosen = [program for program in PROGRAMS if program.name not in options.without]
    findings: list[Finding] = []
    try:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as shown:
            for program in chosen:
                task = shown.add_task(f"{program.name} {program.version}", total=1)
                findings += program.run(program.locate())
                shown.advance(task)
    except ProgramError as error:
        console.print(f"error: {error}", markup=False)
        return 1
    bad, idle = unexplained(findings, accepted), unneeded(findings, accepted, [each.name for each in chosen])
    lines = [f"{each.program} {each.check}: {each.object}: {each.message}" for each in bad]
    lines += [
        f"{EXCEPTIONS}: {each.program} {each.check} ({each.object}) is no longer needed: remove it" for each in idle
    ]
    lines += [f"not run: {name}" for name in options.without]
    found = f"{len(set(findings))} findings, {len(bad)} unexplained, {len(idle)} exceptions no longer needed"
    Console(soft_wrap=True, highlight=False, markup=False).print(*lines, f"{len(chosen)} programs: {found}", sep="\n")
    return 1 if bad or idle else 0


if __name__ == "__main__":
    sys.exit(main())
