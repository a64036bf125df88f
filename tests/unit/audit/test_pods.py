"""What pod templates may do, compared with the Pod Security Standards and with what namespaces enforce."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from audit import read
from audit.model.quantities import quantity
from audit.pods import Level, Template, pod_findings, violations
from tenantry.cli import app
from tests.example_platform import example_dist

SAFE: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "main",
            "image": f"example.org/web@sha256:{'0' * 64}",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        }
    ],
}
NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "pods", *map(str, arguments)])


def deployment(spec: dict[str, Any], replicas: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}},
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """The safe pod with one value changed; `0` in the path is the container."""
    spec = copy.deepcopy(SAFE)
    where: Any = spec
    *steps, last = path.split(".")
    for step in steps:
        where = where[int(step)] if step.isdigit() else where.setdefault(step, {})
    where[last] = value
    return spec


def found(*objects: dict[str, Any]) -> list[tuple[str, str]]:
    inventory = read.objects(objects, details=True).inventory
    return [(each.rule, each.message) for each in pod_findings(inventory)]


def checks(spec: dict[str, Any], level: Level, version: int = 34) -> list[str]:
    kept = read.objects([deployment(spec)], details=True).inventory.of_kind("Deployment")
    template = Template.of(kept[0])
    assert template is not None
    return [each.check for each in violations(template, level, version)]


def test_a_safe_pod_in_an_enforcing_namespace_has_no_finding() -> None:
    assert found(NAMESPACE, deployment(SAFE)) == []


@pytest.mark.parametrize(
    ("path", "value", "check"),
    [
        ("hostNetwork", True, "host-namespaces"),
        ("hostPID", True, "host-namespaces"),
        ("containers.0.securityContext.privileged", True, "privileged-containers"),
        ("containers.0.securityContext.capabilities.add", ["NET_RAW"], "capabilities"),
        ("volumes", [{"name": "host", "hostPath": {"path": "/"}}], "host-path-volumes"),
        ("containers.0.ports", [{"containerPort": 80, "hostPort": 80}], "host-ports"),
        ("containers.0.livenessProbe", {"httpGet": {"host": "10.0.0.1", "port": 80}}, "host-probes"),
        ("containers.0.lifecycle", {"preStop": {"httpGet": {"host": "10.0.0.1", "port": 80}}}, "host-probes"),
        ("securityContext.appArmorProfile", {"type": "Unconfined"}, "app-armor"),
        ("securityContext.seLinuxOptions", {"type": "spc_t"}, "se-linux"),
        ("securityContext.seLinuxOptions", {"user": "root"}, "se-linux"),
        ("containers.0.securityContext.procMount", "Unmasked", "proc-mount"),
        ("securityContext.seccompProfile", {"type": "Unconfined"}, "seccomp"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "sysctls"),
        ("securityContext.windowsOptions", {"hostProcess": True}, "host-process"),
    ],
)
def test_baseline_and_restricted_forbid_it(path: str, value: Any, check: str) -> None:
    assert checks(changed(path, value), Level.BASELINE) == [check]
    assert checks(changed(path, value), Level.RESTRICTED) != []
    assert checks(changed(path, value), Level.PRIVILEGED) == []


@pytest.mark.parametrize(
    ("path", "value", "check"),
    [
        ("volumes", [{"name": "share", "nfs": {"server": "one", "path": "/"}}], "volume-types"),
        ("containers.0.securityContext.allowPrivilegeEscalation", None, "privilege-escalation"),
        ("securityContext.runAsNonRoot", False, "running-as-non-root"),
        ("securityContext.runAsUser", 0, "running-as-user-0"),
        ("containers.0.securityContext.runAsUser", 0, "running-as-user-0"),
        ("securityContext.seccompProfile", None, "seccomp"),
        ("containers.0.securityContext.capabilities", {"drop": ["KILL"]}, "capabilities"),
        ("containers.0.securityContext.capabilities.add", ["CHOWN"], "capabilities"),
    ],
)
def test_only_restricted_forbids_it(path: str, value: Any, check: str) -> None:
    assert checks(changed(path, value), Level.BASELINE) == []
    assert set(checks(changed(path, value), Level.RESTRICTED)) == {check}


@pytest.mark.parametrize("field", ["initContainers", "ephemeralContainers"])
def test_init_and_ephemeral_containers_are_checked_too(field: str) -> None:
    spec = {**SAFE, field: [{"name": "extra", "securityContext": {"privileged": True}}]}
    assert "privileged-containers" in checks(spec, Level.BASELINE)


@pytest.mark.parametrize(
    ("path", "value", "before"),
    [
        ("containers.0.livenessProbe", {"httpGet": {"host": "10.0.0.1", "port": 80}}, 33),
        ("securityContext.runAsUser", 0, 22),
        ("containers.0.securityContext.capabilities", {"drop": ["KILL"]}, 21),
    ],
)
def test_a_check_holds_since_its_version(path: str, value: Any, before: int) -> None:
    assert checks(changed(path, value), Level.RESTRICTED, before) == []
    assert checks(changed(path, value), Level.RESTRICTED, before + 1) != []


def test_a_sysctl_is_allowed_since_its_version() -> None:
    spec = changed("securityContext.sysctls", [{"name": "net.ipv4.tcp_rmem", "value": "1"}])
    assert checks(spec, Level.BASELINE, 31) == ["sysctls"]
    assert checks(spec, Level.BASELINE, 32) == []


def test_a_pod_that_its_namespace_refuses_says_so() -> None:
    (rule, message), *_rest = found(NAMESPACE, deployment(changed("hostNetwork", True)))
    assert rule == "pod-host-namespaces"
    assert "its namespace enforces restricted, so the API server refuses the pods" in message


def test_a_namespace_that_enforces_nothing_is_a_finding() -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert [rule for rule, _message in found(bare, deployment(SAFE))] == ["pod-security-not-enforced"]


def test_a_mounted_token_a_moving_image_and_missing_limits_are_warnings() -> None:
    spec = copy.deepcopy(SAFE)
    del spec["automountServiceAccountToken"]
    spec["containers"][0] |= {"image": "web", "resources": {}}
    rules = [rule for rule, _message in found(NAMESPACE, deployment(spec))]
    assert rules == ["pod-token", "pod-image", "pod-resources", "pod-resources", "pod-resources"]


def test_an_account_that_gives_no_token_and_a_limit_range_with_defaults_are_enough() -> None:
    spec = copy.deepcopy(SAFE)
    del spec["automountServiceAccountToken"]
    del spec["containers"][0]["resources"]
    metadata = {"name": "default", "namespace": "shop"}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "automountServiceAccountToken": False,
    }
    limits = [{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}}]
    ranges = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": limits}}
    assert found(NAMESPACE, account, ranges, deployment(spec)) == []


def test_a_limit_above_the_limit_range_is_a_violation() -> None:
    metadata = {"name": "limits", "namespace": "shop"}
    limits = [{"type": "Container", "max": {"memory": "512Mi"}}]
    ranges = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": limits}}
    assert [rule for rule, _message in found(NAMESPACE, ranges, deployment(SAFE))] == ["pod-above-limit-range"]


def test_a_quota_below_the_maximum_of_the_autoscaler_is_named_with_both_numbers() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
    }
    metadata = {"name": "quota", "namespace": "shop"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"memory": "9Gi"}}}
    enough = {**quota, "spec": {"hard": {"requests.memory": "10Gi", "pods": 10, "requests.cpu": "10"}}}
    assert found(NAMESPACE, scaler, enough, deployment(SAFE)) == []
    ((rule, message),) = found(NAMESPACE, scaler, quota, deployment(SAFE))
    assert rule == "quota-below-maximum"
    assert "10240Mi of memory" in message
    assert "9Gi" in message


def test_quantities_are_read_as_kubernetes_reads_them() -> None:
    assert quantity("250m") == quantity(0.25)
    assert quantity("1Ki") == quantity(1024) == quantity("1.024k")
    assert quantity("1e3") == quantity("1k")
    assert quantity("many") is None
    assert quantity(given=True) is None


def test_the_report_shows_equal_findings_of_tenants_once_with_every_line(tmp_path: Path) -> None:
    for name in ("a", "b"):
        text = (example_dist() / f"tenant-{name}.k8s.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text.replace("runAsNonRoot: true", "runAsNonRoot: false"))
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    assert "violation medium pod-running-as-non-root: Deployment */*-ml-inference (2 objects)" in result.stdout
    line = next(
        number
        for number, text in enumerate((tmp_path / "a.yaml").read_text().splitlines(), 1)
        if "runAsNonRoot: false" in text
    )
    assert f"{tmp_path}/a.yaml:{line}" in result.stdout


def test_values_of_the_wrong_type_do_not_end_the_audit(tmp_path: Path) -> None:
    spec = {**SAFE, "volumes": ["x", 1], "securityContext": "none"}
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(deployment(spec)))
    assert run(tmp_path).exit_code == 0
