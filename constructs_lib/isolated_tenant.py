"""The isolation of a tenant: namespace, account, quota and network policies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import cdk8s_plus_28 as kplus
from cdk8s import ApiObject, ApiObjectMetadata
from constructs import Construct

from constructs_lib import baseline
from constructs_lib._objects import plain_object
from constructs_lib.errors import PropsError
from constructs_lib.members import add_members
from constructs_lib.names import labels, members_name, object_name, selector
from constructs_lib.network import HTTPS, NetworkPeer, NetworkPort, dns_servers, policy_spec, public_addresses
from constructs_lib.platform import Dns, Members, ModelStore, Monitoring, Network, PlatformSettings, Pods, Tenant
from constructs_lib.platform.access import Client, check_party
from constructs_lib.platform.gateway import Gateway
from constructs_lib.platform.sidecars import Sidecars, container_limits, pod_resources
from constructs_lib.platform.validators import check_name, check_names, check_tenant_name
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout
from constructs_lib.refusing import refusing
from inference import contract

POD_SECURITY_VERSION: Final = "v1.30"
"""Version of the Pod Security Standard that is enforced: that of the oldest supported Kubernetes, so that an upgrade of
the cluster does not change what is allowed."""
READABLE: Final = (kplus.ApiResource.PODS, kplus.ApiResource.SERVICES, kplus.ApiResource.CONFIG_MAPS)
READ: Final = ("get", "list")


@dataclass(frozen=True, kw_only=True)
class IsolatedTenantProps:
    """Properties of an `IsolatedTenant`.

    Args:
        name: name of the tenant and of its namespace; a DNS label of at most 46 characters that starts with a letter.
        resources: CPU, memory and disk space of each pod; no pod of the namespace may exceed the limits. Default:
            requests of 250m CPU, 256Mi memory and 128Mi disk space, limits of twice as much.
        sidecars: resources of the containers that the cluster adds to each pod. Default: none can be added.
        autoscaling: bounds of the number of pods, which the quota must allow. Default: 2 to 10.
        rollout: how pods are replaced; the quota allows the surge. Default: one additional pod at a time.
        quota: limits of the whole namespace. Default: computed from the three above, with headroom for 4 pods.
        egress: networks that pods may connect to in addition to the model store, DNS and public addresses on port 443.
            Default: none.
        monitoring: where Prometheus is, which may connect to the pods. Default: kube-prometheus-stack in `monitoring`.
        model_store: where models are. Default: MinIO in `minio`. A store without a namespace gets no policy of its own.
        dns: where the DNS servers are. Default: kube-dns in `kube-system`.
        network: public addresses that pods must not connect to. Default: none.
        clients: pods of other namespaces that may connect to the service. Default: none.
        gateway: a gateway whose pods may connect to the service. Default: none.
        shared_with: tenants whose service this tenant's pods may connect to. Default: none.
        members: users and groups that may read the namespace, without Secrets and exec. Default: nobody.
        pods: settings of every pod. Default: they run as UID 1000.
        baseline: whether a ClusterNetworkPolicy denies connections with other namespaces for pods that no
            NetworkPolicy selects. Default: no.
    """

    name: str
    resources: Resources = field(default_factory=Resources)
    sidecars: Sidecars | None = None
    autoscaling: Autoscaling = field(default_factory=Autoscaling)
    rollout: Rollout = field(default_factory=Rollout)
    quota: Quota = field(default_factory=Quota)
    egress: tuple[Egress, ...] = ()
    monitoring: Monitoring = field(default_factory=Monitoring)
    model_store: ModelStore = field(default_factory=ModelStore)
    dns: Dns = field(default_factory=Dns)
    network: Network = field(default_factory=Network)
    clients: tuple[Client, ...] = ()
    gateway: Gateway | None = None
    shared_with: tuple[str, ...] = ()
    members: Members | None = None
    pods: Pods = field(default_factory=Pods)
    baseline: bool = False

    def __post_init__(self) -> None:
        taken = {each.namespace for each in (self.monitoring, self.model_store, self.dns) if each.namespace}
        taken |= {self.gateway.namespace, self.gateway.pods_in} if self.gateway else set()
        with refusing("name", self.name):
            check_tenant_name(self.name)
            check_names([self.name], taken)
        with refusing("clients", ", ".join(each.namespace for each in self.clients)):
            check_party(self, taken)
        with refusing("quota", self.quota):
            self.quota.check(pod_resources(self.resources, self.sidecars), self.autoscaling, self.rollout)

    @classmethod
    def from_platform(cls, tenant: Tenant, settings: PlatformSettings) -> Self:
        """The properties of a tenant of `platform.yaml`."""
        return cls(
            name=tenant.name,
            resources=tenant.resources,
            sidecars=tenant.sidecars,
            autoscaling=tenant.autoscaling,
            rollout=tenant.rollout,
            quota=tenant.quota,
            egress=tenant.egress,
            monitoring=settings.monitoring,
            model_store=settings.model_store,
            dns=settings.dns,
            network=settings.network,
            clients=tenant.clients,
            gateway=settings.gateway if tenant.hostname else None,
            shared_with=tenant.shared_with,
            members=tenant.members,
            pods=settings.pods,
            baseline=settings.baseline,
        )


class IsolatedTenant(Construct):
    """A namespace that is isolated from other tenants in network, permissions and resources.

    Guarantees, on a cluster that enforces NetworkPolicies:

    - pods must meet the Pod Security Standard `restricted`;
    - ingress is allowed from the namespace's own pods, Prometheus, `clients` and `gateway`, on the service's port, and
      from what `allow_ingress` adds;
    - egress is allowed to the namespace's own pods, DNS, the model store, public addresses on port 443, the service of
      the tenants in `shared_with`, and to what `egress` and `allow_egress` add;
    - the ServiceAccount may get and list pods, services and configmaps of the namespace, and pods get no token unless
      they ask for one;
    - `members` may read the namespace, without Secrets and exec, and change nothing;
    - no pod exceeds the limits, all pods together do not exceed the quota, and no Service opens a port on the nodes.

    See https://kubernetes.io/docs/concepts/security/pod-security-standards/ and
    https://kubernetes.io/docs/concepts/services-networking/network-policies/.

    Attributes:
        props: the properties.
        name: name of the tenant and its namespace.
        namespace, service_account, role, role_binding, resource_quota, limit_range: the objects.
    """

    def __init__(self, scope: Construct, id: str, props: IsolatedTenantProps) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.props = props
        self.name = props.name
        self.namespace = self._add_namespace()
        self.service_account = self._add_service_account()
        self.role = kplus.Role(self, "role", metadata=self.metadata(object_name(self.name)))
        self.role.allow(list(READ), *READABLE)  # type: ignore[arg-type] # jsii's ApiResource is an IApiResource
        self.role_binding = kplus.RoleBinding(
            self, "role-binding", metadata=self.metadata(object_name(self.name)), role=self.role
        )
        self.role_binding.add_subjects(self.service_account)
        self.resource_quota = self._add_quota()
        self.limit_range = self._add_limit_range()
        self._network_policies: dict[str, ApiObject] = {}
        self._add_network_policies()
        if props.members is not None:
            add_members(self, self.metadata(members_name(self.name)), props.members)
        if props.baseline:
            self._add_baseline()

    def _add_baseline(self) -> None:
        spec = baseline.baseline_spec(self.name, dns=self.props.dns, network=self.props.network)
        metadata = ApiObjectMetadata(name=f"{baseline.PREFIX}{self.name}", labels=self.labels)
        plain_object(self, "baseline", api_version=baseline.API, kind=baseline.KIND, metadata=metadata, spec=spec)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of every object of the tenant, as a copy."""
        return labels(self.name)

    @property
    def network_policies(self) -> dict[str, ApiObject]:
        """The NetworkPolicies by name, as a copy; `allow_ingress` and `allow_egress` add to them."""
        return dict(self._network_policies)

    def metadata(self, name: str) -> ApiObjectMetadata:
        """Metadata of an object in this tenant's namespace."""
        return ApiObjectMetadata(name=name, namespace=self.name, labels=self.labels)

    def allow_ingress(self, name: str, peer: NetworkPeer, *ports: NetworkPort) -> None:
        """Let a peer connect to the tenant's pods.

        Args:
            name: name of the NetworkPolicy; unique in the namespace.
            peer: who may connect.
            ports: ports of the tenant's pods, at least one.

        Raises:
            PropsError: the name is not a DNS label or is taken, or there are no ports.
        """
        self._check_policy(name, ports)
        self._add_policy(name, ingress=[peer], ports=ports)

    def allow_egress(self, name: str, peer: NetworkPeer, *ports: NetworkPort) -> None:
        """Let the tenant's pods connect to a peer.

        Args:
            name: name of the NetworkPolicy; unique in the namespace.
            peer: what the pods may connect to.
            ports: ports of the peer, at least one.

        Raises:
            PropsError: the name is not a DNS label or is taken, or there are no ports.
        """
        self._check_policy(name, ports)
        self._add_policy(name, egress=[peer], ports=ports)

    def _add_namespace(self) -> kplus.Namespace:
        security = {
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", POD_SECURITY_VERSION))
        }
        metadata = ApiObjectMetadata(name=self.name, labels={**self.labels, **security})
        return kplus.Namespace(self, "namespace", metadata=metadata)

    def _add_service_account(self) -> kplus.ServiceAccount:
        identity = self.props.model_store.workload_identity
        annotations = identity.annotations_of(self.name) if identity else None
        metadata = ApiObjectMetadata(
            name=object_name(self.name), namespace=self.name, labels=self.labels, annotations=annotations or None
        )
        return kplus.ServiceAccount(self, "service-account", metadata=metadata, automount_token=False)

    def _add_quota(self) -> ApiObject:
        props = self.props
        hard = props.quota.hard(pod_resources(props.resources, props.sidecars), props.autoscaling, props.rollout)
        return self._add_object("quota", "v1", "ResourceQuota", {"hard": dict(sorted(hard.items()))})

    def _add_limit_range(self) -> ApiObject:
        """No pod may exceed the limits; a container without requests or limits gets the defaults.

        The service's container has both, so the defaults are for containers that the cluster adds.
        """
        service, sidecars = self.props.resources, self.props.sidecars
        added = sidecars or service
        containers = {
            "default": added.limits.manifest(),
            "defaultRequest": added.requests.manifest(),
            "max": container_limits(service, sidecars).manifest(),
            "type": "Container",
        }
        pods = {"max": pod_resources(service, sidecars).limits.manifest(), "type": "Pod"}
        return self._add_object("limit-range", "v1", "LimitRange", {"limits": [containers, pods]})

    def _add_network_policies(self) -> None:
        props = self.props
        service = [NetworkPort(contract.PORT)]
        own = NetworkPeer.own_pods()
        self._add_policy("default-deny", ingress=[], egress=[])
        self._add_policy("allow-same-namespace", ingress=[own], egress=[own], ports=service)
        prometheus = NetworkPeer.pods(props.monitoring.namespace, props.monitoring.prometheus_labels)
        self._add_policy("allow-prometheus", ingress=[prometheus], ports=service)
        dns_ports = [NetworkPort(props.dns.port, "UDP"), NetworkPort(props.dns.port)]
        self._add_policy("allow-dns", egress=dns_servers(props.dns), ports=dns_ports)
        store = props.model_store
        if store.namespace:
            pods = NetworkPeer.pods(store.namespace, store.pod_labels)
            self._add_policy("allow-model-store", egress=[pods], ports=[NetworkPort(store.port)])
        public = public_addresses(props.network.excluded)
        self._add_policy("allow-world-https", egress=public, ports=[NetworkPort(HTTPS)])
        for index, each in enumerate(props.egress):
            port = NetworkPort(each.port, each.protocol)
            self._add_policy(f"allow-egress-{index}", egress=[NetworkPeer.network(each.cidr)], ports=[port])
        if props.clients:
            self._add_policy("allow-clients", ingress=[_peer(each) for each in props.clients], ports=service)
        if props.gateway:
            pods = NetworkPeer.pods(props.gateway.pods_in, props.gateway.pod_labels)
            self._add_policy("allow-gateway", ingress=[pods], ports=service)
        if props.shared_with:
            tenants = [NetworkPeer.pods(name, selector(name)) for name in props.shared_with]
            self._add_policy("allow-shared-tenants", egress=tenants, ports=service)

    def _check_policy(self, name: str, ports: Sequence[NetworkPort]) -> None:
        with refusing("name", name):
            check_name(name)
        if name in self._network_policies:
            raise PropsError(f"'name' ('{name}') must be unique, but the tenant has such a policy; choose another name")
        if not ports:
            raise PropsError("'ports' () must not be empty, which would allow every port; name the ports")

    def _add_policy(
        self,
        name: str,
        *,
        ports: Sequence[NetworkPort] = (),
        ingress: Sequence[NetworkPeer] | None = None,
        egress: Sequence[NetworkPeer] | None = None,
    ) -> None:
        spec = policy_spec(ports=ports, ingress=ingress, egress=egress)
        self._network_policies[name] = plain_object(
            self,
            name,
            api_version="networking.k8s.io/v1",
            kind="NetworkPolicy",
            metadata=self.metadata(name),
            spec=spec,
        )

    def _add_object(self, construct_id: str, api_version: str, kind: str, spec: dict[str, Any]) -> ApiObject:
        metadata = self.metadata(object_name(self.name))
        return plain_object(self, construct_id, api_version=api_version, kind=kind, metadata=metadata, spec=spec)


def _peer(client: Client) -> NetworkPeer:
    if client.pod_labels:
        return NetworkPeer.pods(client.namespace, client.pod_labels)
    return NetworkPeer.namespace(client.namespace)
