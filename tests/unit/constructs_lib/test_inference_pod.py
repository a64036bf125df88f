"""The pod of MonitoredInference: its container, environment and shutdown."""

from dataclasses import replace

import pytest

from constructs_lib.platform import ModelStore
from constructs_lib.platform.workload import Resources, Rollout
from inference import contract
from inference.settings import Settings
from tests.kube import Object, by_kind
from tests.unit.constructs_lib.inferences import IMAGE, MODEL, SELECTOR, TENANT, container_of, environment_of, synth


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


def test_a_terminating_pod_continues_to_serve_and_has_time_to_drain(pod: Object, container: Object) -> None:
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    drain = float(environment_of(container)["INFERENCE_DRAIN_SECONDS"])
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
    assert environment_of(container) == {
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
    own = {name: value for name, value in environment_of(container).items() if name.startswith(contract.ENV_PREFIX)}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    settings = Settings()  # type: ignore[call-arg] # from the environment
    assert (settings.model_uri, settings.drain_seconds) == (MODEL, 20)


def test_resources_come_from_the_tenant() -> None:
    resources = Resources.model_validate(
        {
            "requests": {"cpu": "1", "memory": "1Gi", "ephemeralStorage": "1Gi"},
            "limits": {"cpu": "2", "memory": "2Gi", "ephemeralStorage": "2Gi"},
        }
    )
    assert container_of(synth(replace(TENANT, resources=resources)))["resources"] == {
        "requests": {"cpu": "1", "ephemeral-storage": "1Gi", "memory": "1Gi"},
        "limits": {"cpu": "2", "ephemeral-storage": "2Gi", "memory": "2Gi"},
    }


def test_without_pre_stop_seconds_there_is_no_hook() -> None:
    assert "lifecycle" not in container_of(synth(replace(TENANT, rollout=Rollout(pre_stop_seconds=0))))


def test_another_store_reaches_the_environment() -> None:
    store = ModelStore(endpoint="https://s3.example", namespace=None, region="eu-west-1")
    found = environment_of(container_of(synth(replace(TENANT, model_store=store))))
    assert found["AWS_ENDPOINT_URL"] == "https://s3.example"
    assert found["AWS_REGION"] == "eu-west-1"
    assert found["AWS_ALLOW_HTTP"] == "false"


def test_a_model_in_the_image_needs_neither_store_nor_secret() -> None:
    found = container_of(synth(model="file:/models/spam"))
    assert {each["name"] for each in found["env"]} == {"INFERENCE_MODEL_URI", "INFERENCE_DRAIN_SECONDS"}
