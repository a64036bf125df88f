"""`tenantry usage`: what tenants and their callers have used."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cluster.monitoring import PROMETHEUS, reach
from tenantry.console import result, say, steps
from tenantry.errors import CommandError, InputError
from tenantry.options import PLATFORM_FILE, FileOption, PortForwardOption

if TYPE_CHECKING:
    from tenantry.cluster.prometheus import Prometheus
    from tenantry.usage.period import Period
    from tenantry.usage.tenant import TenantUsage


class UsageFormat(StrEnum):
    """How the usage is printed."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


TenantArgument = Annotated[str | None, typer.Argument(help="Only this tenant. Default: all.")]
SinceOption = Annotated[
    str, typer.Option("--since", metavar="WHEN", help="Start: 30d, 12h, or a date in UTC as in 2026-11-01.")
]
UntilOption = Annotated[str, typer.Option("--until", metavar="DATE", help="End, a date in UTC. Default: now.")]
PrometheusOption = Annotated[
    str | None, typer.Option("--prometheus", metavar="URL", help=f"Prometheus. Default: {PROMETHEUS.default}.")
]
UsageFormatOption = Annotated[UsageFormat, typer.Option("--format", help="How to print the result.")]


def usage(
    tenant: TenantArgument = None,
    *,
    since: SinceOption = "30d",
    until: UntilOption = "",
    file: FileOption = PLATFORM_FILE,
    prometheus: PrometheusOption = None,
    port_forward: PortForwardOption = False,
    output: UsageFormatOption = UsageFormat.TEXT,
) -> None:
    """Show requests, texts, rejected requests and CPU time per tenant and caller, from Prometheus.

    Nothing is extrapolated or counted twice. Parts of the period without samples are listed.

    Example: tenantry usage tenant-a --since 2026-11-01 --until 2026-12-01 --format csv --port-forward
    """
    from tenantry.cluster.prometheus import Prometheus
    from tenantry.usage import reports
    from tenantry.usage.period import Period

    period = Period.parse(since, until)
    with reach(PROMETHEUS, file, prometheus, port_forward=port_forward) as address:
        found = _read(Prometheus(address), period, file, tenant)
    if not any(each.has_samples for each in found):
        raise CommandError(
            f"Prometheus has no samples of {', '.join(each.tenant for each in found)} in this period; check that"
            " it scrapes them, and how long it keeps samples"
        )
    if output is UsageFormat.TEXT:
        for line in reports.text_lines(period, found):
            result(line)
        return
    for each in found:
        for line in reports.missing(each):
            say(f"{each.tenant}: {line}")
    report = reports.as_csv if output is UsageFormat.CSV else reports.as_json
    result(report(period, found).rstrip("\n"))


def _read(prometheus: "Prometheus", period: "Period", file: Path, only: str | None) -> "list[TenantUsage]":
    from tenantry.platform_file import tenant_names
    from tenantry.usage.tenant import anything_recorded, tenant_usage, tenants_with_samples

    listed = tenant_names(file)
    with steps() as begin:
        begin("looking for samples")
        names = list(dict.fromkeys((*listed, *sorted(tenants_with_samples(prometheus, period)))))
        if only is not None and only not in names:
            raise InputError(f"neither {file} nor Prometheus has a tenant '{only}'; they have {', '.join(names)}")
        recorded = anything_recorded(prometheus, period)
        found = []
        for name in names if only is None else [only]:
            begin(f"reading the samples of {name}")
            found.append(tenant_usage(prometheus, period, name, recorded))
    return found
