"""The workload of a tenant and its monitoring."""

from typing import Any, Final

from cdk8s import ApiObject, ApiObjectMetadata, JsonPatch
from constructs import Construct

from constructs_lib import _pod as pod
from constructs_lib._environment import check_memory, check_setting, env_name
from constructs_lib._objects import plain_object
from constructs_lib.alert import Alert
from constructs_lib.errors import PropsError
from constructs_lib.inference_props import MonitoredInferenceProps
from constructs_lib.monitoring import scraping
from constructs_lib.monitoring.routing import alertmanager_config_spec
from constructs_lib.monitoring.rules import CONTAINER, rule_groups
from constructs_lib.names import SCRAPE_INTERVAL, deployment_selector, object_name, selector, service_name
from constructs_lib.platform.pods import OWN_SETTINGS
from imports.com.coreos import monitoring
from inference import contract
from inference.address import ModelUri

SCRAPE_TIMEOUT: Final = "10s"
_MONITORING_API: Final = "monitoring.coreos.com/v1"
_ALERTMANAGER_API: Final = "monitoring.coreos.com/v1alpha1"
_PROGRESS_DEADLINE_SECONDS: Final = 300
_SCALE_PERIOD_SECONDS: Final = 15
_ADDED_ALERTS_GROUP: Final = "inference-added"


class MonitoredInference(Construct):
    """A tenant's model behind a Service, with autoscaling, rolling updates without failed requests, and alerts.

    Guarantees:

    - the Deployment sets no `replicas`: the autoscaler owns them, and raises the first pod to the minimum within 15 s;
    - no pod stops before its replacement is ready; a terminating pod continues to serve until all nodes know;
    - pods are not ready until their model is loaded, for which they need the Secret `model-store` or an identity;
    - Prometheus scrapes every pod every 30 s, and alerts use the thresholds of the properties.

    Attributes:
        props: the properties.
        deployment, service, autoscaler, disruption_budget, service_monitor, prometheus_rule: the objects.
        alertmanager_config: the route to the tenant's receiver; None without a receiver.
        http_route: the route from the gateway to the service; None without a host name.
    """

    def __init__(self, scope: Construct, id: str, props: MonitoredInferenceProps) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.props = props
        self._tenant = props.tenant
        self._name = object_name(self._tenant.name)
        self._selector = selector(self._tenant.name)
        self.service = self._add_service()
        self.disruption_budget = self._add_disruption_budget()
        self._add_store_authority()
        self.deployment = self._add_deployment()
        self.autoscaler = self._add_autoscaler()
        self.service_monitor = self._add_service_monitor()
        self._rule_groups = self._own_rule_groups()
        self._alerts: list[Alert] = []
        self._settings: dict[str, str] = {}
        self.prometheus_rule = self._add_monitoring_object("PrometheusRule", {"groups": self._rule_groups})
        self.alertmanager_config = self._add_alertmanager_config()
        self.http_route = self._add_http_route()
        for name, value in self.props.limits.settings().items() if self.props.limits else ():
            self._add_setting(name, value)
        if props.allowed_origins:
            self._add_setting("allowed_origins", " ".join(props.allowed_origins))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that `add_alert` added, in order."""
        return tuple(self._alerts)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that `add_setting` added, by their field's name, as a copy."""
        return dict(self._settings)

    def add_alert(self, alert: Alert) -> None:
        """Add an alert to the tenant's PrometheusRule.

        The alert gets the labels `namespace` and `tenant`, so that it is routed and silenced like the others.

        Raises:
            PropsError: the tenant has an alert of this name.
        """
        names = {rule.get("alert") for group in self._rule_groups for rule in group["rules"]}
        if alert.name in names | {each.name for each in self._alerts}:
            raise PropsError(f"'name' ('{alert.name}') must be unique, but the tenant has such an alert; rename it")
        rule = alert._to_rule(self._tenant.name)  # noqa: SLF001 - conversion to plain data
        if self._alerts:
            patch = JsonPatch.add(f"/spec/groups/{len(self._rule_groups)}/rules/-", rule)
        else:
            patch = JsonPatch.add("/spec/groups/-", {"name": _ADDED_ALERTS_GROUP, "rules": [rule]})
        self.prometheus_rule.add_json_patch(patch)
        self._alerts.append(alert)

    def add_setting(self, name: str, value: str) -> None:
        """Set one of the service's settings in every pod.

        Args:
            name: a field of `inference.settings.Settings`, such as `max_in_flight`.
            value: its value, as text.

        Raises:
            PropsError: the service does not have this setting or refuses the value, the manifests set it or rely on it,
                it is set already, or it lets the service take more memory than a pod may use.
        """
        if name in OWN_SETTINGS:
            key = OWN_SETTINGS[name]
            fix = f"use the property that '{key}' of a tenant in platform.yaml sets" if key else "remove it"
            raise PropsError(f"'name' ('{name}') must be a setting that the manifests do not set or rely on; {fix}")
        self._add_setting(name, value)

    def _add_setting(self, name: str, value: str) -> None:
        check_setting(name, value)
        if name in self._settings:
            raise PropsError(f"'name' ('{name}') must be a setting that is not set yet; remove one of the two")
        check_memory(self._settings | {name: value}, self._tenant.props.resources.limits.memory)
        path = "/spec/template/spec/containers/0/env/-"
        self.deployment.add_json_patch(JsonPatch.add(path, {"name": env_name(name), "value": value}))
        self._settings[name] = value

    def _add_service(self) -> ApiObject:
        tenant = self._tenant
        port = {
            "name": contract.PORT_NAME,
            "port": contract.PORT,
            "protocol": "TCP",
            "targetPort": contract.PORT_NAME,
        }
        return plain_object(
            self,
            "service",
            api_version="v1",
            kind="Service",
            metadata=tenant.metadata(service_name(tenant.name)),
            spec={
                # One address of each family that the cluster has.
                "ipFamilyPolicy": "PreferDualStack",
                "ports": [port],
                "selector": self._selector,
                "type": "ClusterIP",
            },
        )

    def _add_disruption_budget(self) -> ApiObject:
        """One pod at a time may be evicted; an unhealthy pod never blocks a drain."""
        spec = {
            "maxUnavailable": 1,
            "selector": {"matchLabels": self._selector},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }
        return self._add_object("disruption-budget", "policy/v1", "PodDisruptionBudget", spec)

    def _add_deployment(self) -> ApiObject:
        surge = self._tenant.props.rollout.surge
        template = pod.template(
            tenant=self._tenant,
            image=self.props.image,
            model=self.props.model,
            image_pull_secrets=self.props.image_pull_secrets,
            requires_keys=self.props.auth is not None,
            runtime=self.props.runtime,
            proxy=self.props.proxy,
        )
        metadata = template["metadata"]
        metadata["labels"] = {**self.props.labels, **metadata["labels"]}
        metadata["annotations"] = {**self.props.annotations, **metadata["annotations"]}
        template["spec"].update(self.props.scheduling.manifest())
        spec = {
            "progressDeadlineSeconds": _PROGRESS_DEADLINE_SECONDS,
            "selector": {"matchLabels": deployment_selector(self._tenant.name)},
            "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0}, "type": "RollingUpdate"},
            "template": template,
        }
        return self._add_object("deployment", "apps/v1", "Deployment", spec)

    def _add_store_authority(self) -> None:
        """The ConfigMap with the certificates of the store's authority, unless the pods use another one or no store."""
        bundle = self._tenant.props.model_store.ca_bundle
        if bundle is not None and bundle.pem is not None and ModelUri.parse(self.props.model).bucket:
            metadata = self._tenant.metadata(contract.STORE_CA_NAME)
            data = {contract.STORE_CA_KEY: bundle.pem}
            plain_object(self, "store-ca", api_version="v1", kind="ConfigMap", metadata=metadata, data=data)

    def _add_autoscaler(self) -> ApiObject:
        scaling = self._tenant.props.autoscaling

        def behavior(stabilization_seconds: int) -> dict[str, Any]:
            step = {"periodSeconds": _SCALE_PERIOD_SECONDS, "type": "Pods", "value": scaling.scale_up_pods}
            return {"policies": [step], "selectPolicy": "Max", "stabilizationWindowSeconds": stabilization_seconds}

        target = {"averageUtilization": scaling.target_cpu_percent, "type": "Utilization"}
        # The service's container only: containers that the cluster adds must not affect the scaling.
        cpu = {"container": CONTAINER, "name": "cpu", "target": target}
        spec = {
            "behavior": {"scaleDown": behavior(scaling.scale_down_after_seconds), "scaleUp": behavior(0)},
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"containerResource": cpu, "type": "ContainerResource"}],
            "minReplicas": scaling.min_replicas,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": self._name},
        }
        return self._add_object("autoscaler", "autoscaling/v2", "HorizontalPodAutoscaler", spec)

    def _add_service_monitor(self) -> ApiObject:
        """Scrapes every pod; the target's labels take precedence over labels that a pod exposes."""
        drop = monitoring.ServiceMonitorSpecEndpointsMetricRelabelingsAction.DROP
        endpoint = monitoring.ServiceMonitorSpecEndpoints(
            port=contract.PORT_NAME,
            path=contract.METRICS_PATH,
            interval=SCRAPE_INTERVAL,
            scrape_timeout=SCRAPE_TIMEOUT,
            honor_labels=False,
            metric_relabelings=[
                monitoring.ServiceMonitorSpecEndpointsMetricRelabelings(
                    action=drop, regex=each.regex, source_labels=list(each.labels)
                )
                for each in scraping.DROPPED
            ],
        )
        spec = monitoring.ServiceMonitorSpec(
            selector=monitoring.ServiceMonitorSpecSelector(match_labels=self._selector),
            endpoints=[endpoint],
        )
        metadata = self._monitoring_metadata()
        result: ApiObject = monitoring.ServiceMonitor(self, "service-monitor", metadata=metadata, spec=spec)
        return result

    def _own_rule_groups(self) -> list[dict[str, Any]]:
        return rule_groups(
            tenant=self._tenant.name,
            service=service_name(self._tenant.name),
            deployment=self._name,
            hpa=self._name,
            settings=self.props.alerts,
            runtime=self.props.runtime,
        )

    def _add_alertmanager_config(self) -> ApiObject | None:
        receiver = self.props.receiver
        if receiver is None:
            return None
        spec = alertmanager_config_spec(receiver)
        return self._add_monitoring_object("AlertmanagerConfig", spec, api_version=_ALERTMANAGER_API)

    def _add_http_route(self) -> ApiObject | None:
        gateway = self._tenant.props.gateway
        if self.props.hostname is None or gateway is None:
            return None
        from constructs_lib._route import http_route  # noqa: PLC0415 - its bindings take time, and few need them

        # All callers of the gateway have its address, so that no share of it is fair.
        self._add_setting("max_peer_share", "1")
        metadata, service = self._tenant.metadata(self._name), service_name(self._tenant.name)
        return http_route(self, metadata=metadata, gateway=gateway, host_name=self.props.hostname, service=service)

    def _add_monitoring_object(
        self, kind: str, spec: dict[str, Any], *, api_version: str = _MONITORING_API
    ) -> ApiObject:
        """An object that the cluster's Prometheus Operator selects by its labels."""
        metadata = self._monitoring_metadata()
        return plain_object(self, kind, api_version=api_version, kind=kind, metadata=metadata, spec=spec)

    def _monitoring_metadata(self) -> ApiObjectMetadata:
        tenant = self._tenant
        object_labels = {**tenant.labels, **tenant.props.monitoring.object_labels}
        return ApiObjectMetadata(name=self._name, namespace=tenant.name, labels=object_labels)

    def _add_object(self, construct_id: str, api_version: str, kind: str, spec: dict[str, Any]) -> ApiObject:
        metadata = self._tenant.metadata(self._name)
        return plain_object(self, construct_id, api_version=api_version, kind=kind, metadata=metadata, spec=spec)
