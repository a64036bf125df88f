"""The workload of a tenant and its eyes."""

from dataclasses import dataclass, field
from typing import Final

from cdk8s import ApiObject, ApiObjectMetadata
from cdk8s_plus_28 import k8s
from constructs import Construct

from constructs_lib import _pod as pod
from constructs_lib._kube import int_or_string
from constructs_lib._objects import plain_object
from constructs_lib.errors import refusing
from constructs_lib.isolated_tenant import IsolatedTenant
from constructs_lib.monitoring.routing import alertmanager_config_spec
from constructs_lib.monitoring.rules import rule_groups
from constructs_lib.names import SCRAPE_INTERVAL, object_name, selector, service_name
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.receivers import Receiver
from constructs_lib.platform.validators import check_image, check_model, check_model_owner, check_object_name
from imports.com.coreos import monitoring
from inference import contract

SCRAPE_TIMEOUT: Final = "10s"
_MONITORING_API: Final = "monitoring.coreos.com/v1"
_ALERTMANAGER_API: Final = "monitoring.coreos.com/v1alpha1"
_PROGRESS_DEADLINE_SECONDS: Final = 300
_SCALE_PERIOD_SECONDS: Final = 15


@dataclass(frozen=True, kw_only=True)
class MonitoredInferenceProps:
    """What a tenant's workload depends on.

    Args:
        tenant: the walls that it stands in; pod size, pod count and rollout are those that the walls were built for.
        image: the service's image, with tag or digest and never `latest`.
        model: address of the model: `s3://models/<tenant>/<name>`, with `@sha256:<64 hex>` to pin it, or
            `file:<folder>` for one that the image holds.
        alerts: objectives and thresholds of the alerts. Default: 99.9 % available, see `AlertSettings`.
        image_pull_secrets: names of Secrets in the tenant's namespace with registry credentials. Default: none.
        receiver: where the tenant's alerts go. Default: to the platform's own receiver.
    """

    tenant: IsolatedTenant
    image: str
    model: str
    alerts: AlertSettings = field(default_factory=AlertSettings)
    image_pull_secrets: tuple[str, ...] = ()
    receiver: Receiver | None = None

    def __post_init__(self) -> None:
        with refusing("image", self.image):
            check_image(self.image)
        with refusing("model", self.model):
            check_model(self.model)
            check_model_owner(self.tenant.name, self.model)
        for name in self.image_pull_secrets:
            with refusing("image_pull_secrets", name):
                check_object_name(name)


class MonitoredInference(Construct):
    """A tenant's model behind a Service, scaled by its load, replaced without a failed request, and watched.

    Guarantees:

    - the Deployment says no `replicas`: the autoscaler owns them, and lifts a first apply from 1 to its minimum when it
      first looks (within 15 s);
    - no pod goes before its successor is ready; a stopping pod goes on serving until every node has heard of it;
    - pods wait for the Secret `model-store` and then for their model, not ready;
    - Prometheus scrapes every pod each 30 s, and the alerts' thresholds are the props'.

    Attributes:
        props: what it was made from.
        deployment, service, autoscaler, disruption_budget, service_monitor, prometheus_rule: the objects.
        alertmanager_config: the route to the tenant's receiver; None without one.
    """

    def __init__(self, scope: Construct, id: str, props: MonitoredInferenceProps) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.props = props
        self._tenant = props.tenant
        self._name = object_name(self._tenant.name)
        self._selector = k8s.LabelSelector(match_labels=selector(self._tenant.name))
        self.service = self._add_service()
        self.disruption_budget = self._add_disruption_budget()
        self.deployment = self._add_deployment()
        self.autoscaler = self._add_autoscaler()
        self.service_monitor = self._add_service_monitor()
        self.prometheus_rule = self._add_prometheus_rule()
        self.alertmanager_config = self._add_alertmanager_config()

    def _add_service(self) -> k8s.KubeService:
        return k8s.KubeService(
            self,
            "service",
            metadata=self._tenant.object_meta(service_name(self._tenant.name)),
            spec=k8s.ServiceSpec(
                type="ClusterIP",
                selector=selector(self._tenant.name),
                ports=[
                    k8s.ServicePort(
                        name=contract.PORT_NAME,
                        port=contract.PORT,
                        target_port=int_or_string(contract.PORT_NAME),
                        protocol="TCP",
                    )
                ],
            ),
        )

    def _add_disruption_budget(self) -> k8s.KubePodDisruptionBudget:
        """One pod at a time may be evicted; a pod that is not healthy never holds up a drain."""
        return k8s.KubePodDisruptionBudget(
            self,
            "disruption-budget",
            metadata=self._tenant.object_meta(self._name),
            spec=k8s.PodDisruptionBudgetSpec(
                selector=self._selector,
                max_unavailable=int_or_string(1),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
        )

    def _add_deployment(self) -> ApiObject:
        rollout = self._tenant.props.rollout
        strategy = k8s.DeploymentStrategy(
            type="RollingUpdate",
            rolling_update=k8s.RollingUpdateDeployment(
                max_surge=int_or_string(rollout.surge),
                max_unavailable=int_or_string(0),
            ),
        )
        template = pod.template(
            tenant=self._tenant,
            image=self.props.image,
            model=self.props.model,
            image_pull_secrets=self.props.image_pull_secrets,
        )
        manifest = k8s.KubeDeployment.manifest(
            spec=k8s.DeploymentSpec(
                selector=self._selector,
                progress_deadline_seconds=_PROGRESS_DEADLINE_SECONDS,
                strategy=strategy,
                template=template,
            )
        )
        # The bindings are of Kubernetes 1.28: they do not know the native sleep, and would drop it from a patch.
        if rollout.pre_stop_seconds:
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            container["lifecycle"] = {"preStop": {"sleep": {"seconds": rollout.pre_stop_seconds}}}
        return plain_object(
            self,
            "deployment",
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
            metadata=self._tenant.metadata(self._name),
            spec=manifest["spec"],
        )

    def _add_autoscaler(self) -> k8s.KubeHorizontalPodAutoscalerV2:
        scaling = self._tenant.props.autoscaling
        step = k8s.HpaScalingPolicyV2(type="Pods", value=scaling.scale_up_pods, period_seconds=_SCALE_PERIOD_SECONDS)
        return k8s.KubeHorizontalPodAutoscalerV2(
            self,
            "autoscaler",
            metadata=self._tenant.object_meta(self._name),
            spec=k8s.HorizontalPodAutoscalerSpecV2(
                scale_target_ref=k8s.CrossVersionObjectReferenceV2(
                    api_version="apps/v1", kind="Deployment", name=self._name
                ),
                min_replicas=scaling.min_replicas,
                max_replicas=scaling.max_replicas,
                metrics=[
                    k8s.MetricSpecV2(
                        type="Resource",
                        resource=k8s.ResourceMetricSourceV2(
                            name="cpu",
                            target=k8s.MetricTargetV2(
                                type="Utilization", average_utilization=scaling.target_cpu_percent
                            ),
                        ),
                    )
                ],
                behavior=k8s.HorizontalPodAutoscalerBehaviorV2(
                    scale_up=k8s.HpaScalingRulesV2(
                        stabilization_window_seconds=0, select_policy="Max", policies=[step]
                    ),
                    scale_down=k8s.HpaScalingRulesV2(
                        stabilization_window_seconds=scaling.scale_down_after_seconds,
                        select_policy="Max",
                        policies=[step],
                    ),
                ),
            ),
        )

    def _add_service_monitor(self) -> monitoring.ServiceMonitor:
        """Scrapes every pod; what a pod says of its own labels never overrides the target's."""
        tenant = self._tenant
        return monitoring.ServiceMonitor(
            self,
            "service-monitor",
            metadata=self._monitoring_metadata(),
            spec=monitoring.ServiceMonitorSpec(
                selector=monitoring.ServiceMonitorSpecSelector(match_labels=selector(tenant.name)),
                endpoints=[
                    monitoring.ServiceMonitorSpecEndpoints(
                        port=contract.PORT_NAME,
                        path=contract.METRICS_PATH,
                        interval=SCRAPE_INTERVAL,
                        scrape_timeout=SCRAPE_TIMEOUT,
                        honor_labels=False,
                    )
                ],
            ),
        )

    def _add_prometheus_rule(self) -> ApiObject:
        groups = rule_groups(
            tenant=self._tenant.name,
            service=service_name(self._tenant.name),
            deployment=self._name,
            hpa=self._name,
            settings=self.props.alerts,
        )
        return plain_object(
            self,
            "prometheus-rule",
            api_version=_MONITORING_API,
            kind="PrometheusRule",
            metadata=self._monitoring_metadata(),
            spec={"groups": groups},
        )

    def _add_alertmanager_config(self) -> ApiObject | None:
        receiver = self.props.receiver
        if receiver is None:
            return None
        return plain_object(
            self,
            "alertmanager-config",
            api_version=_ALERTMANAGER_API,
            kind="AlertmanagerConfig",
            metadata=self._monitoring_metadata(),
            spec=alertmanager_config_spec(receiver),
        )

    def _monitoring_metadata(self) -> ApiObjectMetadata:
        tenant = self._tenant
        return ApiObjectMetadata(
            name=self._name, namespace=tenant.name, labels={**tenant.labels, **tenant.props.monitoring.object_labels}
        )
