"""The parts `defaults` and `tenants[]` of `platform.yaml`: what a tenant can set. Imports no jsii.

A key that a tenant does not set comes from `defaults`, and then from this module.
"""

from pydantic import Field, ValidationInfo, field_validator

from constructs_lib.platform import _reachability, validators
from constructs_lib.platform._quantities import Memory
from constructs_lib.platform._section import Section
from constructs_lib.platform.access import Auth, CallerLimits, Client, Origins
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.gateway import HostName
from constructs_lib.platform.members import Members
from constructs_lib.platform.pods import OwnAnnotations, OwnLabels, Scheduling, ServiceSettings, check_settings_memory
from constructs_lib.platform.receivers import Receiver
from constructs_lib.platform.runtime import Runtime, check_model_memory
from constructs_lib.platform.service_memory import check_service_memory
from constructs_lib.platform.sidecars import Sidecars, pod_resources
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout


class Defaults(Section):
    """Values for every tenant that does not set its own; a tenant's list replaces the list here."""

    resources: Resources = Resources()
    """Requests and limits of each pod."""
    sidecars: Sidecars | None = None
    """Resources of the containers that the cluster adds to each pod; they raise the limits of pods and the quota. The
    autoscaler measures the service's container only. No container can be added if absent."""
    autoscaling: Autoscaling = Autoscaling()
    """Minimum and maximum number of pods, and when it changes."""
    rollout: Rollout = Rollout()
    """How pods are replaced."""
    quota: Quota = Quota()
    """Limits of the tenant's whole namespace."""
    alerts: AlertSettings = AlertSettings()
    """Objectives and thresholds of the alerts."""
    scheduling: Scheduling = Scheduling()
    """Nodes that the pods may run on, and their priority."""
    settings: ServiceSettings = Field(default={})
    """Settings of the service by the names in docs/service.md, such as `INFERENCE_MAX_IN_FLIGHT`."""
    labels: OwnLabels = Field(default={})
    """Labels of the pods, such as `team`; their names must not have a prefix."""
    annotations: OwnAnnotations = Field(default={})
    """Annotations of the pods; their names must not have a prefix."""
    proxy: validators.Endpoint | None = None
    """HTTP proxy through which pods reach a model store outside the cluster, as in `http://proxy.example.com:3128`;
    they connect directly if absent. `egress` must allow it."""
    egress: tuple[Egress, ...] = ()
    """Networks that pods may connect to in addition to the model store, DNS and public addresses on port 443."""
    image_pull_secrets: tuple[validators.ObjectName, ...] = ()
    """Names of Secrets in the tenant's namespace that hold registry credentials."""
    receiver: Receiver | None = None
    """Receiver of the tenant's alerts; the platform's own receiver if absent."""
    auth: Auth | None = None
    """`apiKeys`: predictions and the model card require an API key of the tenant (`tenantry keys`). No key is required
    if absent."""
    limits: CallerLimits | None = None
    """What each caller may send to a pod: per API key, or for all callers together if no key is required. No limit if
    absent."""
    allowed_origins: Origins = ()
    """Origins of web pages whose scripts may call the service (CORS), as in `https://app.example.com`; none if empty.
    Metrics and probes are never shared."""

    @field_validator("resources")
    @classmethod
    def _limit_holds_the_service(cls, resources: Resources) -> Resources:
        check_service_memory(resources)
        return resources

    @field_validator("settings")
    @classmethod
    def _limit_holds_the_settings(cls, settings: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if "resources" in info.data:
            check_settings_memory(settings, info.data["resources"].limits.memory)
        return settings

    @field_validator("egress")
    @classmethod
    def _egress_is_not_everything(cls, egress: tuple[Egress, ...]) -> tuple[Egress, ...]:
        _reachability.check_union(egress)
        return egress

    @field_validator("quota")
    @classmethod
    def _quota_holds_a_rollout(cls, quota: Quota, info: ValidationInfo) -> Quota:
        if {"resources", "sidecars", "autoscaling", "rollout"} <= info.data.keys():
            pod = pod_resources(info.data["resources"], info.data["sidecars"])
            quota.check(pod, info.data["autoscaling"], info.data["rollout"])
        return quota


class Tenant(Defaults):
    """A tenant: an isolated namespace that serves a model. Every value is the effective one."""

    name: validators.TenantName
    """Name of the tenant and of its namespace."""
    model: validators.Model
    """Address of the model: `s3://models/<tenant>/<name>`, with `@sha256:<64 hex>` to pin it, or `file:<folder>`."""
    image: validators.Image
    """Image of the service for this tenant; the platform's image if absent."""
    clients: tuple[Client, ...] = ()
    """Pods of other namespaces that may call the tenant's service; none if empty."""
    shared_with: tuple[validators.TenantName, ...] = ()
    """Tenants that this tenant's pods may call. Both must agree: each of them lists this tenant's namespace in its
    `clients`."""
    members: Members | None = None
    """People who may read the tenant's namespace; nobody if absent."""
    runtime: Runtime = "text"
    """What runs the model: `text` for models of this project, `onnx` for ONNX models; selects the image."""
    model_memory: Memory | None = None
    """Peak memory of an ONNX model, as `tenantry import` reports it; the memory limit must leave room for it."""
    cluster: validators.Name | None = None
    """Cluster that runs the tenant, one of `clusters`; required if the file lists clusters."""
    hostname: HostName | None = None
    """Host name at which the gateway serves the tenant. Default: `<tenant>.<domain>` if there is a gateway; null for a
    tenant that it does not serve."""

    @field_validator("model")
    @classmethod
    def _model_is_its_own(cls, model: str, info: ValidationInfo) -> str:
        if "name" in info.data:
            validators.check_model_owner(info.data["name"], model)
        return model

    @field_validator("model_memory")
    @classmethod
    def _limits_hold_the_model(cls, model_memory: str | None, info: ValidationInfo) -> str | None:
        if model_memory and "resources" in info.data:
            check_model_memory(model_memory, info.data["resources"].limits.memory)
        return model_memory
