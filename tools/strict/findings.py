"""What a program found, and which findings are accepted with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


@dataclass(frozen=True, order=True, kw_only=True)
class Finding:
    """One finding of one program.

    Attributes:
        program: The program that reports it.
        check: The program's own name of the check.
        object: What it is about, as `Kind namespace/name` or as a Terraform address.
        message: The program's explanation.
    """

    program: str
    check: str
    object: str
    message: str


class Accepted(BaseModel):
    """A check that does not apply to some objects, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str
    check: str
    object: str
    """A shell pattern of the objects, as `Deployment */*-ml-inference`."""
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it accepts a finding."""
        same_check = (self.program, self.check) == (finding.program, finding.check)
        return same_check and fnmatchcase(finding.object, self.object)


def read_exceptions(file: Path) -> list[Accepted]:
    """Read the accepted exceptions.

    Raises:
        ValueError: The file is not a list of exceptions, each with program, check, object and reason.
    """
    try:
        return TypeAdapter(list[Accepted]).validate_python(yaml.safe_load(file.read_text()))
    except ValidationError as error:
        raise ValueError(f"{file}: {error}") from error


def unexplained(findings: Iterable[Finding], accepted: Sequence[Accepted]) -> list[Finding]:
    """The findings that no exception accepts."""
    return sorted(finding for finding in set(findings) if not any(each.covers(finding) for each in accepted))


def unneeded(findings: Sequence[Finding], accepted: Iterable[Accepted], programs: Iterable[str]) -> list[Accepted]:
    """The exceptions of `programs`, which ran, that accept no finding any more."""
    ran = set(programs)
    return [each for each in accepted if each.program in ran and not any(each.covers(finding) for finding in findings)]
