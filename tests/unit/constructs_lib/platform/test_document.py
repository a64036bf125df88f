"""platform.yaml: effective values of a right file, and what a wrong one is told."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from constructs_lib.platform import Defaults, Platform, PlatformError, Tenant
from constructs_lib.platform.checks import warnings
from constructs_lib.platform.errors import Mistake
from tenantry.commands.init import FIRST

HEAD = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: registry.example/service:1.0
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "platform.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tenants(*entries: str) -> str:
    """A file with these tenants, each as the text behind its dash."""
    return HEAD + "tenants:\n" + "".join(f"  - {textwrap.indent(entry, '    ').strip()}\n" for entry in entries)


def tenant(more: str = "", name: str = "tenant-a") -> str:
    """A file with one tenant, right but for what `more` says."""
    return tenants(f"name: {name}\nmodel: s3://models/{name}/spam\n{more}")


def mistakes(folder: Path, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(PlatformError) as caught:
        Platform.load(write(folder, text))
    return caught.value.mistakes


def the_mistake(folder: Path, text: str) -> Mistake:
    found = mistakes(folder, text)
    assert len(found) == 1, found
    return found[0]


def test_the_first_file_has_the_numbers_of_the_architecture(tmp_path: Path) -> None:
    platform = Platform.load(write(tmp_path, FIRST))
    assert [each.name for each in platform.tenants] == ["tenant-a", "tenant-b"]
    for each in platform.tenants:
        assert (each.autoscaling.min_replicas, each.autoscaling.max_replicas) == (2, 10)
        assert each.autoscaling.target_cpu_percent == 50
        assert (each.resources.limits.cpu, each.resources.limits.memory) == ("500m", "512Mi")
        assert each.image == platform.platform.image
        assert each.model == f"s3://models/{each.name}/spam"


def test_a_tenant_takes_what_it_does_not_say_from_defaults_and_then_from_the_model(tmp_path: Path) -> None:
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
def test_whatever_defaults_may_say_a_tenant_may_say_too(field: str) -> None:
    assert field in Tenant.model_fields


def test_a_model_given_in_python_is_checked_like_a_file() -> None:
    data: dict[str, Any] = {
        "api_version": "tenantry.dev/v1alpha1",
        "platform": {"image": "a/b:1"},
        "tenants": [{"name": "a", "model": "s3://models/a/m"}, {"name": "a", "model": "s3://models/a/m"}],
    }
    with pytest.raises(ValidationError, match=r"is unique, but tenants\[0\] has it too"):
        Platform.model_validate(data)


def test_a_platform_cannot_be_changed(tmp_path: Path) -> None:
    platform = Platform.load(write(tmp_path, FIRST))
    with pytest.raises(ValidationError, match="frozen"):
        platform.tenants[0].name = "other"


def test_a_mistake_names_file_line_column_field_value_rule_and_fix(tmp_path: Path) -> None:
    path = write(tmp_path, tenant("autoscaling:\n  minReplicas: 12"))
    with pytest.raises(PlatformError) as caught:
        Platform.load(path)
    assert str(caught.value) == (
        f"{path} has 1 mistake; nothing was written\n\n"
        f"{path}:8:20: tenants[0].autoscaling.minReplicas = 12\n"
        "  rule: is at most maxReplicas, 10\n"
        "  fix:  lower it or raise maxReplicas"
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = tenants(
        "name: Tenant_A\nmodel: models/spam\nautoscalling: {}",
        "name: b\nmodel: s3://models/b/spam\nresources: {limits: {memory: 400m}}\nname: c",
        "model: s3://models/c/spam\negress: [{cidr: 10.0.0.1/8, port: 0}]",
    ).replace("service:1.0", "service")
    assert [(each.line, each.field) for each in mistakes(tmp_path, text)] == [
        (3, "platform.image"),
        (5, "tenants[0].name"),
        (6, "tenants[0].model"),
        (7, "tenants[0].autoscalling"),
        (10, "tenants[1].resources.limits.memory"),
        (11, "tenants[1].name"),
        (12, "tenants[2].name"),
        (13, "tenants[2].egress[0].cidr"),
        (13, "tenants[2].egress[0].port"),
    ]


@pytest.mark.parametrize(
    "wrong",
    ["autoscaling: {maxReplicas: many}", "receiver: {type: pigeon}", "egres: []", "resources: {limits: {cpu: 1 core}}"],
)
def test_names_are_held_against_each_other_also_where_something_else_is_wrong(tmp_path: Path, wrong: str) -> None:
    text = tenants(
        f"name: a\nmodel: s3://models/a/m\n{wrong}",
        "name: b\nmodel: s3://models/b/m",
        "name: a\nmodel: s3://models/a/m",
        "name: eyes\nmodel: s3://models/eyes/m",
        "name: a\nmodel: s3://models/a/m",
    ).replace("tenants:", "  monitoring: {namespace: eyes}\ntenants:")
    found = [(each.field, each.rule) for each in mistakes(tmp_path, text)]
    assert found[0][0].startswith(f"tenants[0].{wrong[:5]}")
    assert found[1:] == [
        ("tenants[2].name", "is unique, but tenants[0] has it too"),
        ("tenants[3].name", "is no namespace that the platform names as its own"),
        ("tenants[4].name", "is unique, but tenants[0] has it too"),
    ]


def test_a_wrong_name_is_told_once_however_often_it_stands(tmp_path: Path) -> None:
    text = tenants(*["name: Tenant_A\nmodel: file:m"] * 2)
    assert [each.rule[:14] for each in mistakes(tmp_path, text)] == ["is a DNS label"] * 2


def test_a_tenants_own_rules_are_told_together(tmp_path: Path) -> None:
    """Each is held as soon as what it counts with is right, whatever else is wrong."""
    text = tenants(
        "name: a\nmodel: s3://models/b/m\nzzz: 1\nimagePullSecrets: [A_B]\nquota: {pods: 24, cpu: 12, memory: 12Gi}",
        "name: b\nmodel: file:m\nresources: {requests: {cpu: 600m, memory: 1Gi}}\nautoscaling: {minReplicas: 11}",
    )
    assert [each.field for each in mistakes(tmp_path, text)] == [
        "tenants[0].model",
        "tenants[0].zzz",
        "tenants[0].imagePullSecrets[0]",
        "tenants[0].quota.pods",
        "tenants[0].quota.cpu",
        "tenants[0].quota.memory",
        "tenants[1].resources.requests.cpu",
        "tenants[1].resources.requests.memory",
        "tenants[1].autoscaling.minReplicas",
    ]


def test_a_mistake_in_defaults_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m")
    found = the_mistake(tmp_path, text + "defaults:\n  autoscaling: {minReplicas: 12}\n")
    assert (found.line, found.column, found.field) == (10, 30, "defaults.autoscaling.minReplicas")


def test_a_wrong_image_of_the_platform_is_told_once(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m").replace(
        "service:1.0", "service"
    )
    assert the_mistake(tmp_path, text).field == "platform.image"
    assert the_mistake(tmp_path, text.replace("registry.example/service", "[a]")).rule == "is text"


def test_a_default_that_only_one_tenant_cannot_live_with_names_the_tenant(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m\nautoscaling: {maxReplicas: 4}")
    found = the_mistake(tmp_path, text + "defaults:\n  autoscaling: {minReplicas: 5}\n")
    assert (found.line, found.field) == (11, "defaults.autoscaling.minReplicas")
    assert found.rule == "is at most maxReplicas, 4 (in tenants[1])"


@pytest.mark.parametrize(
    ("more", "field", "suggestion"),
    [
        ("autoscalling: {}", "tenants[0].autoscalling", "did you mean 'autoscaling'?"),
        ("autoscaling: {maxReplica: 3}", "tenants[0].autoscaling.maxReplica", "did you mean 'maxReplicas'?"),
        ("autoscaling: {max_replicas: 3}", "tenants[0].autoscaling.max_replicas", "did you mean 'maxReplicas'?"),
        ("resources: {limits: {mem: 1Gi}}", "tenants[0].resources.limits.mem", "did you mean 'memory'?"),
        ("alerts: {quotaRatios: 0.5}", "tenants[0].alerts.quotaRatios", "did you mean 'quotaRatio'?"),
        ("egress: [{cidr: 192.0.2.0/24, ports: 1, port: 1}]", "tenants[0].egress[0].ports", "did you mean 'port'?"),
        (
            "receiver: {type: slack, secretName: s, channel: c, chanel: d}",
            "tenants[0].receiver.chanel",
            "did you mean 'channel'?",
        ),
        ("zzz: 1", "tenants[0].zzz", "remove it; known here: alerts, autoscaling"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(tmp_path: Path, more: str, field: str, suggestion: str) -> None:
    found = the_mistake(tmp_path, tenant(more))
    assert found.field == field
    assert found.rule == "is a key that is known here"
    assert found.fix.startswith(suggestion)


def test_a_renamed_key_is_refused_with_its_new_name(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("quota: {guests: 2}"))
    assert found.field == "tenants[0].quota.guests"
    assert found.rule == "is now called 'headroomPods'"
    assert found.fix == "rename 'guests' to 'headroomPods'"


@pytest.mark.parametrize("name", ["Tenant", "tenant_a", "1tenant", "-a", "a-", "a.b", "\u00e4", '""'])
def test_a_name_that_is_no_dns_label_is_refused(tmp_path: Path, name: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: {name}\nmodel: file:model"))
    assert found.field == "tenants[0].name"
    assert "is a DNS label that starts with a letter" in found.rule


@pytest.mark.parametrize(
    "name",
    [
        "cert-manager",
        "default",
        "ingress-nginx",
        "istio-system",
        "kube-a",
        "local-path-storage",
        "metrics-server",
        "minio",
        "monitoring",
        "openshift-a",
        "tenantry-e2e",
    ],
)
def test_a_reserved_name_is_refused(tmp_path: Path, name: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: {name}\nmodel: file:model"))
    assert (found.field, found.rule) == ("tenants[0].name", "is not reserved for the cluster or the platform")


def test_a_name_may_be_as_long_as_what_is_derived_from_it_allows(tmp_path: Path) -> None:
    longest = "a" * 46
    assert Platform.load(write(tmp_path, tenant(name=longest))).tenants[0].name == longest
    found = the_mistake(tmp_path, tenants(f"name: {longest}a\nmodel: file:model"))
    assert found.rule == "has at most 46 characters, so that '<name>-ml-inference-svc' is a DNS label"
    assert found.fix == "shorten it by 1"


def test_a_name_of_one_of_the_platforms_own_namespaces_is_refused(tmp_path: Path) -> None:
    text = tenants("name: eyes\nmodel: file:model").replace("tenants:", "  monitoring: {namespace: eyes}\ntenants:")
    assert "names as its own" in the_mistake(tmp_path, text).rule


def test_a_tenant_that_is_there_already_is_refused_at_the_later_place(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenants(*["name: a\nmodel: s3://models/a/m"] * 2))
    assert (found.line, found.field, found.value) == (7, "tenants[1].name", '"a"')
    assert found.rule == "is unique, but tenants[0] has it too"


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("model: s3://models/tenant-a/other"))
    assert (found.line, found.field) == (7, "tenants[0].model")
    assert found.rule == "stands once in its mapping, but is in line 6 already"


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ("autoscaling: {minReplicas: 11}", "autoscaling.minReplicas", "is at most maxReplicas, 10"),
        ("autoscaling: {minReplicas: 0}", "autoscaling.minReplicas", "is at least 1"),
        ("autoscaling: {targetCpuPercent: 101}", "autoscaling.targetCpuPercent", "is at most 100"),
        ("autoscaling: {maxReplicas: many}", "autoscaling.maxReplicas", "is a whole number"),
        ("resources: {requests: {cpu: 600m}}", "resources.requests.cpu", "is at most the limit, 500m"),
        ("resources: {requests: {memory: 1Gi}}", "resources.requests.memory", "is at most the limit, 512Mi"),
        ("resources: {limits: {cpu: 0.0001}}", "resources.limits.cpu", "CPU quantity"),
        ("resources: {limits: {cpu: 500 m}}", "resources.limits.cpu", "CPU quantity"),
        ("resources: {limits: {memory: 512}}", "resources.limits.memory", "memory quantity"),
        ("resources: {limits: {memory: 512MB}}", "resources.limits.memory", "memory quantity"),
        ("quota: {pods: 24}", "quota.pods", "is at least 25: maxReplicas + surge + terminating pods + headroom"),
        ("quota: {cpu: 12}", "quota.cpu", "is at least 12500m"),
        ("quota: {memory: 12Gi}", "quota.memory", "is at least 12800Mi"),
        ("rollout: {graceSeconds: 25}", "rollout.graceSeconds", "is more than preStopSeconds + drainSeconds, 5 + 20"),
        ("image: registry.example:5000/service", "image", "names a tag or a digest"),
        ("image: service:latest", "image", "never 'latest'"),
        ("image: service@sha256:123", "image", "is an image reference"),
        ("image: 'UPPER case:1'", "image", "is an image reference"),
        ("egress: [{cidr: 192.0.2.1/24, port: 1}]", "egress[0].cidr", "has host bits set"),
        ("egress: [{cidr: 0.0.0.0/0, port: 1}]", "egress[0].cidr", "is not the whole address space"),
        ("egress: [{cidr: 192.0.2.0/24, port: 65536}]", "egress[0].port", "is at most 65535"),
        ("egress: [{cidr: 192.0.2.0/24}]", "egress[0].port", "is required"),
        ("imagePullSecrets: [Not_A_Name]", "imagePullSecrets[0]", "is the name of an object"),
        ("receiver: {type: pigeon, secretName: s}", "receiver", "'webhook', 'slack', 'pagerduty', 'email'"),
        ("receiver: {type: slack, secretName: s}", "receiver.channel", "is required"),
        ("alerts: {quotaRatio: 1.5}", "alerts.quotaRatio", "is less than 1"),
        ("alerts: {quotaRatio: lots}", "alerts.quotaRatio", "is a number"),
        ("egress: {}", "egress", "is a list"),
        ("autoscaling: []", "autoscaling", "is a mapping"),
        ("image: 5", "image", "is text"),
        ("egress: [{cidr: 192.0.2.0/24, port: 1, protocol: ICMP}]", "egress[0].protocol", "is 'TCP' or 'UDP'"),
        ("receiver: {type: slack, secretName: s, channel: ''}", "receiver.channel", "is not empty"),
        ("receiver: {type: slack, secretName: s, channel: c, sendResolved: x}", "receiver.sendResolved", "is true or"),
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
def test_a_model_that_is_no_address_of_one_is_refused(tmp_path: Path, model: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: tenant-a\nmodel: '{model}'"))
    assert (found.line, found.field) == (6, "tenants[0].model")
    assert "s3://models/<tenant>/<name>" in found.fix


def test_a_model_of_another_tenant_is_refused(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenants("name: tenant-a\nmodel: s3://models/tenant-b/spam"))
    assert found.field == "tenants[0].model"
    assert found.fix == "write s3://models/tenant-a/spam"


def test_a_quota_that_is_too_small_is_told_the_sum(tmp_path: Path) -> None:
    assert the_mistake(tmp_path, tenant("quota: {pods: 24}")).rule == (
        "is at least 25: maxReplicas + surge + terminating pods + headroom is 10 + 1 + 10 + 4 = 25 pods"
    )


def test_what_the_cluster_calls_its_parts_is_taken_as_it_is_written(tmp_path: Path) -> None:
    text = tenant("imagePullSecrets: [registry.example]").replace(
        "tenants:",
        "  monitoring: {namespace: eyes}\n"
        "  modelStore: {endpoint: 'https://s3.example/', namespace: null}\n"
        "  network: {exceptCidrs: [203.0.113.0/24]}\n"
        "tenants:",
    )
    platform = Platform.load(write(tmp_path, text))
    assert platform.platform.monitoring.namespace == "eyes"
    assert (platform.platform.model_store.endpoint, platform.platform.model_store.port) == ("https://s3.example/", 443)
    assert platform.platform.network.except_cidrs == ("203.0.113.0/24",)
    assert platform.tenants[0].image_pull_secrets == ("registry.example",)


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "ftp://minio", "http://", "http://minio:0", "http://minio:x", "http://m/b"]
)
def test_an_endpoint_that_is_no_servers_address_is_refused(tmp_path: Path, endpoint: str) -> None:
    text = tenant().replace("tenants:", f"  modelStore: {{endpoint: '{endpoint}'}}\ntenants:")
    found = the_mistake(tmp_path, text)
    assert (found.field, found.rule) == (
        "platform.modelStore.endpoint",
        "is the address of a server: http(s)://host[:port]",
    )


def test_a_namespace_that_is_none_is_refused(tmp_path: Path) -> None:
    text = tenant().replace("tenants:", "  dns: {namespace: Kube_System}\ntenants:")
    assert "is a DNS label" in the_mistake(tmp_path, text).rule


def test_a_quota_that_is_just_enough_is_taken(tmp_path: Path) -> None:
    quota = "quota: {headroomPods: 0, pods: 21, cpu: 10500m, memory: 10752Mi}"
    platform = Platform.load(write(tmp_path, tenant(quota)))
    assert platform.tenants[0].quota.pods == 21


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "this file is empty"),
        ("# nothing\n", "this file is empty"),
        ("- a\n- b\n", "is a mapping with apiVersion, platform and tenants"),
        ("a: [1\n", "is one YAML document"),
        ("a: 1\n---\nb: 2\n", "is one YAML document"),
        ("a: &a [*a]\n", "is one YAML document"),
        ("a: !!python/object:os.system x\n", "is one YAML document"),
        ("\ta: 1\n", "is one YAML document"),
    ],
)
def test_an_empty_or_broken_file_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    assert rule in the_mistake(tmp_path, text).rule


def test_a_broken_file_is_told_where_it_breaks(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, "a: 1\nb: c: d\n")
    assert (found.line, found.column) == (2, 5)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="tenantry init"):
        Platform.load(tmp_path / "none.yaml")
    (tmp_path / "platform.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlatformError, match="UTF-8"):
        Platform.load(tmp_path / "platform.yaml")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("platform: {image: a/b:1}\ntenants: [{name: a, model: 'file:m'}]\n", "apiVersion"),
        (HEAD, "tenants"),
        (HEAD + "tenants: []\n", "tenants"),
        (HEAD.replace("v1alpha1", "v2") + "tenants: [{name: a, model: 'file:m'}]\n", "apiVersion"),
        ("apiVersion: tenantry.dev/v1alpha1\ntenants: [{name: a, model: 'file:m', image: a:1}]\n", "platform"),
        (HEAD + "tenants: [{name: a}]\n", "tenants[0].model"),
        (HEAD + "tenants: [a]\n", "tenants[0]"),
        (HEAD + "tenants: {a: b}\n", "tenants"),
        (HEAD + "defaults: 7\ntenants: [{name: a, model: 'file:m'}]\n", "defaults"),
    ],
)
def test_what_must_be_there_is_asked_for(tmp_path: Path, text: str, field: str) -> None:
    assert the_mistake(tmp_path, text).field == field


def test_a_model_without_a_digest_is_worth_a_warning(tmp_path: Path) -> None:
    pinned = f"s3://models/b/m@sha256:{'0' * 64}"
    text = tenants("name: a\nmodel: s3://models/a/m", f"name: b\nmodel: {pinned}", "name: c\nmodel: file:/models/c")
    (warning,) = warnings(Platform.load(write(tmp_path, text)))
    assert "the model of a is not pinned" in warning
