"""How mistakes in platform.yaml are reported: where, which rule, and how to fix them."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform, PlatformError
from tests.unit.constructs_lib.platform.files import HEAD, mistakes, tenant, tenants, the_mistake, write


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


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    found = the_mistake(tmp_path, tenant("model: s3://models/tenant-a/other"))
    assert (found.line, found.field) == (7, "tenants[0].model")
    assert found.rule == "must appear only once, but line 6 sets it too"


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
