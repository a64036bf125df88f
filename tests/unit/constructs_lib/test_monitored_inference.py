"""MonitoredInference: the workload and its monitoring, object by object."""

from dataclasses import fields, replace
from typing import Any

import pytest

from constructs_lib import (
    IsolatedTenant,
    MonitoredInference,
    MonitoredInferenceProps,
    PropsError,
)
from constructs_lib import _environment as environment
from constructs_lib.monitoring.scraping import DROPPED
from constructs_lib.platform import CallerLimits, Monitoring
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.pods import Scheduling
from constructs_lib.platform.receivers import SlackReceiver
from constructs_lib.platform.workload import Autoscaling, Resources, Rollout
from tests.kube import Object, by_kind, make_chart
from tests.unit.constructs_lib.inferences import (
    BEHIND_GATEWAY,
    IMAGE,
    MODEL,
    SELECTOR,
    TENANT,
    container_of,
    environment_of,
    synth,
)

OLD_SELECTOR = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth()


# --- minimal props ------------------------------------------------------------------------------------------------


def test_an_image_and_a_model_are_enough(minimal: list[Object]) -> None:
    isolation = ("Namespace", "ServiceAccount", "Role", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy")
    assert [
        (each["kind"], each["metadata"]["name"], each["metadata"]["namespace"])
        for each in minimal
        if each["kind"] not in isolation
    ] == [
        ("Service", "tenant-a-ml-inference-svc", "tenant-a"),
        ("PodDisruptionBudget", "tenant-a-ml-inference", "tenant-a"),
        ("Deployment", "tenant-a-ml-inference", "tenant-a"),
        ("HorizontalPodAutoscaler", "tenant-a-ml-inference", "tenant-a"),
        ("ServiceMonitor", "tenant-a-ml-inference", "tenant-a"),
        ("PrometheusRule", "tenant-a-ml-inference", "tenant-a"),
    ]


def test_the_service_has_a_cluster_ip_and_port_8000(minimal: list[Object]) -> None:
    assert by_kind(minimal, "Service")["spec"] == {
        "ipFamilyPolicy": "PreferDualStack",
        "type": "ClusterIP",
        "selector": SELECTOR,
        "ports": [{"name": "http", "port": 8000, "protocol": "TCP", "targetPort": "http"}],
    }


def test_the_autoscaler_owns_the_replicas(minimal: list[Object]) -> None:
    assert "replicas" not in by_kind(minimal, "Deployment")["spec"]
    spec = by_kind(minimal, "HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tenant-a-ml-inference"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    assert spec["metrics"] == [
        {
            "type": "ContainerResource",
            "containerResource": {
                "container": "inference",
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50},
            },
        }
    ]


def test_pods_are_added_two_at_a_time_and_removed_after_five_minutes_of_low_load(minimal: list[Object]) -> None:
    behavior = by_kind(minimal, "HorizontalPodAutoscaler")["spec"]["behavior"]
    step = {"type": "Pods", "value": 2, "periodSeconds": 15}
    assert behavior["scaleUp"] == {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [step]}
    assert behavior["scaleDown"] == {"stabilizationWindowSeconds": 300, "selectPolicy": "Max", "policies": [step]}


def test_pods_are_selected_by_two_labels_that_never_change(minimal: list[Object]) -> None:
    deployment = by_kind(minimal, "Deployment")["spec"]
    assert deployment["selector"] == {"matchLabels": OLD_SELECTOR}, "it is immutable"
    assert by_kind(minimal, "PodDisruptionBudget")["spec"]["selector"] == {"matchLabels": SELECTOR}
    assert deployment["template"]["metadata"]["labels"].items() >= SELECTOR.items()
    assert not any("cdk8s" in key for key in deployment["template"]["metadata"]["labels"])


def test_no_pod_stops_before_its_replacement_is_ready(minimal: list[Object]) -> None:
    strategy = by_kind(minimal, "Deployment")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert by_kind(minimal, "Deployment")["spec"]["progressDeadlineSeconds"] == 300


def test_one_pod_at_a_time_may_be_evicted_and_an_unhealthy_one_always(minimal: list[Object]) -> None:
    spec = by_kind(minimal, "PodDisruptionBudget")["spec"]
    assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_prometheus_scrapes_every_pod_each_thirty_seconds(minimal: list[Object]) -> None:
    assert by_kind(minimal, "ServiceMonitor")["spec"] == {
        "selector": {"matchLabels": SELECTOR},
        "endpoints": [
            {
                "port": "http",
                "path": "/metrics",
                "interval": "30s",
                "scrapeTimeout": "10s",
                "honorLabels": False,
                "metricRelabelings": [
                    {"action": "drop", "regex": each.regex, "sourceLabels": list(each.labels)} for each in DROPPED
                ],
            }
        ],
    }
    assert by_kind(minimal, "Service")["metadata"]["labels"].items() >= SELECTOR.items()


def test_all_rules_are_about_this_tenant(minimal: list[Object]) -> None:
    groups = by_kind(minimal, "PrometheusRule")["spec"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert any("alert" in rule for rule in rules)
    assert {rule["labels"]["namespace"] for rule in rules} == {"tenant-a"}


# --- all props ----------------------------------------------------------------------------------------------------


RECEIVER = SlackReceiver(type="slack", secret_name="slack", channel="#a")  # noqa: S106 - a name
OTHERS: dict[str, Any] = {
    "alerts": AlertSettings(latency_threshold_seconds=0.5),
    "image_pull_secrets": ("registry", "mirror"),
    "receiver": RECEIVER,
    "auth": "apiKeys",
    "limits": CallerLimits(requests_per_second=2.5, burst=10, texts_per_minute=600),
    "allowed_origins": ("https://app.example.com", "http://localhost:5173"),
    "runtime": "onnx",
    "hostname": "tenant-a.models.example.com",
    "scheduling": Scheduling(priority_class="serving"),
    "labels": {"team": "risk"},
    "annotations": {"owner": "someone"},
    "proxy": "http://proxy.example.com:3128",
}


def test_all_props_are_tested() -> None:
    """A new prop that this module does not set fails this test."""
    assert {each.name for each in fields(MonitoredInferenceProps)} == {"tenant", "image", "model", *OTHERS}


def test_all_props_reach_the_objects(minimal: list[Object]) -> None:
    found = synth(BEHIND_GATEWAY, **OTHERS)
    spec = by_kind(found, "Deployment")["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]
    assert spec["priorityClassName"] == "serving"
    metadata = by_kind(found, "Deployment")["spec"]["template"]["metadata"]
    assert (metadata["labels"]["team"], metadata["annotations"]["owner"]) == ("risk", "someone")
    assert by_kind(found, "PrometheusRule")["spec"] != by_kind(minimal, "PrometheusRule")["spec"]
    config = by_kind(found, "AlertmanagerConfig")
    assert config["metadata"]["namespace"] == "tenant-a"
    (receiver,) = config["spec"]["receivers"]
    assert receiver["slackConfigs"][0]["apiURL"] == {"name": "slack", "key": "url"}
    assert by_kind(found, "HTTPRoute")["spec"]["hostnames"] == ["tenant-a.models.example.com"]
    container = by_kind(found, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "INFERENCE_RUNTIME", "value": "onnx"} in container["env"]
    assert {"name": "INFERENCE_STORE_PROXY", "value": "http://proxy.example.com:3128"} in container["env"]
    (container,) = spec["containers"]
    assert {"name": "INFERENCE_API_KEYS_DIR", "value": "/etc/tenantry/api-keys"} in container["env"]
    for name, value in (("REQUESTS_PER_SECOND", "2.5"), ("BURST", "10"), ("TEXTS_PER_MINUTE", "600")):
        assert {"name": f"INFERENCE_LIMIT_{name}", "value": value} in container["env"]
    origins = "https://app.example.com http://localhost:5173"
    assert {"name": "INFERENCE_ALLOWED_ORIGINS", "value": origins} in container["env"]
    mount = {"mountPath": "/etc/tenantry/api-keys", "name": "api-keys", "readOnly": True}
    assert mount in container["volumeMounts"]
    assert {"name": "api-keys", "secret": {"optional": True, "secretName": "api-keys"}} in spec["volumes"]


def test_without_a_receiver_the_tenant_has_no_route(minimal: list[Object]) -> None:
    assert not [each for each in minimal if each["kind"] == "AlertmanagerConfig"]


# --- overrides ----------------------------------------------------------------------------------------------------


def test_autoscaling_comes_from_the_tenant() -> None:
    scaling = Autoscaling(
        min_replicas=3, max_replicas=7, target_cpu_percent=70, scale_up_pods=1, scale_down_after_seconds=60
    )
    spec = by_kind(synth(replace(TENANT, autoscaling=scaling)), "HorizontalPodAutoscaler")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 7)
    assert spec["metrics"][0]["containerResource"]["target"]["averageUtilization"] == 70
    assert spec["behavior"]["scaleUp"]["policies"][0]["value"] == 1
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 60


def test_the_rollout_comes_from_the_tenant() -> None:
    found = synth(replace(TENANT, rollout=Rollout(surge=3, pre_stop_seconds=7, drain_seconds=40, grace_seconds=60)))
    spec = by_kind(found, "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 3
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 60
    assert container_of(found)["lifecycle"]["preStop"]["sleep"]["seconds"] == 7
    assert environment_of(container_of(found))["INFERENCE_DRAIN_SECONDS"] == "40"


def test_monitoring_objects_have_the_labels_that_prometheus_selects() -> None:
    props = replace(TENANT, monitoring=Monitoring(object_labels={"release": "monitoring"}))
    found = synth(props, receiver=RECEIVER)
    for kind in ("ServiceMonitor", "PrometheusRule", "AlertmanagerConfig"):
        assert by_kind(found, kind)["metadata"]["labels"]["release"] == "monitoring"
    assert "release" not in by_kind(found, "Deployment")["metadata"]["labels"]


# --- rejections ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"image": "service"},
            r"'image' \('service'\) must have a tag other than 'latest', or a digest.*; write service:<version>",
        ),
        ({"image": "service:latest"}, r"a tag other than 'latest'"),
        ({"image": "Service:1"}, r"must be an image reference"),
        ({"model": "models/spam"}, r"'model' \('models/spam'\) must be a URI"),
        ({"model": "s3://models/tenant-b/spam"}, r"must be a model of 'tenant-a'.*; write s3://models/tenant-a/spam"),
        ({"labels": {"team": "a b"}}, r"'labels' .* must contain valid Kubernetes labels"),
        ({"annotations": {"a.b/c": "d"}}, r"'annotations' .* must contain names without a prefix"),
        ({"hostname": "a.example.com"}, r"'hostname' \('a.example.com'\) .*requires platform.gateway"),
        ({"image_pull_secrets": ("ok", "Not_Ok")}, r"'image_pull_secrets' \('Not_Ok'\) must be an object name"),
    ],
)
def test_rejects_invalid_props(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PropsError, match=message):
        synth(**change)


def test_rejects_a_setting_that_the_service_does_not_have() -> None:
    with pytest.raises(PropsError, match=r"'name' \('model_url'\) must be a field of"):
        environment.env_name("model_url")


def test_rejects_a_memory_limit_that_the_service_could_exceed() -> None:
    """By the service's own formula, with its default settings."""
    limits = {"limits": {"memory": "391Mi"}}
    tenant = IsolatedTenant(make_chart(), "tenant", replace(TENANT, resources=Resources.model_validate(limits)))
    with pytest.raises(
        PropsError, match=r"'tenant.resources.limits.memory' \('391Mi'\) must be at least 392Mi, .* raise it"
    ):
        MonitoredInferenceProps(tenant=tenant, image=IMAGE, model=MODEL)


# --- public attributes --------------------------------------------------------------------------------------------


def test_children_are_attributes() -> None:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", BEHIND_GATEWAY)
    props = MonitoredInferenceProps(tenant=tenant, image=IMAGE, model=MODEL, **OTHERS)
    inference = MonitoredInference(chart, "inference", props)
    assert inference.props is props
    assert inference.alertmanager_config is not None
    assert inference.http_route is not None
    kinds = {
        each.kind: each.name
        for each in (
            inference.deployment,
            inference.autoscaler,
            inference.disruption_budget,
            inference.service,
            inference.service_monitor,
            inference.prometheus_rule,
            inference.alertmanager_config,
            inference.http_route,
        )
    }
    assert kinds.pop("Service") == "tenant-a-ml-inference-svc"
    assert kinds == dict.fromkeys(
        (
            "Deployment",
            "HorizontalPodAutoscaler",
            "PodDisruptionBudget",
            "ServiceMonitor",
            "PrometheusRule",
            "AlertmanagerConfig",
            "HTTPRoute",
        ),
        "tenant-a-ml-inference",
    )
