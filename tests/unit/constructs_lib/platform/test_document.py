"""platform.yaml: the effective values of a valid file, and the rules of its values."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from constructs_lib.platform import Defaults, Platform, Tenant
from tests.paths import TEMPLATE
from tests.unit.constructs_lib.platform.files import tenant, tenants, the_mistake, write


def test_the_initial_file_has_the_values_of_the_architecture(tmp_path: Path) -> None:
    platform = Platform.load(write(tmp_path, TEMPLATE.read_text("utf-8")))
    assert [each.name for each in platform.tenants] == ["tenant-a", "tenant-b"]
    for each in platform.tenants:
        assert (each.autoscaling.min_replicas, each.autoscaling.max_replicas) == (2, 10)
        assert each.autoscaling.target_cpu_percent == 50
        assert (each.resources.limits.cpu, each.resources.limits.memory) == ("500m", "512Mi")
        assert each.image == platform.platform.image
        assert each.model == f"s3://models/{each.name}/spam"


def test_a_value_comes_from_the_tenant_then_defaults_then_the_model(tmp_path: Path) -> None:
    text = tenants(
        "name: a\nmodel: s3://models/a/spam\nautoscaling: {maxReplicas: 6}",
        "name: b\nmodel: s3://models/b/spam\nimage: other/service:2.0\negress: []",
    )
    defaults = (
        "defaults:\n  autoscaling: {minReplicas: 3}\n  egress: [{cidr: 192.0.2.0/24, port: 5432}]\n"
        "  alerts: {quotaRatio: 0.8}\n"
    )
    one, two = Platform.load(write(tmp_path, text + defaults)).tenants
    assert (one.autoscaling.min_replicas, one.autoscaling.max_replicas, one.autoscaling.target_cpu_percent) == (
        3,
        6,
        50,
    )
    assert (two.autoscaling.min_replicas, two.autoscaling.max_replicas) == (3, 10)
    assert [each.cidr for each in one.egress] == ["192.0.2.0/24"]
    assert two.egress == ()
    assert (one.image, two.image) == ("registry.example/service:1.0", "other/service:2.0")
    assert one.alerts.quota_ratio == two.alerts.quota_ratio == 0.8


@pytest.mark.parametrize("field", sorted(set(Defaults.model_fields)))
def test_a_tenant_can_set_every_key_of_defaults(field: str) -> None:
    assert field in Tenant.model_fields


def test_values_given_in_python_are_checked_like_a_file() -> None:
    data: dict[str, Any] = {
        "api_version": "tenantry.dev/v1alpha1",
        "platform": {"image": "a/b:1"},
        "tenants": [{"name": "a", "model": "s3://models/a/m"}, {"name": "a", "model": "s3://models/a/m"}],
    }
    with pytest.raises(ValidationError, match=r"must be unique, but tenants\[0\] has it too"):
        Platform.model_validate(data)


def test_a_platform_cannot_be_changed(tmp_path: Path) -> None:
    platform = Platform.load(write(tmp_path, TEMPLATE.read_text("utf-8")))
    with pytest.raises(ValidationError, match="frozen"):
        platform.tenants[0].name = "other"


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ("autoscaling: {minReplicas: 11}", "autoscaling.minReplicas", "must be at most maxReplicas (10)"),
        ("autoscaling: {minReplicas: 0}", "autoscaling.minReplicas", "must be at least 1"),
        ("autoscaling: {targetCpuPercent: 101}", "autoscaling.targetCpuPercent", "must be at most 100"),
        ("autoscaling: {maxReplicas: many}", "autoscaling.maxReplicas", "must be a whole number"),
        ("resources: {requests: {cpu: 600m}}", "resources.requests.cpu", "must be at most the limit (500m)"),
        ("resources: {requests: {memory: 1Gi}}", "resources.requests.memory", "must be at most the limit (512Mi)"),
        (
            "resources: {requests: {ephemeralStorage: 1Gi}}",
            "resources.requests.ephemeralStorage",
            "at most the limit (256Mi)",
        ),
        ("resources: {limits: {cpu: 500}}", "resources.limits.cpu", "must be at most 32 cores"),
        ("resources: {limits: {cpu: 0.0001}}", "resources.limits.cpu", "CPU quantity"),
        ("resources: {limits: {cpu: 500 m}}", "resources.limits.cpu", "CPU quantity"),
        ("resources: {limits: {memory: 512}}", "resources.limits.memory", "memory quantity"),
        (
            "resources: {limits: {memory: 391Mi}}",
            "resources.limits.memory",
            "must be at least 392Mi, which is the most that the service takes with its default settings",
        ),
        ("resources: {limits: {memory: 512MB}}", "resources.limits.memory", "memory quantity"),
        ("quota: {pods: 24}", "quota.pods", "must be at least 25: maxReplicas + surge + terminating pods + headroom"),
        ("quota: {cpu: 12}", "quota.cpu", "must be at least 12500m"),
        ("quota: {ephemeralStorage: 6Gi}", "quota.ephemeralStorage", "must be at least 6400Mi"),
        ("quota: {memory: 12Gi}", "quota.memory", "must be at least 12800Mi"),
        (
            "rollout: {graceSeconds: 25}",
            "rollout.graceSeconds",
            "must be greater than preStopSeconds + drainSeconds (5 + 20)",
        ),
        ("image: registry.example:5000/service", "image", "must have a tag other than 'latest', or a digest"),
        ("image: service:latest", "image", "a tag other than 'latest'"),
        ("image: service@sha256:123", "image", "must be an image reference"),
        ("image: 'UPPER case:1'", "image", "must be an image reference"),
        ("egress: [{cidr: 192.0.2.1/24, port: 1}]", "egress[0].cidr", "has host bits set"),
        ("egress: [{cidr: 0.0.0.0/0, port: 1}]", "egress[0].cidr", "must not be the whole address space"),
        ("egress: [{cidr: 192.0.2.0/24, port: 65536}]", "egress[0].port", "must be at most 65535"),
        ("egress: [{cidr: 192.0.2.0/24}]", "egress[0].port", "is required"),
        ("imagePullSecrets: [Not_A_Name]", "imagePullSecrets[0]", "must be an object name"),
        (
            "receiver: {type: pigeon, secretName: s}",
            "receiver",
            "'pagerduty', 'msteams', 'opsgenie', 'email'",
        ),
        ("receiver: {type: slack, secretName: s}", "receiver.channel", "is required"),
        ("alerts: {quotaRatio: 1.5}", "alerts.quotaRatio", "must be less than 1"),
        ("alerts: {quotaRatio: lots}", "alerts.quotaRatio", "must be a number"),
        ("egress: {}", "egress", "must be a list"),
        ("autoscaling: []", "autoscaling", "must be a mapping"),
        ("image: 5", "image", "must be text"),
        ("egress: [{cidr: 192.0.2.0/24, port: 1, protocol: ICMP}]", "egress[0].protocol", "must be 'TCP' or 'UDP'"),
        ("receiver: {type: slack, secretName: s, channel: ''}", "receiver.channel", "must not be empty"),
        (
            "receiver: {type: slack, secretName: s, channel: c, sendResolved: x}",
            "receiver.sendResolved",
            "must be true or",
        ),
        ("alerts: {latencyThresholdSeconds: 0.2}", "alerts.latencyThresholdSeconds", "histogram"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(tmp_path: Path, more: str, field: str, rule: str) -> None:
    found = the_mistake(tmp_path, tenant(more))
    assert found.field == f"tenants[0].{field}"
    assert rule in found.rule
    assert found.fix


@pytest.mark.parametrize(
    "model",
    [
        "models/spam",
        "spam",
        "gs://models/tenant-a/spam",
        "s3://models/tenant-a/spam@sha256:12",
        "s3://models",
        "s3:",
        "file:",
    ],
)
def test_rejects_an_invalid_model_address(tmp_path: Path, model: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: tenant-a\nmodel: '{model}'"))
    assert (found.line, found.field) == (6, "tenants[0].model")
    assert "s3://models/<tenant>/<name>" in found.fix


def test_a_model_of_another_tenant_is_refused(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenants("name: tenant-a\nmodel: s3://models/tenant-b/spam"))
    assert found.field == "tenants[0].model"
    assert found.fix == "write s3://models/tenant-a/spam"


def test_a_quota_that_is_too_small_is_refused_with_the_sum(tmp_path: Path) -> None:
    assert the_mistake(tmp_path, tenant("quota: {pods: 24}")).rule == (
        "must be at least 25: maxReplicas + surge + terminating pods + headroom is 10 + 1 + 10 + 4 = 25 pods"
    )


def test_the_names_of_cluster_components_are_kept_as_written(tmp_path: Path) -> None:
    text = tenant("imagePullSecrets: [registry.example]").replace(
        "tenants:",
        "  monitoring: {namespace: observability}\n"
        "  modelStore: {endpoint: 'https://s3.example/', namespace: null}\n"
        "  network: {exceptCidrs: [203.0.113.0/24]}\n"
        "tenants:",
    )
    platform = Platform.load(write(tmp_path, text))
    assert platform.platform.monitoring.namespace == "observability"
    assert (platform.platform.model_store.endpoint, platform.platform.model_store.port) == ("https://s3.example/", 443)
    assert platform.platform.network.except_cidrs == ("203.0.113.0/24",)
    assert platform.tenants[0].image_pull_secrets == ("registry.example",)


def test_rejects_an_invalid_namespace(tmp_path: Path) -> None:
    text = tenant().replace("tenants:", "  dns: {namespace: Kube_System}\ntenants:")
    assert "must be a DNS label" in the_mistake(tmp_path, text).rule


def test_accepts_a_quota_that_is_just_large_enough(tmp_path: Path) -> None:
    quota = "quota: {headroomPods: 0, pods: 21, cpu: 10500m, memory: 10752Mi}"
    platform = Platform.load(write(tmp_path, tenant(quota)))
    assert platform.tenants[0].quota.pods == 21
