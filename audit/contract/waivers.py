"""Findings that are known: those of a baseline, and those that a contract waives for a time."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.contract.document import Contract
from audit.errors import AuditError
from audit.model.finding import Finding


@dataclass(frozen=True, slots=True)
class Known:
    """Findings, without those that are known.

    Attributes:
        rest: What is left.
        waived: How many a waiver covers.
        in_baseline: How many the baseline has.
        expired: Waivers whose last day is over, in words.
        unused: Waivers that cover nothing, in words.
    """

    rest: list[Finding]
    waived: int
    in_baseline: int
    expired: list[str]
    unused: list[str]


def without_known(found: Iterable[Finding], contract: Contract, baseline: set[str], today: date) -> Known:
    """Leave out what a waiver that has not expired, or a baseline, covers."""
    rest, waived, in_baseline = [], 0, 0
    valid = {each.id for each in contract.spec.waivers if each.expires >= today}
    seen = set()
    for each in found:
        seen.add(each.id)
        if each.id in valid:
            waived += 1
        elif each.id in baseline:
            in_baseline += 1
        else:
            rest.append(each)
    expired = [
        f"the waiver of {each.id} expired on {each.expires} ({each.reason})"
        for each in contract.spec.waivers
        if each.expires < today and each.id in seen
    ]
    unused = [
        f"the waiver of {each.id} covers nothing: remove it" for each in contract.spec.waivers if each.id not in seen
    ]
    return Known(rest, waived, in_baseline, expired, unused)


def read_baseline(file: Path) -> set[str]:
    """The identities of the findings of a report that `--format json` printed.

    Raises:
        AuditError: The file is not such a report.
    """
    try:
        report = json.loads(file.read_text("utf-8"))
        return {member["id"] for entry in report["entries"] for member in entry["members"]}
    except OSError as error:
        raise AuditError(f"--baseline {file}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise AuditError(f"--baseline {file}: it is not a report of 'tenantry audit check --format json'") from error
