"""MonitoredInference: the workload and its monitoring, object by object."""

from dataclasses import fields, replace
from typing import Any

import pytest

from constructs_lib import (
    Alert,
    IsolatedTenant,
    IsolatedTenantProps,
    MonitoredInference,
    MonitoredInferenceProps,
    PropsError,
)
from constructs_lib import _environment as environment
from constructs_lib.monitoring.scraping import DROPPED
from constructs_lib.platform import CallerLimits, Gateway, ModelStore, Monitoring
from constructs_lib.platform.alerts import AlertSettings
from constructs_lib.platform.pods import Scheduling
from constructs_lib.platform.receivers import SlackReceiver
from constructs_lib.platform.workload import Autoscaling, Resources, Rollout
from inference import contract
from inference.settings import Settings
from tests.kube import Object, by_kind, make_chart, objects_of

TENANT = IsolatedTenantProps(name="tenant-a")
IMAGE = "registry.example/service:1.0"
MODEL = "s3://models/tenant-a/spam"
SELECTOR = {"tenantry.dev/tenant": "tenant-a"}
OLD_SELECTOR = {"app.kubernetes.io/name": "ml-inference", "app.kubernetes.io/instance": "tenant-a"}


def synth(tenant_props: IsolatedTenantProps = TENANT, **props: Any) -> list[Object]:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", tenant_props)
    given = {"image": IMAGE, "model": MODEL, **props}
    MonitoredInference(chart, "inference", MonitoredInferenceProps(tenant=tenant, **given))
    return objects_of(chart)


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth()


@pytest.fixture(scope="module")
def pod(minimal: list[Object]) -> Object:
    found: Object = by_kind(minimal, "Deployment")["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def container(pod: Object) -> Object:
    (found,) = pod["containers"]
    assert isinstance(found, dict)
    return found


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


def test_a_terminating_pod_continues_to_serve_and_has_time_to_drain(pod: Object, container: Object) -> None:
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    drain = float(_env(container)["INFERENCE_DRAIN_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] > 5 + drain


def test_a_pod_is_live_when_it_answers_and_ready_when_it_can_predict(container: Object) -> None:
    assert container["startupProbe"]["httpGet"] == {"path": contract.LIVENESS_PATH, "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": contract.LIVENESS_PATH, "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": contract.READINESS_PATH, "port": "http"}
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 60
    assert (container["livenessProbe"]["failureThreshold"], container["livenessProbe"]["periodSeconds"]) == (3, 10)
    assert (container["readinessProbe"]["failureThreshold"], container["readinessProbe"]["periodSeconds"]) == (2, 2)
    assert {container[f"{kind}Probe"]["timeoutSeconds"] for kind in ("startup", "liveness", "readiness")} == {2}


def test_the_container_is_hardened(pod: Object, container: Object) -> None:
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "tenant-a-ml-inference"
    assert pod["enableServiceLinks"] is False


def test_the_emptydir_does_not_keep_the_cluster_autoscaler_from_removing_a_node(minimal: list[Object]) -> None:
    annotations = by_kind(minimal, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"


def test_only_a_small_tmp_is_writable(pod: Object, container: Object) -> None:
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - in the pod


def test_a_pod_requests_half_of_its_limits(container: Object) -> None:
    assert container["resources"] == {
        "requests": {"cpu": "250m", "ephemeral-storage": "128Mi", "memory": "256Mi"},
        "limits": {"cpu": "500m", "ephemeral-storage": "256Mi", "memory": "512Mi"},
    }


def test_pods_of_a_version_are_spread_over_nodes(pod: Object) -> None:
    assert pod["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": SELECTOR},
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def test_the_container_runs_the_service(container: Object) -> None:
    assert container["name"] == "inference"
    assert container["image"] == IMAGE
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_the_environment_names_the_model_and_the_store(container: Object) -> None:
    assert _env(container) == {
        "INFERENCE_MODEL_URI": MODEL,
        "INFERENCE_DRAIN_SECONDS": "20",
        "AWS_ENDPOINT_URL": "http://minio-api.minio.svc:9000",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
    }


def test_the_stores_keys_come_from_a_secret(container: Object) -> None:
    named = {each["name"]: each["valueFrom"] for each in container["env"] if "valueFrom" in each}
    assert named == {
        key: {"secretKeyRef": {"name": "model-store", "key": key}}
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }


def test_the_service_reads_every_variable(container: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {name: value for name, value in _env(container).items() if name.startswith(contract.ENV_PREFIX)}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    settings = Settings()  # type: ignore[call-arg] # from the environment
    assert (settings.model_uri, settings.drain_seconds) == (MODEL, 20)


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
GATEWAY = Gateway(
    name="public",
    namespace="gateway",
    section_name="https",
    pod_labels={"app": "envoy"},
    domain="models.example.com",
)
BEHIND_GATEWAY = IsolatedTenantProps(name="tenant-a", gateway=GATEWAY)


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


@pytest.fixture(scope="module")
def route() -> Object:
    found: Object = by_kind(synth(BEHIND_GATEWAY, hostname="tenant-a.models.example.com"), "HTTPRoute")["spec"]
    return found


def test_the_route_lets_every_method_through_so_that_the_service_answers_preflights(route: Object) -> None:
    (rule,) = route["rules"]
    assert {tuple(match) for match in rule["matches"]} == {("path",)}
    assert "filters" not in rule


def test_the_route_leads_from_the_gateways_listener_to_the_service(route: Object) -> None:
    assert route["parentRefs"] == [{"name": "public", "namespace": "gateway", "sectionName": "https"}]
    (rule,) = route["rules"]
    assert rule["backendRefs"] == [{"name": "tenant-a-ml-inference-svc", "port": 8000}]


def test_the_route_waits_longer_than_the_service(route: Object) -> None:
    """The service ends a slow request first, with an answer that gives the reason."""
    service = Settings(model_uri="file:m")
    longest = service.header_timeout_seconds + 2 * service.body_timeout_seconds
    assert route["rules"][0]["timeouts"] == {"request": f"{longest:g}s"}
    assert service.keep_alive_seconds > longest


ROUTED = ("/", "/predict", "/model", "/v2", "/v2/", "/v2/models/m/infer", "/page/page.js", "/docs", "/openapi.json")
PROBES = ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/predict/metrics", "/healthz", "/readyz")


@pytest.mark.parametrize("path", ROUTED)
def test_what_callers_need_is_routed(route: Object, path: str) -> None:
    assert _is_routed(route, path)


@pytest.mark.parametrize("path", [*PROBES, "/v2metrics", "/v3", "/anything"])
def test_metrics_probes_and_unknown_paths_are_never_routed(route: Object, path: str) -> None:
    assert not _is_routed(route, path)


def _is_routed(route: Object, path: str) -> bool:
    """Whether a path matches, as Gateway API defines `Exact` and `PathPrefix`."""
    return any(
        path == match["path"]["value"] or (is_prefix and path.startswith(match["path"]["value"].rstrip("/") + "/"))
        for rule in route["rules"]
        for match in rule["matches"]
        for is_prefix in [match["path"]["type"] == "PathPrefix"]
    )


def test_a_gateway_may_use_all_of_the_service(minimal: list[Object]) -> None:
    """Callers of a gateway have its address, so the service must not limit the share of one address."""
    found = synth(BEHIND_GATEWAY, hostname="tenant-a.models.example.com")
    for objects, value in ((minimal, None), (found, "1")):
        environment = by_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {each["name"]: each.get("value") for each in environment}.get("INFERENCE_MAX_PEER_SHARE") == value


def test_without_a_host_name_the_tenant_has_no_http_route(minimal: list[Object]) -> None:
    assert not [each for each in [*minimal, *synth(BEHIND_GATEWAY)] if each["kind"] == "HTTPRoute"]


def test_without_a_receiver_the_tenant_has_no_route(minimal: list[Object]) -> None:
    assert not [each for each in minimal if each["kind"] == "AlertmanagerConfig"]


# --- overrides: the tenant sets resources, autoscaling and rollout -------------------------------------------------


def test_resources_come_from_the_tenant() -> None:
    resources = Resources.model_validate(
        {
            "requests": {"cpu": "1", "memory": "1Gi", "ephemeralStorage": "1Gi"},
            "limits": {"cpu": "2", "memory": "2Gi", "ephemeralStorage": "2Gi"},
        }
    )
    assert _container(synth(replace(TENANT, resources=resources)))["resources"] == {
        "requests": {"cpu": "1", "ephemeral-storage": "1Gi", "memory": "1Gi"},
        "limits": {"cpu": "2", "ephemeral-storage": "2Gi", "memory": "2Gi"},
    }


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
    assert _container(found)["lifecycle"]["preStop"]["sleep"]["seconds"] == 7
    assert _env(_container(found))["INFERENCE_DRAIN_SECONDS"] == "40"


def test_without_pre_stop_seconds_there_is_no_hook() -> None:
    assert "lifecycle" not in _container(synth(replace(TENANT, rollout=Rollout(pre_stop_seconds=0))))


def test_another_store_reaches_the_environment() -> None:
    store = ModelStore(endpoint="https://s3.example", namespace=None, region="eu-west-1")
    found = _env(_container(synth(replace(TENANT, model_store=store))))
    assert found["AWS_ENDPOINT_URL"] == "https://s3.example"
    assert found["AWS_REGION"] == "eu-west-1"
    assert found["AWS_ALLOW_HTTP"] == "false"


def test_a_model_in_the_image_needs_neither_store_nor_secret() -> None:
    found = _container(synth(model="file:/models/spam"))
    assert {each["name"] for each in found["env"]} == {"INFERENCE_MODEL_URI", "INFERENCE_DRAIN_SECONDS"}


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


# --- extension ----------------------------------------------------------------------------------------------------

ALERT = Alert(name="QueueIsLong", expression="queue_length > 10", summary="The queue is long.", description="It is.")


def _inference() -> tuple[Any, MonitoredInference]:
    chart = make_chart()
    tenant = IsolatedTenant(chart, "tenant", TENANT)
    props = MonitoredInferenceProps(tenant=tenant, image=IMAGE, model=MODEL)
    return chart, MonitoredInference(chart, "inference", props)


def test_rejects_a_memory_limit_that_the_service_could_exceed() -> None:
    """By the service's own formula, with its default settings."""
    limits = {"limits": {"memory": "391Mi"}}
    tenant = IsolatedTenant(make_chart(), "tenant", replace(TENANT, resources=Resources.model_validate(limits)))
    with pytest.raises(
        PropsError, match=r"'tenant.resources.limits.memory' \('391Mi'\) must be at least 392Mi, .* raise it"
    ):
        MonitoredInferenceProps(tenant=tenant, image=IMAGE, model=MODEL)


def test_added_alerts_follow_the_platforms_rules_in_a_group_of_their_own(minimal: list[Object]) -> None:
    chart, inference = _inference()
    inference.add_alert(ALERT)
    inference.add_alert(
        replace(
            ALERT,
            name="QueueIsFull",
            severity="critical",
            for_minutes=1,
            labels={"team": "a"},
            runbook_url="https://runbook.example/",
        )
    )
    *platform, added = by_kind(objects_of(chart), "PrometheusRule")["spec"]["groups"]
    assert platform == by_kind(minimal, "PrometheusRule")["spec"]["groups"]
    assert added == {
        "name": "inference-added",
        "rules": [
            {
                "alert": "QueueIsLong",
                "expr": "queue_length > 10",
                "for": "5m",
                "labels": {"namespace": "tenant-a", "severity": "warning", "tenant": "tenant-a"},
                "annotations": {"summary": "The queue is long.", "description": "It is."},
            },
            {
                "alert": "QueueIsFull",
                "expr": "queue_length > 10",
                "for": "1m",
                "labels": {"team": "a", "namespace": "tenant-a", "severity": "critical", "tenant": "tenant-a"},
                "annotations": {
                    "summary": "The queue is long.",
                    "description": "It is.",
                    "runbook_url": "https://runbook.example/",
                },
            },
        ],
    }


def test_added_alerts_are_readable() -> None:
    _, inference = _inference()
    assert not inference.alerts
    inference.add_alert(ALERT)
    assert inference.alerts == (ALERT,)


@pytest.mark.parametrize("name", ["QueueIsLong", "InferenceTargetDown"])
def test_rejects_a_second_alert_of_a_name(name: str) -> None:
    _, inference = _inference()
    inference.add_alert(ALERT)
    with pytest.raises(PropsError, match=rf"'name' \('{name}'\) must be unique"):
        inference.add_alert(replace(ALERT, name=name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Queue is long"}, "'name' .* letters, digits and underscores"),
        ({"expression": " "}, "'expression' .* must not be empty"),
        ({"summary": ""}, "'summary' .* must not be empty"),
        ({"description": ""}, "'description' .* must not be empty"),
        ({"for_minutes": -1}, "'for_minutes' .* must be at least 0"),
        ({"labels": {"tenant": "b", "severity": "info"}}, r"'labels' \(severity, tenant\) must not set"),
    ],
)
def test_rejects_an_invalid_alert(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PropsError, match=message):
        replace(ALERT, **change)


def test_an_added_setting_reaches_every_pod() -> None:
    chart, inference = _inference()
    inference.add_setting("max_in_flight", "16")
    assert _env(_container(objects_of(chart)))["INFERENCE_MAX_IN_FLIGHT"] == "16"
    assert inference.settings == {"max_in_flight": "16"}
    inference.settings.clear()
    assert inference.settings == {"max_in_flight": "16"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_in_flights", "16", r"'name' \('max_in_flights'\) must be a field of"),
        ("max_in_flight", "many", r"'max_in_flight' \('many'\) Input should be a valid integer"),
        ("log_level", "loud", r"'log_level' \('loud'\) String should match pattern"),
    ],
)
def test_rejects_a_setting_that_the_service_would_refuse(name: str, value: str, message: str) -> None:
    _, inference = _inference()
    with pytest.raises(PropsError, match=message):
        inference.add_setting(name, value)


@pytest.mark.parametrize("name", ["model_uri", "drain_seconds", "port", "max_in_flight"])
def test_rejects_a_setting_that_is_already_set(name: str) -> None:
    _, inference = _inference()
    inference.add_setting("max_in_flight", "16")
    with pytest.raises(PropsError, match=rf"'name' \('{name}'\) must be a setting that is not set yet"):
        inference.add_setting(name, "8000")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"max_buffered_bytes": "201326592"},
            r"'max_buffered_bytes' \(201326592\) .* limit \(512Mi\).* take 552Mi; lower",
        ),
        ({"max_connections": "10000"}, r"'max_connections' \(10000\) must leave the pod below its memory limit"),
        (
            {"max_buffered_bytes": "134217728", "max_body_bytes": "6000000"},
            r"'max_body_bytes' .* must leave the pod below",
        ),
    ],
)
def test_rejects_settings_that_could_exceed_the_memory_limit(settings: dict[str, str], message: str) -> None:
    _, inference = _inference()
    *allowed, last = settings.items()
    for name, value in allowed:
        inference.add_setting(name, value)
    with pytest.raises(PropsError, match=message):
        inference.add_setting(*last)


def _container(objects: list[Object]) -> Object:
    found: Object = by_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def _env(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}
