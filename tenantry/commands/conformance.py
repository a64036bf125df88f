"""`tenantry conformance`: asks a server whether it conforms to the Open Inference Protocol."""

from enum import StrEnum
from typing import Annotated

import typer

from tenantry.console import result, steps
from tenantry.errors import CommandError, InputError


class ReportFormat(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    MARKDOWN = "markdown"


def conformance(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the server, without /v2.")],
    *,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model to ask. Default: the only one that the server lists.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Version to ask. Default: none in the path; the server chooses.")
    ] = None,
    loading_url: Annotated[
        str | None,
        typer.Option("--loading-url", metavar="URL", help="A server of the same kind that has not loaded its model."),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option("--case", metavar="PATTERN", help="Only these cases, as in 'id.*'; can be repeated."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="NAME:VALUE", help="Sent with every request; can be repeated."),
    ] = None,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout-seconds", min=0.1, help="How long to wait for each answer.")
    ] = 10.0,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a should fails, too.")] = False,
    output: Annotated[ReportFormat, typer.Option("--format", help="How to print the report.")] = ReportFormat.TEXT,
) -> None:
    """Ask a server whether it conforms to the Open Inference Protocol (version 2, REST), and report what it did.

    The requests are generated from the model's metadata, so any server and any model can be asked. Ends with 1 when a
    case of level must fails.

    Example: tenantry conformance http://127.0.0.1:8001 --model spam --format markdown
    """
    from conformance.discovery import UnusableError, WrongOptionError
    from conformance.reports import FORMATS
    from conformance.runner import Options, run

    options = Options(
        url=url,
        model=model,
        version=version,
        loading_url=loading_url,
        headers=dict(_header(each) for each in header or ()),
        timeout_seconds=timeout_seconds,
        cases=tuple(case or ()),
    )
    try:
        with steps() as begin:
            begin(f"asking {url}")
            report = run(options)
    except WrongOptionError as error:
        raise InputError(str(error)) from error
    except UnusableError as error:
        raise CommandError(str(error)) from error
    result(FORMATS[output](report))
    failed = report.count("failed", "must") + (report.count("failed", "should") if strict else 0)
    if failed:
        level = "must or should" if strict else "must"
        raise CommandError(f"{url} does not conform: {failed} cases of level {level} failed")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InputError(f"--header '{text}' is not NAME:VALUE; give it as in 'Authorization: Bearer KEY'")
    return name.strip(), value.strip()
