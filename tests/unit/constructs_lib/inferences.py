"""A MonitoredInference of a tenant, for the tests of its objects."""

from typing import Any

from constructs_lib import (
    IsolatedTenant,
    IsolatedTenantProps,
    MonitoredInference,
    MonitoredInferenceProps,
)
from constructs_lib.platform import Gateway
from tests.kube import Object, by_kind, make_chart, objects_of

TENANT = IsolatedTenantProps(name="tenant-a")
IMAGE = "registry.example/service:1.0"
MODEL = "s3://models/tenant-a/spam"
SELECTOR = {"tenantry.dev/tenant": "tenant-a"}


def synth(tenant_props: IsolatedTenantProps = TENANT, **props: Any) -> list[Object]:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", tenant_props)
    given = {"image": IMAGE, "model": MODEL, **props}
    MonitoredInference(chart, "inference", MonitoredInferenceProps(tenant=tenant, **given))
    return objects_of(chart)


GATEWAY = Gateway(
    name="public",
    namespace="gateway",
    section_name="https",
    pod_labels={"app": "envoy"},
    domain="models.example.com",
)
BEHIND_GATEWAY = IsolatedTenantProps(name="tenant-a", gateway=GATEWAY)


def container_of(objects: list[Object]) -> Object:
    found: Object = by_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def environment_of(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}
