"""A check, and what it looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from constructs_lib.platform import Platform, PlatformSettings
from tenantry.preflight.api import Api
from tenantry.preflight.finding import Finding
from tenantry.preflight.probe.observations import Observations


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What checks look at.

    Args:
        api: the cluster.
        platform: what is to be installed.
        probe: what pods observed; None without a probe.
    """

    api: Api
    platform: Platform
    probe: Observations | None = None

    @property
    def settings(self) -> PlatformSettings:
        """The section `platform` of the file."""
        return self.platform.platform


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Args:
        name: its name in JSON.
        title: its name in text.
        run: reports what it finds, at least one finding.
        installed_by: the component of terraform/platform that installs what it looks for, if there is one.
    """

    name: str
    title: str
    run: Callable[[Inspected], Iterator[Finding]]
    installed_by: str | None = None
