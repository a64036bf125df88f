"""What each file of `dist/` is made of. A chart gets nothing else, so a cache by these values cannot miss a change."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from constructs_lib.monitoring.load import load_of
from constructs_lib.names import PLATFORM_CHART
from constructs_lib.platform import Platform, PlatformSettings, Tenant
from constructs_lib.platform.runtime import runtime_image


class _Input(BaseModel):
    """The content of one file, as values that survive JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PrometheusNeeds(_Input):
    """What the Prometheus of a cluster needs for all tenants at their maximum number of pods.

    Args:
        memory: bytes of memory.
        disk_per_day: bytes of disk space for each day of retention.
    """

    memory: int
    disk_per_day: int


class PlatformInput(_Input):
    """What the platform's file is made of.

    Args:
        settings: the platform's settings.
        runbook: address of the runbook that the dashboard links to.
        tenants: the tenants' names.
        images: the tenants' images, which the guard allows.
        prometheus: what Prometheus needs for the tenants.
    """

    settings: PlatformSettings
    runbook: str
    tenants: tuple[str, ...]
    images: tuple[str, ...]
    prometheus: PrometheusNeeds

    @property
    def name(self) -> str:
        """Name of the chart."""
        return PLATFORM_CHART


class TenantInput(_Input):
    """What a tenant's file is made of.

    Args:
        settings: the platform's settings.
        tenant: the tenant.
        image: the image, which may differ from the tenant's.
        model: the model, which may differ from the tenant's.
    """

    settings: PlatformSettings
    tenant: Tenant
    image: str
    model: str

    @property
    def name(self) -> str:
        """Name of the chart."""
        return self.tenant.name


ChartInput = PlatformInput | TenantInput
KINDS: Final = {each.__name__: each for each in (PlatformInput, TenantInput)}
"""The inputs by the name of their kind, for those that are read from JSON."""


def inputs(platform: Platform, *, image: str | None = None, model: str | None = None) -> tuple[ChartInput, ...]:
    """One input for each file of `dist/`.

    Args:
        platform: the platform.
        image: replaces every tenant's image.
        model: replaces every tenant's model; `{tenant}` in it becomes the tenant's name.
    """
    settings = platform.platform
    names = tuple(tenant.name for tenant in platform.tenants)
    own = tuple(
        TenantInput(
            settings=settings,
            tenant=tenant,
            image=runtime_image(image, tenant.runtime) if image else tenant.image,
            model=model.replace("{tenant}", tenant.name) if model else tenant.model,
        )
        for tenant in platform.tenants
    )
    load = load_of(platform.tenants, maximum=True)
    shared = PlatformInput(
        settings=settings,
        runbook=str(platform.defaults.alerts.runbook),
        tenants=names,
        images=tuple(sorted({each.image for each in own})) if settings.guard is not None else (),
        prometheus=PrometheusNeeds(memory=load.memory, disk_per_day=load.disk_per_day),
    )
    return (shared, *own)
