"""Usage as text, CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from constructs_lib.names import SCRAPE_SECONDS
from tenantry.usage.gaps import Gap
from tenantry.usage.period import Period, utc
from tenantry.usage.tenant import REASONS, CallerUsage, TenantUsage

NOT_RECORDED: Final = "not recorded"
_COLUMNS: Final = ("caller", "requests", "texts", *REASONS, "CPU seconds")
_HEADINGS: Final = (
    *("since", "until", "tenant", "caller", "requests", "texts", *(f"rejected_{reason}" for reason in REASONS)),
    *("cpu_seconds", "tenant_peak_pods", "tenant_gap_seconds", "tenant_pods_ended"),
)


def text_lines(period: Period, tenants: Sequence[TenantUsage]) -> Iterator[str]:
    """A table per tenant, and what is missing in it."""
    yield f"{utc(period.start)} to {utc(period.end)}"
    for tenant in tenants:
        yield ""
        yield tenant.tenant
        yield from _table([_COLUMNS, *map(_cells, tenant.callers)])
        yield f"  CPU seconds {_decimal(tenant.cpu_seconds)}, peak pods {tenant.peak_pods}"
        yield from (f"  {line}" for line in missing(tenant))


def missing(tenant: TenantUsage) -> Iterator[str]:
    """What the figures of a tenant do not contain, a line each."""
    for gap in tenant.gaps:
        yield f"gap {utc(gap.start)} to {utc(gap.end)}: {gap.cause}"
    if tenant.pods_ended:
        yield f"{tenant.pods_ended} pods or containers ended: up to {SCRAPE_SECONDS} s of each are not counted"
    if tenant.failed_scrapes:
        yield f"{tenant.failed_scrapes} scrapes failed"
    if tenant.cpu_seconds is None:
        yield "Prometheus has no samples of the containers' CPU time"


def as_json(period: Period, tenants: Sequence[TenantUsage]) -> str:
    """One document."""
    found = [
        {
            "tenant": each.tenant,
            "requests": sum(caller.requests for caller in each.callers),
            "texts": sum(caller.texts for caller in each.callers),
            "rejected": {reason: sum(caller.rejected[reason] for caller in each.callers) for reason in REASONS},
            "cpu_seconds": _rounded(each.cpu_seconds),
            "peak_pods": each.peak_pods,
            "callers": [_caller(caller) for caller in each.callers],
            "pods_ended": each.pods_ended,
            "failed_scrapes": each.failed_scrapes,
            "gaps": [_gap(gap) for gap in each.gaps],
        }
        for each in tenants
    ]
    return json.dumps({"since": utc(period.start), "until": utc(period.end), "tenants": found}, indent=2)


def as_csv(period: Period, tenants: Sequence[TenantUsage]) -> str:
    """A row per tenant and caller; the columns that begin with `tenant_` repeat in all rows of a tenant."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for tenant in tenants:
        gap_seconds = sum(gap.seconds for gap in tenant.gaps)
        for each in tenant.callers:
            writer.writerow(
                [utc(period.start), utc(period.end), tenant.tenant, each.caller, each.requests, each.texts]
                + [each.rejected[reason] for reason in REASONS]
                + [_rounded(each.cpu_seconds), tenant.peak_pods, gap_seconds, tenant.pods_ended]
            )
    return out.getvalue()


def _caller(usage: CallerUsage) -> dict[str, Any]:
    return {
        "caller": usage.caller,
        "requests": usage.requests,
        "texts": usage.texts,
        "rejected": usage.rejected,
        "work_seconds": _rounded(usage.work_seconds),
        "cpu_seconds": _rounded(usage.cpu_seconds),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"from": utc(gap.start), "until": utc(gap.end), "seconds": gap.seconds, "cause": gap.cause}


def _cells(usage: CallerUsage) -> tuple[str, ...]:
    counts = (usage.requests, usage.texts, *(usage.rejected[reason] for reason in REASONS))
    return usage.caller, *(f"{count:,}" for count in counts), _decimal(usage.cpu_seconds)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield f"  {first.ljust(widths[0])}  {'  '.join(cells)}"


def _decimal(value: float | None) -> str:
    return NOT_RECORDED if value is None else f"{value:,.1f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
