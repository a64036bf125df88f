"""The typed model of `platform.yaml`, with the default of every key.

The text below a field documents its key; `platform.schema.json` and `docs/platform-yaml.md` carry the same texts. A key
that a tenant does not set comes from `defaults`, and then from this module. Imports no jsii.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from constructs_lib.names import MONITORING_NAMESPACE, PROMETHEUS_POD_LABELS
from constructs_lib.platform import _loading, _reachability, validators
from constructs_lib.platform._quantities import Memory
from constructs_lib.platform._section import Section
from constructs_lib.platform.access import Auth, CallerLimits, Client, Origins, check_parties
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.cluster import ClusterSettings
from constructs_lib.platform.clusters import check_clusters
from constructs_lib.platform.gateway import Gateway, HostName, check_host_names, with_host_name
from constructs_lib.platform.guard import GuardSwitch
from constructs_lib.platform.members import Members
from constructs_lib.platform.model_store import ModelStore
from constructs_lib.platform.pods import (
    OwnAnnotations,
    OwnLabels,
    Scheduling,
    ServiceSettings,
    check_settings_memory,
)
from constructs_lib.platform.profiles import with_profile
from constructs_lib.platform.receivers import Receiver
from constructs_lib.platform.runtime import Runtime, check_model_memory, check_runtimes, with_runtime_image
from constructs_lib.platform.service_memory import check_service_memory
from constructs_lib.platform.sidecars import Sidecars, pod_resources
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout
from constructs_lib.special_purpose_addresses import is_public_network


class Prometheus(Section):
    """The resources of the cluster's Prometheus."""

    memory: Memory
    """Its memory limit."""
    storage: Memory
    """Size of its volume, or the part of it that it may use."""
    retention_days: int = Field(default=7, strict=True, ge=1)
    """Days for which it keeps samples."""


class Monitoring(Section):
    """Where the cluster's Prometheus is and what it selects."""

    namespace: validators.Name = MONITORING_NAMESPACE
    """Namespace of Prometheus and of Grafana's dashboards."""
    prometheus_labels: validators.Labels = Field(default=PROMETHEUS_POD_LABELS)
    """Labels of Prometheus's pods, which may connect to the pods of every tenant."""
    object_labels: dict[str, str] = Field(default={})
    """Labels by which Prometheus selects ServiceMonitors and PrometheusRules; empty if it selects all."""
    prometheus: Prometheus | None = None
    """Its resources. Synth warns if the tenants' series do not fit; Terraform gives them to its own Prometheus."""


class Dns(Section):
    """The cluster's DNS servers."""

    namespace: validators.Name = "kube-system"
    """Namespace of the DNS pods."""
    pod_labels: validators.Labels = Field(default={"k8s-app": "kube-dns"})
    """Labels of the DNS pods."""
    port: validators.Port = 53
    """Port of the DNS pods, UDP and TCP."""
    cache_pod_labels: validators.Labels | None = None
    """Labels of the pods of a node-local DNS cache in the same namespace; none if absent."""
    addresses: tuple[validators.Cidr, ...] = ()
    """Addresses of a node-local DNS cache on the host network, which no selector of pods matches."""


class Network(Section):
    """Public addresses that the tenants' pods must not connect to."""

    except_cidrs: tuple[validators.Cidr, ...] = ()
    """Networks that tenants cannot reach on port 443, in addition to the special-purpose ranges: public addresses of
    the cluster itself (pods, services, API server)."""
    platform_cidrs: tuple[validators.Cidr, ...] = ()
    """Public addresses of the cloud's own platform, excluded in the same way."""
    api_server_cidrs: tuple[validators.Cidr, ...] = ()
    """Addresses of the API server, private ones as well; no tenant's `egress` may contain one of them."""

    @property
    def reserved(self) -> tuple[str, ...]:
        """Every network that no tenant's egress may contain."""
        return (*self.excluded, *self.api_server_cidrs)

    @property
    def excluded(self) -> tuple[str, ...]:
        """Every public network that tenants must not reach."""
        of_api_server = (each for each in self.api_server_cidrs if is_public_network(each))
        return tuple(dict.fromkeys((*self.except_cidrs, *self.platform_cidrs, *of_api_server)))


class Pods(Section):
    """Settings of every pod."""

    fixed_user: bool = Field(default=True, strict=True)
    """Whether pods run as UID 1000; false if the cluster assigns the UID. The image runs under any UID."""


class PlatformSettings(Section):
    """Settings that apply to every tenant: the image, and the cluster's components."""

    image: validators.Image
    """Image of the service, with a tag other than `latest` or a digest; a tenant can set its own."""
    onnx_image: validators.Image | None = None
    """Image for tenants with runtime `onnx`. Default: the same image with `-onnx` at the end of its tag; required if
    `image` has a digest."""
    monitoring: Monitoring = Monitoring()
    """Prometheus and Grafana."""
    model_store: ModelStore = ModelStore()
    """The object store."""
    dns: Dns = Dns()
    """The DNS servers."""
    network: Network = Network()
    """Public addresses that tenants must not reach."""
    pods: Pods = Pods()
    """The user of every pod."""
    gateway: Gateway | None = None
    """The Gateway through which callers outside the cluster reach tenants; none if absent."""
    cluster: ClusterSettings | None = None
    """The kind of cluster, and its nodes, for `tenantry plan` and a warning from synth if the tenants do not fit."""
    guard: GuardSwitch = None
    """What the API server refuses in the tenants' namespaces, for everyone except the cluster's administrators and
    controllers: `true`, or a mapping with its settings; needs Kubernetes 1.30. No guard if absent."""
    baseline: bool = Field(default=False, strict=True)
    """Whether each tenant gets a ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2). It denies connections with
    other namespaces where no NetworkPolicy decides; needs its CRD, and a network plugin that enforces it."""

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that belong to the platform; no tenant may have one of these names."""
        gateway = (self.gateway.namespace, self.gateway.pods_in) if self.gateway else ()
        named = (self.monitoring.namespace, self.model_store.namespace, self.dns.namespace, *gateway)
        return frozenset(name for name in named if name)


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


class Platform(Section):
    """The whole file."""

    api_version: Literal["tenantry.dev/v1alpha1"]
    """Version of this format."""
    platform: PlatformSettings
    """Settings that apply to every tenant."""
    defaults: Defaults = Defaults()
    """Values for every tenant that does not set its own."""
    clusters: tuple[validators.Name, ...] = ()
    """Names of the clusters, if several share this file; each gets a folder of manifests. One cluster if empty."""
    tenants: Annotated[tuple[Tenant, ...], AfterValidator(validators.check_not_empty)]
    """The tenants."""

    def parts(self) -> dict[str, Self]:
        """The platform of each cluster, by the cluster's name; without `clusters`, this one under an empty name."""
        if not self.clusters:
            return {"": self}
        return {name: self._part(name) for name in self.clusters}

    def _part(self, cluster: str) -> Self:
        return self.model_copy(update={"tenants": tuple(each for each in self.tenants if each.cluster == cluster)})

    @classmethod
    def load(cls, path: Path | str, *, folder: Path | None = None) -> Self:
        """Read and validate a file.

        Args:
            path: the file.
            folder: the folder that paths in the file are relative to. Default: the file's own.

        Raises:
            PlatformError: the file cannot be read or breaks a rule; the message lists every mistake.
        """
        return _loading.load(cls, Path(path), folder or Path(path).parent)

    @model_validator(mode="before")
    @classmethod
    def _merge_defaults(cls, data: Any) -> Any:
        """Complete every tenant from `defaults` and the platform's image."""
        if not isinstance(data, Mapping) or not isinstance(data.get("tenants"), list | tuple):
            return data
        defaults = data.get("defaults")
        base = dict(defaults) if isinstance(defaults, Mapping) else {}
        settings = data.get("platform")
        if isinstance(settings, Mapping) and "image" in settings:
            base["image"] = settings["image"]
        gateway = settings.get("gateway") if isinstance(settings, Mapping) else None
        tenants = [
            with_host_name(with_runtime_image(merged(base, tenant), tenant, settings), gateway)
            if isinstance(tenant, Mapping)
            else tenant
            for tenant in data["tenants"]
        ]
        completed = {"platform": with_profile(settings)} if isinstance(settings, Mapping) else {}
        return {**data, **completed, "tenants": tenants}

    @model_validator(mode="wrap")
    @classmethod
    def _names_are_free(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Check the names even if something else is wrong, so that all mistakes are reported at once."""
        try:
            platform = validate(data)
        except ValidationError as error:
            validators.check_names(*_written_names(data, error), beside=error)
            raise
        validators.check_names([tenant.name for tenant in platform.tenants], platform.platform.namespaces)
        return platform

    @model_validator(mode="after")
    def _clients_are_allowed(self) -> Self:
        check_parties(self.tenants, self.platform.namespaces)
        check_host_names([tenant.hostname for tenant in self.tenants], self.platform.gateway)
        return self

    @model_validator(mode="after")
    def _tenants_have_clusters(self) -> Self:
        check_clusters(self.clusters, self.tenants)
        return self

    @model_validator(mode="after")
    def _guard_restricts_tenants(self) -> Self:
        if self.platform.guard is not None:
            self.platform.guard.check([tenant.name for tenant in self.tenants])
        return self

    @model_validator(mode="after")
    def _runtimes_have_images(self) -> Self:
        check_runtimes(self.tenants, self.platform.image)
        return self

    @model_validator(mode="after")
    def _addresses_are_reachable(self) -> Self:
        store = self.platform.model_store
        proxies = ((tenant.name, tenant.proxy, tenant.egress) for tenant in self.tenants)
        _reachability.check_proxies(proxies, store_namespace=store.namespace)
        loading = (tenant for tenant in self.tenants if validators.is_in_store(tenant.model) and not tenant.proxy)
        egress = {tenant.name: tenant.egress for tenant in loading}
        for place, address in store.outside.items():
            _reachability.check_server(address, egress, at=("platform", "modelStore", *place))
        _reachability.check_reserved(self.platform.network.reserved, [tenant.egress for tenant in self.tenants])
        return self


def _written_names(data: Any, error: ValidationError) -> tuple[list[str | None], frozenset[str]]:
    """The tenants' names without those that `error` reports, and the platform's namespaces, as far as known."""
    wrong = {each["loc"] for each in error.errors()}
    tenants, parts = _at(data, "tenants"), _at(data, "platform")
    named = [_at(each, "name") for each in tenants] if isinstance(tenants, list | tuple) else []
    names = [
        name if isinstance(name, str) and ("tenants", index, "name") not in wrong else None
        for index, name in enumerate(named)
    ]
    sections = parts.values() if isinstance(parts, Mapping) else ()
    taken = [_at(part, key) for part in sections for key in ("namespace", "podNamespace")]
    return names, frozenset(name for name in taken if isinstance(name, str))


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, Mapping) else None


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` overridden by `over`: mappings key by key, other values as a whole."""
    result = dict(base)
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping) and value.get("type") == below.get("type")
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result
