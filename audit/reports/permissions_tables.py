"""Who may do what, as text and Markdown."""

from collections.abc import Iterator
from itertools import groupby

from audit.reports.permissions_report import (
    OWN_NAMESPACE,
    GrantItem,
    Holder,
    PermissionsReport,
    WhoCanReport,
)
from audit.reports.reach_tables import table
from audit.reports.words import count, place

_NAMED = 4
_CONTROLLERS = "system:serviceaccount:kube-system:"


def text(report: PermissionsReport) -> str:
    """The report for people."""
    return "\n".join(_text(report))


def _text(report: PermissionsReport) -> Iterator[str]:
    consequences = sum(len(each.consequences) for each in report.holders)
    members = sum(len(each.members) for each in report.holders)
    yield f"{count(members, 'holder')} of permissions, {count(consequences, 'consequence')}"
    yield from (f"note: {each}" for each in report.missing)
    for holder in report.holders:
        yield ""
        yield _heading(holder)
        yield from _holder(holder)
    yield from _defaults(report)


def _defaults(report: PermissionsReport) -> Iterator[str]:
    """What every new cluster gives; the accounts of Kubernetes' own controllers only as a number."""
    own = [each for each in report.defaults if not each.label.startswith(_CONTROLLERS)]
    controllers = len(report.defaults) - len(own)
    yield ""
    yield f"Every new cluster (Kubernetes {report.kubernetes}) gives permissions to:"
    for holder in own:
        worst = [each for each in holder.consequences if each.where != OWN_NAMESPACE]
        yield f"    {holder.label}: {', '.join(each.rule for each in worst) or 'no consequences'}"
    if controllers:
        yield f"    {count(controllers, 'account')} of Kubernetes' controllers (--format json lists them)"


def _heading(holder: Holder) -> str:
    if len(holder.members) == 1:
        return holder.members[0]
    more = ", ..." if len(holder.members) > _NAMED else ""
    return f"{holder.label}: {count(len(holder.members), 'holder')} ({', '.join(holder.members[:_NAMED])}{more})"


def _holder(holder: Holder) -> Iterator[str]:
    for where, grants in groupby(sorted(holder.grants, key=lambda each: each.where), key=lambda each: each.where):
        yield f"    in {where}"
        for grant in grants:
            yield f"        {_allowed(grant)}"
            yield f"            {_places(grant)}"
    for each in holder.consequences:
        yield f"    {each.severity}: {each.rule} in {each.where}: {each.sentence}"
        yield f"        {place(each)}"


def _allowed(grant: GrantItem) -> str:
    names = f" named {', '.join(grant.names)}" if grant.names else ""
    return f"{', '.join(grant.verbs)}: {', '.join(grant.resources)}{names}"


def _places(grant: GrantItem) -> str:
    rule = f"{grant.file}:{grant.line}" if grant.line else grant.file
    binding = f"{grant.binding_file}:{grant.binding_line}" if grant.binding_line else grant.binding_file
    return f"{grant.role} ({rule}) by {grant.binding} ({binding})"


def who_can_text(report: WhoCanReport) -> str:
    """The answer for people."""
    return "\n".join(_who_can(report))


def _who_can(report: WhoCanReport) -> Iterator[str]:
    yield f"{report.request}:"
    for default, heading in ((False, "by the input"), (True, f"by the defaults of Kubernetes {report.kubernetes}")):
        grants = [each for each in report.grants if each.default == default]
        yield f"  {heading}: {'nobody' if not grants else ''}".rstrip().removesuffix(":" if grants else "")
        for subject, found in groupby(sorted(grants, key=lambda each: each.subject), key=lambda each: each.subject):
            yield f"    {subject}"
            yield from (f"        {_allowed(each)}: {_places(each)}" for each in found)
    yield from (f"note: {each}" for each in report.missing)


def markdown(report: PermissionsReport) -> str:
    """A table, one row per permission of the input."""
    header = ("holder", "where", "verbs", "resources", "consequences", "place")
    return table(header, _rows(report))


def _rows(report: PermissionsReport) -> Iterator[tuple[str, ...]]:
    for holder in report.holders:
        several = f" ({len(holder.members)})" if len(holder.members) > 1 else ""
        for grant in holder.grants:
            lines = [each for each in holder.consequences if (each.file, each.line) == (grant.file, grant.line)]
            follows = ", ".join(each.rule for each in lines)
            cells = (grant.where, ", ".join(grant.verbs), ", ".join(grant.resources), follows, _places(grant))
            yield f"{holder.label}{several}", *cells


def who_can_markdown(report: WhoCanReport) -> str:
    """A table, one row per rule that allows the request."""
    rows = ((each.subject, "yes" if each.default else "no", _allowed(each), _places(each)) for each in report.grants)
    return table(("subject", "default", "rule", "place"), rows)
