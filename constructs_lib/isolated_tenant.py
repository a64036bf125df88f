"""The walls round a tenant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import cdk8s_plus_28 as kplus
from cdk8s import ApiObject, ApiObjectMetadata
from cdk8s_plus_28 import k8s
from constructs import Construct

from constructs_lib import _network as net
from constructs_lib._kube import quantity
from constructs_lib.errors import refusing
from constructs_lib.names import labels, object_name
from constructs_lib.platform import Dns, ModelStore, Monitoring, Network, PlatformSettings, Tenant
from constructs_lib.platform.validators import check_names, check_tenant_name
from constructs_lib.platform.workload import Autoscaling, Egress, Quota, Resources, Rollout
from inference import contract

POD_SECURITY_VERSION: Final = "v1.30"
"""Version of the Pod Security standard that is held: that of the oldest Kubernetes this runs on, so that an upgrade of
the cluster changes nothing by itself."""
READABLE: Final = (kplus.ApiResource.PODS, kplus.ApiResource.SERVICES, kplus.ApiResource.CONFIG_MAPS)
READ: Final = ("get", "list")


@dataclass(frozen=True, kw_only=True)
class IsolatedTenantProps:
    """What a tenant's walls depend on.

    Args:
        name: name of the tenant and of its namespace; a DNS label of at most 46 characters that starts with a letter.
        resources: CPU and memory of a pod; no pod of the namespace may exceed its limits. Default: 250m of 500m CPU,
            256Mi of 512Mi memory.
        autoscaling: bounds of the pod count, which the quota must hold. Default: 2 to 10.
        rollout: how pods are replaced; the quota holds its surge. Default: one more at a time.
        quota: what the whole namespace may use. Default: computed from the three above, with room for 4 guests.
        egress: networks that pods may reach beside the model store, DNS and public addresses on 443. Default: none.
        monitoring: where Prometheus is, the only foreigner let in. Default: kube-prometheus-stack in `monitoring`.
        model_store: where models are. Default: MinIO in `minio`. A store without namespace gets no opening of its own.
        dns: where the name servers are. Default: kube-dns in `kube-system`.
        network: what does not count as public beside the private ranges. Default: nothing.
    """

    name: str
    resources: Resources = field(default_factory=Resources)
    autoscaling: Autoscaling = field(default_factory=Autoscaling)
    rollout: Rollout = field(default_factory=Rollout)
    quota: Quota = field(default_factory=Quota)
    egress: tuple[Egress, ...] = ()
    monitoring: Monitoring = field(default_factory=Monitoring)
    model_store: ModelStore = field(default_factory=ModelStore)
    dns: Dns = field(default_factory=Dns)
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        taken = {each.namespace for each in (self.monitoring, self.model_store, self.dns) if each.namespace}
        with refusing("name", self.name):
            check_tenant_name(self.name)
            check_names([self.name], taken)
        with refusing("quota", self.quota):
            self.quota.check(self.resources, self.autoscaling, self.rollout)

    @classmethod
    def from_platform(cls, tenant: Tenant, settings: PlatformSettings) -> Self:
        """The props of a tenant of `platform.yaml`."""
        return cls(
            name=tenant.name,
            resources=tenant.resources,
            autoscaling=tenant.autoscaling,
            rollout=tenant.rollout,
            quota=tenant.quota,
            egress=tenant.egress,
            monitoring=settings.monitoring,
            model_store=settings.model_store,
            dns=settings.dns,
            network=settings.network,
        )


class IsolatedTenant(Construct):
    """A namespace that nobody else's pods reach, whose pods reach nobody else's, and that cannot starve its neighbours.

    Guarantees, on a cluster that enforces NetworkPolicies:

    - pods hold Pod Security's `restricted` standard, or are refused;
    - in comes the namespace's own traffic on the service's port, and Prometheus on the same port; nothing else;
    - out goes the same, DNS, the model store, public addresses on 443, and what `egress` names; nothing else;
    - the ServiceAccount may get and list pods, services and configmaps here, and no pod gets its token unasked;
    - no pod exceeds the limits, all together not the quota, and no Service opens a port on the nodes.

    See https://kubernetes.io/docs/concepts/security/pod-security-standards/ and
    https://kubernetes.io/docs/concepts/services-networking/network-policies/.

    Attributes:
        props: what it was made from.
        name: name of the tenant and its namespace.
        labels: labels of everything that belongs to the tenant.
        namespace, service_account, role, role_binding, resource_quota, limit_range: the objects.
        network_policies: the deny and every opening, by name.
    """

    def __init__(self, scope: Construct, id: str, props: IsolatedTenantProps) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.props = props
        self.name = props.name
        self.labels = labels(props.name)
        self.namespace = self._add_namespace()
        self.service_account = kplus.ServiceAccount(
            self, "service-account", metadata=self.metadata(object_name(self.name)), automount_token=False
        )
        self.role = kplus.Role(self, "role", metadata=self.metadata(object_name(self.name)))
        self.role.allow(list(READ), *READABLE)  # type: ignore[arg-type] # jsii's ApiResource is an IApiResource
        self.role_binding = kplus.RoleBinding(
            self, "role-binding", metadata=self.metadata(object_name(self.name)), role=self.role
        )
        self.role_binding.add_subjects(self.service_account)
        self.resource_quota = self._add_quota()
        self.limit_range = self._add_limit_range()
        self.network_policies: dict[str, ApiObject] = {}
        self._add_network_policies()

    def metadata(self, name: str) -> ApiObjectMetadata:
        """Metadata of an object of this tenant's namespace."""
        return ApiObjectMetadata(name=name, namespace=self.name, labels=self.labels)

    def object_meta(self, name: str) -> k8s.ObjectMeta:
        """The same for the bindings of plain Kubernetes objects."""
        return k8s.ObjectMeta(name=name, namespace=self.name, labels=self.labels)

    def _add_namespace(self) -> kplus.Namespace:
        security = {
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", POD_SECURITY_VERSION))
        }
        metadata = ApiObjectMetadata(name=self.name, labels={**self.labels, **security})
        return kplus.Namespace(self, "namespace", metadata=metadata)

    def _add_quota(self) -> ApiObject:
        props = self.props
        hard = props.quota.hard(props.resources, props.autoscaling, props.rollout)
        return k8s.KubeResourceQuota(
            self,
            "quota",
            metadata=self.object_meta(object_name(self.name)),
            spec=k8s.ResourceQuotaSpec(hard={key: quantity(value) for key, value in hard.items()}),
        )

    def _add_limit_range(self) -> ApiObject:
        """No pod above the limits, whatever its containers say; one that says nothing gets them."""
        requests, limits = (
            {"cpu": quantity(each.cpu), "memory": quantity(each.memory)}
            for each in (self.props.resources.requests, self.props.resources.limits)
        )
        return k8s.KubeLimitRange(
            self,
            "limit-range",
            metadata=self.object_meta(object_name(self.name)),
            spec=k8s.LimitRangeSpec(
                limits=[
                    k8s.LimitRangeItem(type="Container", default=limits, default_request=requests, max=limits),
                    k8s.LimitRangeItem(type="Pod", max=limits),
                ]
            ),
        )

    def _add_network_policies(self) -> None:
        props = self.props
        service = net.ports(contract.PORT)
        self._add_policy("default-deny", ingress=[], egress=[])
        self._add_policy("allow-same-namespace", ingress=[net.own_pods()], egress=[net.own_pods()], ports=service)
        prometheus = net.pods_of(props.monitoring.namespace, props.monitoring.prometheus_labels)
        self._add_policy("allow-prometheus", ingress=[prometheus], ports=service)
        dns = net.pods_of(props.dns.namespace, props.dns.pod_labels)
        self._add_policy("allow-dns", egress=[dns], ports=net.ports(53, protocols=("UDP", "TCP")))
        store = props.model_store
        if store.namespace:
            pods = net.pods_of(store.namespace, store.pod_labels)
            self._add_policy("allow-model-store", egress=[pods], ports=net.ports(store.port))
        self._add_policy("allow-world-https", egress=net.world(props.network.except_cidrs), ports=net.ports(net.HTTPS))
        for index, each in enumerate(props.egress):
            ports = net.ports(each.port, protocols=(each.protocol,))
            self._add_policy(f"allow-egress-{index}", egress=[net.network(each.cidr)], ports=ports)

    def _add_policy(
        self,
        name: str,
        *,
        ports: Sequence[k8s.NetworkPolicyPort] = (),
        ingress: Sequence[k8s.NetworkPolicyPeer] | None = None,
        egress: Sequence[k8s.NetworkPolicyPeer] | None = None,
    ) -> None:
        """A policy for all pods of the namespace.

        A direction that is None is left as it is; an empty one is denied; peers open it for `ports`.
        """
        self.network_policies[name] = k8s.KubeNetworkPolicy(
            self,
            name,
            metadata=self.object_meta(name),
            spec=k8s.NetworkPolicySpec(
                pod_selector=k8s.LabelSelector(),
                policy_types=[kind for kind, peers in (("Ingress", ingress), ("Egress", egress)) if peers is not None],
                ingress=[k8s.NetworkPolicyIngressRule(from_=list(ingress), ports=list(ports))] if ingress else None,
                egress=[k8s.NetworkPolicyEgressRule(to=list(egress), ports=list(ports))] if egress else None,
            ),
        )
