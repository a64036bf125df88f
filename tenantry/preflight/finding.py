"""What a check reports."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenantry.yaml_edits import flow_text


class Status(StrEnum):
    """How a check ended, the most serious first."""

    BLOCKING = "blocking"
    """The manifests would be refused, or the tenants would not work: `tenantry apply` and `up` stop."""
    FAILED = "failed"
    """A part of the platform would not work."""
    WARNING = "warning"
    """It works, with the restriction that is reported."""
    UNKNOWN = "unknown"
    """It could not be read."""
    SKIPPED = "skipped"
    """It is tested only with --probe."""
    OK = "ok"
    """It is as required."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value for a key of `platform.yaml`.

    Args:
        section, key: where in `platform`, as in the file.
        value: the value, as plain JSON.
    """

    section: str
    key: str
    value: Any

    @property
    def path(self) -> str:
        """The key, as documentation names it."""
        return f"platform.{self.section}.{self.key}"

    @property
    def text(self) -> str:
        """The value as YAML, in one line."""
        return flow_text(self.value)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found.

    Args:
        status: how it ended.
        found: what the cluster has.
        required: what the platform needs.
        fix: what to do, if it is not a key of `platform.yaml`.
        settings: the keys of `platform.yaml` to set, with their values.
    """

    status: Status
    found: str
    required: str
    fix: str = ""
    settings: tuple[Setting, ...] = ()
