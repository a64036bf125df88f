"""The charts of `dist/`: one for the platform and one per tenant; each becomes a file."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cdk8s_plus_28 as kplus
from cdk8s import ApiObject, ApiObjectMetadata, App, Chart, JsonPatch
from cdk8s_plus_28 import k8s
from constructs import IConstruct

from constructs_lib.errors import PropsError
from constructs_lib.guard import add_guard
from constructs_lib.inference_props import MonitoredInferenceProps
from constructs_lib.inputs import PlatformInput, TenantInput, inputs
from constructs_lib.isolated_tenant import IsolatedTenant, IsolatedTenantProps
from constructs_lib.monitored_inference import MonitoredInference
from constructs_lib.monitoring.dashboard import dashboard_json
from constructs_lib.names import DASHBOARD_LABELS, PLATFORM_CHART, PROMETHEUS_NEEDS, added_labels, platform_labels
from constructs_lib.platform import Platform, PlatformSettings, Tenant
from inference import contract

APPLY_LIMIT: Final = 255 * 1024
"""Highest size in bytes of an object that all tenants share, as JSON: `kubectl apply` stores it in an annotation, and
all annotations of an object together may have 256 KiB."""
Extension = Callable[[Chart, IsolatedTenant], object]
"""Adds constructs to a tenant's chart; objects without a namespace are put into the tenant's."""


def synth(
    platform: Platform,
    outdir: Path | str,
    *,
    image: str | None = None,
    model: str | None = None,
    extend: Mapping[str, Extension] | None = None,
) -> None:
    """Write every manifest of a platform in this process and without a cache, as the reference for `synthesis.synth`.

    The arguments are those of `synthesis.synth`.
    """
    for cluster, part in platform.parts().items():
        for each in inputs(part, image=image, model=model):
            write(each, Path(outdir, cluster), extend=(extend or {}).get(each.name))


def write(item: PlatformInput | TenantInput, outdir: Path | str, *, extend: Extension | None = None) -> None:
    """Write the manifest of a chart into a folder.

    Each file is an app of its own: cdk8s prepares and validates the whole app for every chart in it, so the cost per
    tenant would grow with the number of tenants in one app.

    Raises:
        PropsError: the image or the model breaks a rule.
    """
    app = App(outdir=str(outdir))
    if isinstance(item, PlatformInput):
        chart = platform_chart(app, item)
        if item.settings.guard is not None:
            add_guard(chart, item.settings.guard, tenants=item.tenants, images=item.images)
        _check_sizes(chart, len(item.tenants))
    else:
        tenant_chart(app, item.tenant, item.settings, image=item.image, model=item.model, extend=extend)
    app.synth()


def _check_sizes(chart: Chart, tenants: int) -> None:
    """Refuse shared objects that `kubectl apply` could not apply.

    Raises:
        PropsError: an object is too large.
    """
    for each in chart.to_json():
        if (size := len(json.dumps(each, separators=(",", ":")).encode())) > APPLY_LIMIT:
            raise PropsError(
                f"'tenants' ({tenants:,}) make the {each['kind']} {each['metadata']['name']} too large: it has "
                f"{size:,} bytes, and kubectl can apply {APPLY_LIMIT:,}; divide the tenants among several clusters "
                "(docs/scale.md)"
            )


def platform_chart(app: App, item: PlatformInput) -> Chart:
    """The objects that all tenants share: the monitoring namespace and the dashboard in it."""
    chart = Chart(app, PLATFORM_CHART)
    settings = item.settings
    needs = {"memoryBytes": item.prometheus.memory, "diskBytesPerDay": item.prometheus.disk_per_day}
    metadata = ApiObjectMetadata(
        name=settings.monitoring.namespace,
        labels=platform_labels(),
        annotations={PROMETHEUS_NEEDS: json.dumps(needs)},  # named as in the JSON of `tenantry plan`
    )
    kplus.Namespace(chart, "monitoring", metadata=metadata)
    k8s.KubeConfigMap(
        chart,
        "dashboard",
        metadata=k8s.ObjectMeta(
            name="tenantry-dashboard",
            namespace=settings.monitoring.namespace,
            labels={**platform_labels(), **DASHBOARD_LABELS},
        ),
        data={"tenantry-inference.json": dashboard_json(item.runbook, item.tenants)},
    )
    return chart


def tenant_chart(
    app: App, tenant: Tenant, settings: PlatformSettings, *, image: str, model: str, extend: Extension | None = None
) -> Chart:
    """The objects of a tenant: the isolated namespace, the workload in it, then what `extend` adds."""
    chart = Chart(app, tenant.name)
    isolated = IsolatedTenant(chart, "tenant", IsolatedTenantProps.from_platform(tenant, settings))
    props = MonitoredInferenceProps(
        tenant=isolated,
        image=image,
        model=model,
        runtime=tenant.runtime,
        alerts=tenant.alerts,
        image_pull_secrets=tenant.image_pull_secrets,
        receiver=tenant.receiver,
        auth=tenant.auth,
        limits=tenant.limits,
        allowed_origins=tenant.allowed_origins,
        hostname=tenant.hostname,
        scheduling=tenant.scheduling,
        labels=tenant.labels,
        annotations=tenant.annotations,
        proxy=tenant.proxy,
    )
    inference = MonitoredInference(chart, "inference", props)
    for name, value in tenant.settings.items():
        inference.add_setting(name.removeprefix(contract.ENV_PREFIX).lower(), value)
    if extend is not None:
        ours = {each.node.path for each in chart.node.find_all()}
        extend(chart, isolated)
        _adopt([each for each in chart.node.find_all() if each.node.path not in ours], tenant.name)
    return chart


def _adopt(added: Sequence[IConstruct], namespace: str) -> None:
    """Put added objects into the tenant's namespace, with the label by which `tenantry apply` finds its own."""
    for each in added:
        if ApiObject.is_api_object(each):
            item = ApiObject.of(each)
            if item.metadata.namespace is None:
                item.add_json_patch(JsonPatch.add("/metadata/namespace", namespace))
            for name, value in added_labels(namespace).items():
                item.metadata.add_label(name, value)
