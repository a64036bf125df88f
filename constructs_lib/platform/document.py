"""The typed model of `platform.yaml`: who the tenants are, and the only home of every default.

A key is documented by the text under its field; `platform.schema.json` carries the same texts into editors. What is
left out of a tenant comes from `defaults`, and what is left out there from here. Importing this module loads no jsii.
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
from constructs_lib.platform import _loading
from constructs_lib.platform import validators as rules
from constructs_lib.platform._section import Section
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.cluster import Cluster
from constructs_lib.platform.errors import PlatformError
from constructs_lib.platform.receivers import Receiver
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout

Labels = Annotated[dict[str, str], Field(min_length=1)]


class Monitoring(Section):
    """What the cluster calls its Prometheus."""

    namespace: rules.Name = MONITORING_NAMESPACE
    """Namespace of Prometheus and of Grafana's dashboards."""
    prometheus_labels: Labels = Field(default=PROMETHEUS_POD_LABELS)
    """Labels of Prometheus's pods: they, and no other pods of other namespaces, may reach a tenant's metrics."""
    object_labels: dict[str, str] = Field(default={})
    """Labels that the cluster's Prometheus selects ServiceMonitors and PrometheusRules by; empty where it takes all."""


class ModelStore(Section):
    """The S3-compatible store that pods load their model from."""

    endpoint: rules.Endpoint = "http://minio-api.minio.svc:9000"
    """Address of the S3 API."""
    namespace: rules.Name | None = "minio"
    """Namespace of the store's pods; null: the store is outside of the cluster, and reached like any other address."""
    pod_labels: Labels = Field(default={"app.kubernetes.io/name": "minio"})
    """Labels of the store's pods."""
    region: str = Field(default="us-east-1", min_length=1)
    """Region that requests are signed for."""

    @property
    def port(self) -> int:
        """TCP port of the API, as the endpoint names it or as its scheme implies."""
        return rules.endpoint_port(self.endpoint)


class Dns(Section):
    """The cluster's name servers."""

    namespace: rules.Name = "kube-system"
    """Namespace of the DNS pods."""
    pod_labels: Labels = Field(default={"k8s-app": "kube-dns"})
    """Labels of the DNS pods."""


class Network(Section):
    """What "the world" is: every public address on 443, without these."""

    except_cidrs: tuple[rules.Cidr, ...] = ()
    """Networks out of tenants' reach beside the private, shared, link-local and loopback ones: public addresses of the
    cluster's own (pods, services, its API server)."""


class PlatformSettings(Section):
    """What is the same for every tenant: the image, and what the cluster calls its parts."""

    image: rules.Image
    """The service's image, with tag or digest and never `latest`; a tenant may name another."""
    monitoring: Monitoring = Monitoring()
    """Prometheus and Grafana."""
    model_store: ModelStore = ModelStore()
    """The object store."""
    dns: Dns = Dns()
    """The name servers."""
    network: Network = Network()
    """The world outside."""
    cluster: Cluster | None = None
    """The machines, so that `tenantry plan` can say what fits and a synth warns where it does not; absent: unknown."""

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that belong to the platform, which no tenant may be named like."""
        named = (self.monitoring.namespace, self.model_store.namespace, self.dns.namespace)
        return frozenset(name for name in named if name)


class Defaults(Section):
    """What every tenant gets unless it says otherwise; a list that a tenant gives replaces the one here."""

    resources: Resources = Resources()
    """CPU and memory of a pod."""
    autoscaling: Autoscaling = Autoscaling()
    """How many pods, and when more."""
    rollout: Rollout = Rollout()
    """How pods are replaced."""
    quota: Quota = Quota()
    """What the whole namespace may use."""
    alerts: AlertSettings = AlertSettings()
    """Objectives and thresholds of the alerts."""
    egress: tuple[Egress, ...] = ()
    """Networks that pods may reach beside the model store, DNS and the world's port 443."""
    image_pull_secrets: tuple[rules.ObjectName, ...] = ()
    """Names of Secrets in the tenant's namespace that hold registry credentials."""
    receiver: Receiver | None = None
    """Where the tenant's alerts go; absent: to the platform's own receiver."""

    @field_validator("quota")
    @classmethod
    def _quota_holds_a_rollout(cls, quota: Quota, info: ValidationInfo) -> Quota:
        if {"resources", "autoscaling", "rollout"} <= info.data.keys():
            quota.check(info.data["resources"], info.data["autoscaling"], info.data["rollout"])
        return quota


class Tenant(Defaults):
    """A tenant: a namespace with walls, and a model that answers in it. Every value is the effective one."""

    name: rules.TenantName
    """Name of the tenant and of its namespace."""
    model: rules.Model
    """Address of the model: `s3://models/<tenant>/<name>`, with `@sha256:<64 hex>` to pin it, or `file:<folder>`."""
    image: rules.Image
    """The service's image for this tenant; absent: that of the platform."""

    @field_validator("model")
    @classmethod
    def _model_is_its_own(cls, model: str, info: ValidationInfo) -> str:
        if "name" in info.data:
            rules.check_model_owner(info.data["name"], model)
        return model


class Platform(Section):
    """The whole file."""

    api_version: Literal["tenantry.dev/v1alpha1"]
    """Version of this format."""
    platform: PlatformSettings
    """What is the same for every tenant."""
    defaults: Defaults = Defaults()
    """What every tenant gets unless it says otherwise."""
    tenants: Annotated[tuple[Tenant, ...], AfterValidator(rules.check_not_empty)]
    """The tenants."""

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file and check all of it.

        Raises:
            PlatformError: the file cannot be read or breaks a rule; lists every mistake with its place and fix.
        """
        return _loading.load(cls, Path(path))

    @model_validator(mode="before")
    @classmethod
    def _merge_defaults(cls, data: Any) -> Any:
        """Complete every tenant by what `defaults` and the platform's image say."""
        if not isinstance(data, Mapping) or not isinstance(data.get("tenants"), list | tuple):
            return data
        defaults = data.get("defaults")
        base = dict(defaults) if isinstance(defaults, Mapping) else {}
        settings = data.get("platform")
        if isinstance(settings, Mapping) and "image" in settings:
            base["image"] = settings["image"]
        tenants = [merged(base, tenant) if isinstance(tenant, Mapping) else tenant for tenant in data["tenants"]]
        return {**data, "tenants": tenants}

    @model_validator(mode="wrap")
    @classmethod
    def _names_are_free(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Hold the names against each other, also where something else is wrong: all mistakes are told at once."""
        try:
            platform = validate(data)
        except ValidationError as error:
            rules.check_names(*_written_names(data, error), beside=error)
            raise
        rules.check_names([tenant.name for tenant in platform.tenants], platform.platform.namespaces)
        return platform


def _written_names(data: Any, error: ValidationError) -> tuple[list[str | None], frozenset[str]]:
    """The tenants' names, but those that `error` speaks of, and the platform's namespaces, as far as data has them."""
    wrong = {each["loc"] for each in error.errors()}
    tenants, parts = _at(data, "tenants"), _at(data, "platform")
    named = [_at(each, "name") for each in tenants] if isinstance(tenants, list | tuple) else []
    names = [
        name if isinstance(name, str) and ("tenants", index, "name") not in wrong else None
        for index, name in enumerate(named)
    ]
    taken = [_at(part, "namespace") for part in parts.values()] if isinstance(parts, Mapping) else []
    return names, frozenset(name for name in taken if isinstance(name, str))


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, Mapping) else None


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `over` says instead: mappings key by key, anything else as a whole."""
    result = dict(base)
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping) and value.get("type") == below.get("type")
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


__all__ = [
    "AlertSettings",
    "Autoscaling",
    "Cluster",
    "Defaults",
    "Dns",
    "Egress",
    "ModelStore",
    "Monitoring",
    "Network",
    "Platform",
    "PlatformError",
    "PlatformSettings",
    "Quota",
    "Receiver",
    "Resources",
    "Rollout",
    "Tenant",
]
