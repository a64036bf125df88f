"""One thing that a change does."""

from dataclasses import dataclass
from enum import StrEnum

from audit.model.addresses import Addresses
from audit.model.finding import Severity, general


class Area(StrEnum):
    """What a change is about, in the order of the reports."""

    NETWORK = "network"
    PERMISSIONS = "permissions"
    PODS = "pods"
    METRICS = "metrics"
    TENANTS = "tenants"
    CAPACITY = "capacity"
    ALERTS = "alerts"
    LEFT_BEHIND = "left behind"
    VALUES = "values"


SECURITY = (Area.NETWORK, Area.PERMISSIONS, Area.PODS, Area.METRICS, Area.TENANTS)
"""The areas that a report never shortens."""


class Effect(StrEnum):
    """Whether something begins, ends, or takes another value."""

    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that an input makes possible.

    Attributes:
        area: What it is about.
        risk: How much it matters that it begins.
        namespace: The namespace that it concerns; empty for the whole cluster.
        subject: What it is about.
        text: What is possible.
        places: File and line of what says so; more than one where several objects say it together.
        block: For addresses, the rest of the statement, and the addresses: part of an allowed block is not a change.
    """

    area: Area
    risk: Severity
    namespace: str
    subject: str
    text: str
    places: tuple[tuple[str, int], ...]
    block: tuple[str, Addresses] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same in two inputs."""
        return self.area, self.subject, self.text


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between two inputs.

    Attributes:
        area: What it is about.
        effect: Whether it begins, ends, or changes its value.
        risk: How much it matters.
        namespace: The namespace that it concerns; empty for the whole cluster.
        subject: What it is about.
        text: What begins, ends or changes.
        places: File and line of what causes it: in the new input, or in the old one for what ends.
    """

    area: Area
    effect: Effect
    risk: Severity
    namespace: str
    subject: str
    text: str
    places: tuple[tuple[str, int], ...]

    @property
    def pattern(self) -> tuple[str, ...]:
        """What it has in common with the same change to another tenant."""
        texts = (general(each, self.namespace) for each in (self.subject, self.text))
        return (self.area, self.effect, self.risk, *texts)
