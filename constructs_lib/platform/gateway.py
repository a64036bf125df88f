"""The Gateway through which callers outside the cluster reach tenants, and the tenants' host names."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from constructs_lib.platform._section import Section, refusal, refuse, refuse_all
from constructs_lib.platform.access import PodLabels
from constructs_lib.platform.validators import Name, ObjectName

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


def check_host_name(name: str) -> str:
    """Check a DNS name of at least two labels, without a wildcard."""
    if not _HOST_NAME.fullmatch(name):
        refuse("must be a host name in lower case, such as models.example.com", "correct it")
    return name


HostName = Annotated[str, AfterValidator(check_host_name)]


class Gateway(Section):
    """An existing Gateway of Gateway API, to which the tenants' routes are attached."""

    name: ObjectName
    """Name of the Gateway."""
    namespace: Name
    """Namespace of the Gateway; not a tenant's."""
    section_name: ObjectName | None = None
    """Listener of the Gateway to which the routes are attached; every listener that accepts them if absent."""
    pod_namespace: Name | None = None
    """Namespace of the gateway's pods; that of the Gateway if absent."""
    pod_labels: PodLabels = Field(min_length=1)
    """Labels of the gateway's pods; tenants with a host name accept connections from these pods."""
    domain: HostName
    """Domain of the tenants' host names."""

    @property
    def pods_in(self) -> str:
        """Namespace of the gateway's pods."""
        return self.pod_namespace or self.namespace


def with_host_name(tenant: Mapping[str, Any], gateway: object) -> dict[str, Any]:
    """A tenant of the file, with the default host name if there is a gateway and the tenant sets none."""
    name, domain = tenant.get("name"), gateway.get("domain") if isinstance(gateway, Mapping) else None
    if not (isinstance(name, str) and isinstance(domain, str)) or "hostname" in tenant:
        return dict(tenant)
    host_name = f"{name}.{domain}"
    return {**tenant, "hostname": host_name} if _HOST_NAME.fullmatch(host_name) else dict(tenant)


def check_host_names(names: Sequence[str | None], gateway: Gateway | None) -> None:
    """Check that the tenants' host names belong to the gateway's domain, and that no two are equal.

    Args:
        names: the host name of each tenant, in order; None for a tenant without one.
        gateway: the gateway, if there is one.
    """
    found = []
    for index, name in enumerate(names):
        at = ("tenants", index, "hostname")
        if name is None:
            continue
        if gateway is None:
            found.append(refusal("requires platform.gateway", "describe the Gateway there, or remove it", at=at))
        elif not name.endswith(f".{gateway.domain}"):
            rule = f"must be a name in the gateway's domain, {gateway.domain}"
            found.append(refusal(rule, f"write <name>.{gateway.domain}, or correct platform.gateway.domain", at=at))
        elif name in names[:index]:
            rule = f"must be unique, but tenants[{names.index(name)}] has it too"
            found.append(refusal(rule, "choose another name", at=at))
    refuse_all(found)
