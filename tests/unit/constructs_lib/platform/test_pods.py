"""What a tenant may set for its pods, and that none of it weakens the isolation."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from constructs_lib.charts import synth
from constructs_lib.platform import Platform, PlatformError
from tests.kube import Object, by_kind

HEAD = """\
apiVersion: tenantry.dev/v1alpha1
platform: {image: "example/image:1"}
tenants:
  - name: tenant-a
    model: s3://models/tenant-a/spam
"""
EVERYTHING = """\
    settings: {INFERENCE_MAX_IN_FLIGHT: 256, INFERENCE_ACCESS_LOG: true, INFERENCE_LOG_LEVEL: debug}
    labels: {team: risk}
    annotations: {owner: someone@example.com}
    scheduling:
      nodeSelector: {pool: models}
      tolerations: [{key: pool, value: models, effect: NoSchedule}, {key: spot}]
      priorityClass: serving
"""


def platform_of(**keys: Any) -> Platform:
    tenant = {"name": "tenant-a", "model": "s3://models/tenant-a/spam", **keys}
    return Platform.model_validate(
        {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": "example/image:1"}, "tenants": [tenant]}
    )


def objects_of(platform: Platform) -> list[Object]:
    with tempfile.TemporaryDirectory() as folder:
        synth(platform, folder)
        return list(yaml.safe_load_all((Path(folder) / "tenant-a.k8s.yaml").read_text()))


@functools.cache
def plain() -> list[Object]:
    return objects_of(platform_of())


def test_every_key_reaches_the_pod(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(HEAD + EVERYTHING)
    template = by_kind(objects_of(Platform.load(file)), "Deployment")["spec"]["template"]
    environment = {each["name"]: each.get("value") for each in template["spec"]["containers"][0]["env"]}
    assert environment["INFERENCE_MAX_IN_FLIGHT"] == "256"
    assert environment["INFERENCE_ACCESS_LOG"] == "true"
    assert environment["INFERENCE_LOG_LEVEL"] == "debug"
    assert template["metadata"]["labels"]["team"] == "risk"
    assert template["metadata"]["annotations"]["owner"] == "someone@example.com"
    assert template["spec"]["nodeSelector"] == {"pool": "models"}
    assert template["spec"]["tolerations"] == [
        {"key": "pool", "operator": "Equal", "value": "models", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists"},
    ]
    assert template["spec"]["priorityClassName"] == "serving"


def test_conditions_on_nodes_are_those_of_kubernetes() -> None:
    """All required conditions are in one term, and each preferred one counts alike."""
    expressions = [{"key": "disk", "operator": "In", "values": ["ssd"]}, {"key": "spot", "operator": "DoesNotExist"}]
    affinity = {"required": expressions, "preferred": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}
    objects = objects_of(platform_of(scheduling={"nodeAffinity": affinity}))
    assert by_kind(objects, "Deployment")["spec"]["template"]["spec"]["affinity"] == {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": expressions}]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": affinity["preferred"]}}
            ],
        }
    }


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("settings: {INFERENCE_UNKNOWN: 1}", "must contain settings of the service"),
        ("settings: {max_in_flight: 1}", "must contain settings of the service"),
        ("settings: {INFERENCE_MAX_IN_FLIGHT: 0}", "must contain values that the service accepts"),
        ("settings: {INFERENCE_MODEL_URI: 'file:x'}", "use 'model' of the tenant"),
        ("settings: {INFERENCE_API_KEYS_DIR: ''}", "use 'auth' of the tenant"),
        ("settings: {INFERENCE_MAX_BUFFERED_BYTES: 1000000000}", "must leave the pod below its memory limit"),
        ("labels: {tenantry.dev/tenant: tenant-b}", "must contain names without a prefix"),
        ("labels: {sidecar.istio.io/inject: 'true'}", "must contain names without a prefix"),
        ("labels: {pod-template-hash: x}", "must contain names without a prefix"),
        (
            "annotations: {container.apparmor.security.beta.kubernetes.io/inference: unconfined}",
            "must contain names without a prefix",
        ),
        ("annotations: {k8s.v1.cni.cncf.io/networks: other}", "must contain names without a prefix"),
        ("annotations: {io.kubernetes.cri-o.devices: /dev/x}", "must contain names without a prefix"),
        ("scheduling: {nodeSelector: {node-role.kubernetes.io/control-plane: ''}}", "do not run on nodes with a role"),
        ("scheduling: {tolerations: [{key: node-role.kubernetes.io/control-plane}]}", "must not be a taint of the"),
        ("scheduling: {tolerations: [{effect: NoSchedule}]}", "key"),
        (
            "scheduling: {nodeAffinity: {required: [{key: node-role.kubernetes.io/x, operator: Exists}]}}",
            "do not run on nodes with a role",
        ),
        ("scheduling: {nodeAffinity: {required: [{key: pool, operator: In}]}}", "must have a value for In"),
        (
            "scheduling: {nodeAffinity: {preferred: [{key: a, operator: Exists, values: [b]}]}}",
            "must be empty for Exists",
        ),
        (
            "scheduling: {nodeAffinity: {required: [{key: a, operator: In, values: ['b c']}]}}",
            "valid Kubernetes labels",
        ),
        ("scheduling: {nodeAffinity: {required: [{key: a, operator: Gt, values: [b]}]}}", "must be one integer for Gt"),
        ("scheduling: {nodeAffinity: {required: [{key: a, operator: Lt, values: ['--8']}]}}", "one integer for Lt"),
        ("scheduling: {priorityClass: system-node-critical}", "must not be a class of the system"),
    ],
)
def test_rejects_what_would_weaken_the_isolation_or_not_work(tmp_path: Path, keys: str, message: str) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(HEAD + f"    {keys}\n")
    with pytest.raises(PlatformError, match=message):
        Platform.load(file)


NAMES = st.one_of(
    st.sampled_from(
        [
            "app.kubernetes.io/name",
            "app.kubernetes.io/instance",
            "tenantry.dev/tenant",
            "pod-template-hash",
            "sidecar.istio.io/inject",
            "linkerd.io/inject",
            "cluster-autoscaler.kubernetes.io/safe-to-evict",
            "kubectl.kubernetes.io/default-container",
            "seccomp.security.alpha.kubernetes.io/pod",
            "team",
            "app",
            "k8s-app",
        ]
    ),
    st.from_regex(r"[a-z][a-z0-9./-]{0,30}", fullmatch=True),
)
WORDS = st.dictionaries(NAMES, st.sampled_from(["", "true", "tenant-b", "unconfined"]), max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labels=WORDS, annotations=WORDS, node_selector=WORDS, keys=st.lists(NAMES, max_size=2))
def test_whatever_is_accepted_leaves_every_other_object_and_every_guarantee_of_the_pod(
    labels: dict[str, str], annotations: dict[str, str], node_selector: dict[str, str], keys: list[str]
) -> None:
    """Only the keys of the pod that the tenant named are added; none is replaced or removed."""
    scheduling = {"nodeSelector": node_selector, "tolerations": [{"key": each} for each in keys]}
    try:
        platform = platform_of(labels=labels, annotations=annotations, scheduling=scheduling)
    except ValidationError:
        return
    before, after = plain(), objects_of(platform)
    assert [each for each in after if each["kind"] != "Deployment"] == [
        each for each in before if each["kind"] != "Deployment"
    ]
    old, new = (by_kind(each, "Deployment")["spec"] for each in (before, after))
    assert {**new, "template": None} == {**old, "template": None}
    for kind, added in (("labels", labels), ("annotations", annotations)):
        assert new["template"]["metadata"][kind] == {**added, **old["template"]["metadata"][kind]}
        assert not any("/" in name or "." in name for name in added)
    changed = {
        key: value for key, value in new["template"]["spec"].items() if old["template"]["spec"].get(key) != value
    }
    assert changed.keys() <= {"nodeSelector", "tolerations"}
    assert old["template"]["spec"].keys() <= new["template"]["spec"].keys()
