"""platform.yaml: the effective values of a valid file, and the messages for an invalid one."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from constructs_lib.platform import Defaults, Platform, PlatformError, Tenant
from constructs_lib.platform.errors import Mistake
from tests.paths import TEMPLATE

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
    """A file with these tenants, each given as the text after its dash."""
    return HEAD + "tenants:\n" + "".join(f"  - {textwrap.indent(entry, '    ').strip()}\n" for entry in entries)


def tenant(more: str = "", name: str = "tenant-a") -> str:
    """A file with one valid tenant, plus `more`."""
    return tenants(f"name: {name}\nmodel: s3://models/{name}/spam\n{more}")


def mistakes(folder: Path, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(PlatformError) as caught:
        Platform.load(write(folder, text))
    return caught.value.mistakes


def the_mistake(folder: Path, text: str) -> Mistake:
    found = mistakes(folder, text)
    assert len(found) == 1, found
    return found[0]


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


def test_a_mistake_names_file_line_column_field_value_rule_and_fix(tmp_path: Path) -> None:
    path = write(tmp_path, tenant("autoscaling:\n  minReplicas: 12"))
    with pytest.raises(PlatformError) as caught:
        Platform.load(path)
    assert str(caught.value) == (
        f"{path} is not valid (1 mistake)\n\n"
        f"{path}:8:20: tenants[0].autoscaling.minReplicas = 12\n"
        "  rule: must be at most maxReplicas (10)\n"
        "  fix:  lower it or raise maxReplicas"
    )


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
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
def test_names_are_compared_even_if_something_else_is_wrong(tmp_path: Path, wrong: str) -> None:
    text = tenants(
        f"name: a\nmodel: s3://models/a/m\n{wrong}",
        "name: b\nmodel: s3://models/b/m",
        "name: a\nmodel: s3://models/a/m",
        "name: observability\nmodel: s3://models/observability/m",
        "name: a\nmodel: s3://models/a/m",
    ).replace("tenants:", "  monitoring: {namespace: observability}\ntenants:")
    found = [(each.field, each.rule) for each in mistakes(tmp_path, text)]
    assert found[0][0].startswith(f"tenants[0].{wrong[:5]}")
    assert found[1:] == [
        ("tenants[2].name", "must be unique, but tenants[0] has it too"),
        ("tenants[3].name", "must not be a namespace of the platform"),
        ("tenants[4].name", "must be unique, but tenants[0] has it too"),
    ]


def test_an_invalid_name_is_reported_at_each_place(tmp_path: Path) -> None:
    text = tenants(*["name: Tenant_A\nmodel: file:m"] * 2)
    assert [each.rule[:19] for each in mistakes(tmp_path, text)] == ["must be a DNS label"] * 2


def test_mistakes_of_one_tenant_are_reported_together(tmp_path: Path) -> None:
    """A rule is checked as soon as the values that it uses are valid, whatever else is wrong."""
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


def test_a_mistake_in_defaults_is_reported_once_at_its_own_place(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m")
    found = the_mistake(tmp_path, text + "defaults:\n  autoscaling: {minReplicas: 12}\n")
    assert (found.line, found.column, found.field) == (10, 30, "defaults.autoscaling.minReplicas")


def test_an_invalid_platform_image_is_reported_once(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m").replace(
        "service:1.0", "service"
    )
    assert the_mistake(tmp_path, text).field == "platform.image"
    assert the_mistake(tmp_path, text.replace("registry.example/service", "[a]")).rule == "must be text"


def test_a_default_that_is_invalid_for_one_tenant_names_the_tenant(tmp_path: Path) -> None:
    text = tenants("name: a\nmodel: s3://models/a/m", "name: b\nmodel: s3://models/b/m\nautoscaling: {maxReplicas: 4}")
    found = the_mistake(tmp_path, text + "defaults:\n  autoscaling: {minReplicas: 5}\n")
    assert (found.line, found.field) == (11, "defaults.autoscaling.minReplicas")
    assert found.rule == "must be at most maxReplicas (4) (in tenants[1])"


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
        ("zzz: 1", "tenants[0].zzz", "remove it; the known keys are alerts, allowedOrigins, annotations, auth"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(tmp_path: Path, more: str, field: str, suggestion: str) -> None:
    found = the_mistake(tmp_path, tenant(more))
    assert found.field == field
    assert found.rule == "must be a known key"
    assert found.fix.startswith(suggestion)


def test_a_renamed_key_is_refused_with_its_new_name(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("quota: {guests: 2}"))
    assert found.field == "tenants[0].quota.guests"
    assert found.rule == "is now called 'headroomPods'"
    assert found.fix == "rename 'guests' to 'headroomPods'"


@pytest.mark.parametrize("name", ["Tenant", "tenant_a", "1tenant", "-a", "a-", "a.b", "\u00e4", '""'])
def test_rejects_a_name_that_is_not_a_dns_label(tmp_path: Path, name: str) -> None:
    found = the_mistake(tmp_path, tenants(f"name: {name}\nmodel: file:model"))
    assert found.field == "tenants[0].name"
    assert "must be a DNS label that starts with a letter" in found.rule


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
    assert (found.field, found.rule) == (
        "tenants[0].name",
        "must not be a name that is reserved for the cluster or the platform",
    )


def test_limits_the_length_of_a_name_to_what_derived_names_allow(tmp_path: Path) -> None:
    longest = "a" * 46
    assert Platform.load(write(tmp_path, tenant(name=longest))).tenants[0].name == longest
    found = the_mistake(tmp_path, tenants(f"name: {longest}a\nmodel: file:model"))
    assert found.rule == "must have at most 46 characters, so that '<name>-ml-inference-svc' is a DNS label"
    assert found.fix == "shorten it by 1"


def test_rejects_the_name_of_a_platform_namespace(tmp_path: Path) -> None:
    text = tenants("name: observability\nmodel: file:model").replace(
        "tenants:", "  monitoring: {namespace: observability}\ntenants:"
    )
    assert "must not be a namespace of the platform" in the_mistake(tmp_path, text).rule


def test_a_repeated_tenant_is_reported_at_the_later_place(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenants(*["name: a\nmodel: s3://models/a/m"] * 2))
    assert (found.line, found.field, found.value) == (7, "tenants[1].name", '"a"')
    assert found.rule == "must be unique, but tenants[0] has it too"


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("model: s3://models/tenant-a/other"))
    assert (found.line, found.field) == (7, "tenants[0].model")
    assert found.rule == "must appear only once, but line 6 sets it too"


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


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "ftp://minio", "http://", "http://minio:0", "http://minio:x", "http://m/b"]
)
def test_rejects_an_invalid_endpoint(tmp_path: Path, endpoint: str) -> None:
    text = tenant().replace("tenants:", f"  modelStore: {{endpoint: '{endpoint}'}}\ntenants:")
    found = the_mistake(tmp_path, text)
    assert (found.field, found.rule) == (
        "platform.modelStore.endpoint",
        "must be the address of a server: http(s)://host[:port]",
    )


def platform_part(part: str, more: str = "") -> str:
    """A file with one tenant and a line in its platform part."""
    return tenant(more).replace("tenants:", f"  {part}\ntenants:")


def test_rejects_credentials_in_an_endpoint_without_repeating_them(tmp_path: Path) -> None:
    path = write(tmp_path, platform_part("modelStore: {endpoint: 'http://user:secret@minio:9000'}"))
    with pytest.raises(PlatformError, match="must not contain credentials") as caught:
        Platform.load(path)
    assert "remove them; pods take the store's keys from the Secret model-store" in str(caught.value)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["minio", "null"])
def test_rejects_an_endpoint_in_another_namespace(tmp_path: Path, namespace: str) -> None:
    part = f"modelStore: {{endpoint: 'http://s3.store.svc.cluster.local:9000', namespace: {namespace}}}"
    found = the_mistake(tmp_path, platform_part(part))
    assert found.field == "platform.modelStore.endpoint"
    assert found.fix == "set modelStore.namespace to 'store', or correct the address"


@pytest.mark.parametrize(
    ("endpoint", "egress"),
    [
        ("https://10.0.0.9", "[]"),
        ("https://s3.example:9000", "[]"),
        ("http://s3.example", "[{cidr: 192.0.2.0/24, port: 443}]"),
        ("https://10.0.0.9", "[{cidr: 10.0.1.0/24, port: 443}]"),
        ("https://10.0.0.9", "[{cidr: 10.0.0.0/24, port: 443, protocol: UDP}]"),
    ],
)
def test_rejects_a_store_that_pods_cannot_reach(tmp_path: Path, endpoint: str, egress: str) -> None:
    part = f"modelStore: {{endpoint: '{endpoint}', namespace: null}}"
    found = the_mistake(tmp_path, platform_part(part, f"egress: {egress}"))
    assert found.field == "platform.modelStore.endpoint"
    assert found.rule.startswith("must be reachable, but the egress of tenant-a allows only public addresses")


@pytest.mark.parametrize(
    ("endpoint", "egress"),
    [
        ("https://s3.example", "[]"),
        ("https://192.31.196.1", "[]"),
        ("https://10.0.0.9", "[{cidr: 10.0.0.0/24, port: 443}]"),
        ("http://s3.example:9000", "[{cidr: 10.0.0.0/24, port: 9000}]"),
    ],
)
def test_accepts_a_store_that_pods_can_reach(tmp_path: Path, endpoint: str, egress: str) -> None:
    part = f"modelStore: {{endpoint: '{endpoint}', namespace: null}}"
    assert Platform.load(write(tmp_path, platform_part(part, f"egress: {egress}")))


@pytest.mark.parametrize("halves", [("0.0.0.0/1", "128.0.0.0/1"), ("'::/1'", "'8000::/1'")])
def test_rejects_egress_that_adds_up_to_every_address(tmp_path: Path, halves: tuple[str, str]) -> None:
    """One of several networks that cover every address contains a metadata address."""
    egress = ", ".join(f"{{cidr: {cidr}, port: 1}}" for cidr in halves)
    found = mistakes(tmp_path, tenant(f"egress: [{egress}]"))
    assert [each.rule for each in found if "must not contain" not in each.rule] == []


@pytest.mark.parametrize("cidr", ["169.254.169.254/32", "169.254.0.0/16", "100.64.0.0/10", "'fd00:ec2::/32'"])
def test_rejects_egress_to_a_metadata_address(tmp_path: Path, cidr: str) -> None:
    found = the_mistake(tmp_path, tenant(f"egress: [{{cidr: {cidr}, port: 80}}]"))
    assert found.field == "tenants[0].egress[0].cidr"
    assert "where clouds offer the node's credentials" in found.rule


def test_rejects_egress_to_networks_that_tenants_must_not_reach(tmp_path: Path) -> None:
    part = "network: {exceptCidrs: [198.51.100.0/24]}"
    found = the_mistake(tmp_path, platform_part(part, "egress: [{cidr: 198.51.100.128/25, port: 6443}]"))
    assert found.field == "tenants[0].egress[0].cidr"
    assert found.rule.startswith("must not overlap 198.51.100.0/24")


def test_rejects_an_invalid_namespace(tmp_path: Path) -> None:
    text = tenant().replace("tenants:", "  dns: {namespace: Kube_System}\ntenants:")
    assert "must be a DNS label" in the_mistake(tmp_path, text).rule


def test_accepts_a_quota_that_is_just_large_enough(tmp_path: Path) -> None:
    quota = "quota: {headroomPods: 0, pods: 21, cpu: 10500m, memory: 10752Mi}"
    platform = Platform.load(write(tmp_path, tenant(quota)))
    assert platform.tenants[0].quota.pods == 21


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "this file is empty"),
        ("# nothing\n", "this file is empty"),
        ("- a\n- b\n", "must be a mapping with apiVersion, platform and tenants"),
        ("a: [1\n", "must be a single YAML document"),
        ("a: 1\n---\nb: 2\n", "must be a single YAML document"),
        ("a: &a [*a]\n", "must be a single YAML document"),
        ("a: !!python/object:os.system x\n", "must be a single YAML document"),
        ("\ta: 1\n", "must be a single YAML document"),
    ],
)
def test_an_empty_or_broken_file_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    assert rule in the_mistake(tmp_path, text).rule


def test_a_syntax_error_is_reported_at_its_place(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, "a: 1\nb: c: d\n")
    assert (found.line, found.column) == (2, 5)


def test_rejects_a_missing_file_and_one_that_is_not_text(tmp_path: Path) -> None:
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
def test_required_keys_are_required(tmp_path: Path, text: str, field: str) -> None:
    assert the_mistake(tmp_path, text).field == field


def test_a_key_is_never_answered_with_its_opposite(tmp_path: Path) -> None:
    """`ingress` looks like `egress` and means the opposite: the message lists the keys that there are."""
    mistake = the_mistake(tmp_path, tenant("ingress: []"))
    assert "did you mean 'egress'" not in mistake.fix
    assert "egress" in mistake.fix


def test_egress_networks_are_judged_together(tmp_path: Path) -> None:
    """Networks that avoid the metadata addresses, and together are most of all addresses, are refused."""
    networks = ["0.0.0.0/2", "64.0.0.0/3", "192.0.0.0/3", "176.0.0.0/4", "224.0.0.0/3"]
    listed = ", ".join(f"{{cidr: {each}, port: 80}}" for each in networks)
    mistake = the_mistake(tmp_path, tenant(f"egress: [{listed}]\n"))
    assert mistake.field == "tenants[0].egress"
    assert "of all IPv4 addresses" in mistake.rule
    halved = ", ".join(f"{{cidr: {each}, port: 80}}" for each in networks[:2])
    assert len(Platform.load(write(tmp_path, tenant(f"egress: [{halved}]\n"))).tenants[0].egress) == 2
