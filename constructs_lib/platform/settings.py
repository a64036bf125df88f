"""The part `platform` of `platform.yaml`: the image, and the components of the cluster. Imports no jsii."""

from pydantic import (
    Field,
)

from constructs_lib.names import MONITORING_NAMESPACE, PROMETHEUS_POD_LABELS
from constructs_lib.platform import validators
from constructs_lib.platform._quantities import Memory
from constructs_lib.platform._section import Section
from constructs_lib.platform.cluster import ClusterSettings
from constructs_lib.platform.gateway import Gateway
from constructs_lib.platform.guard import GuardSwitch
from constructs_lib.platform.model_store import ModelStore
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
