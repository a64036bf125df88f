"""Containers that the cluster adds to pods: what they may use, and what follows for limits, quota and plan."""

from pathlib import Path
from typing import Any

import pytest

from constructs_lib.isolated_tenant import IsolatedTenant, IsolatedTenantProps
from constructs_lib.platform import Platform, PlatformError
from constructs_lib.platform.capacity import requests_of
from tests.kube import by_kind, make_chart, objects_of

FILE = """\
apiVersion: tenantry.dev/v1alpha1
platform: {image: "example/image:1"}
defaults:
  autoscaling: {minReplicas: 2, maxReplicas: 3}
  quota: {headroomPods: 0}
tenants:
  - name: tenant-a
    model: s3://models/tenant-a/spam
"""
MESH = """\
    sidecars:
      requests: {cpu: 100m, memory: 128Mi}
      limits: {cpu: "2", memory: 256Mi, ephemeralStorage: 96Mi}
"""


def load(folder: Path, *more: str) -> Platform:
    file = folder / "platform.yaml"
    file.write_text("".join((FILE, *more)))
    return Platform.load(file)


def synth(folder: Path, *more: str) -> Any:
    platform = load(folder, *more)
    chart = make_chart()
    IsolatedTenant(chart, "tenant", IsolatedTenantProps.from_platform(platform.tenants[0], platform.platform))
    objects = objects_of(chart)
    return by_kind(objects, "LimitRange")["spec"]["limits"], by_kind(objects, "ResourceQuota")["spec"]["hard"]


def test_a_pod_may_use_what_the_service_and_the_sidecars_may_use(tmp_path: Path) -> None:
    (containers, pods), _ = synth(tmp_path, MESH)
    assert pods == {"type": "Pod", "max": {"cpu": "2500m", "memory": "768Mi", "ephemeral-storage": "352Mi"}}
    assert containers["max"] == {"cpu": "2", "memory": "512Mi", "ephemeral-storage": "256Mi"}


def test_a_sidecar_without_limits_gets_those_of_sidecars_and_not_those_of_the_service(tmp_path: Path) -> None:
    """The service's limits would exceed the pod's maximum."""
    (containers, _), _ = synth(tmp_path, MESH)
    assert containers["default"] == {"cpu": "2", "memory": "256Mi", "ephemeral-storage": "96Mi"}
    assert containers["defaultRequest"] == {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"}


def test_the_quota_holds_the_sidecars_of_every_pod(tmp_path: Path) -> None:
    _, hard = synth(tmp_path, MESH)
    assert hard["pods"] == "7"
    assert (hard["limits.cpu"], hard["limits.memory"]) == ("17500m", "5376Mi")
    assert (hard["requests.cpu"], hard["requests.memory"]) == ("2450m", "2688Mi")


def test_without_sidecars_a_pod_may_use_the_services_limits_only(tmp_path: Path) -> None:
    (containers, pods), hard = synth(tmp_path)
    assert pods["max"] == containers["max"] == containers["default"]
    assert pods["max"] == {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "256Mi"}
    assert hard["limits.cpu"] == "3500m"


def test_the_plan_counts_the_requests_of_sidecars(tmp_path: Path) -> None:
    pod = requests_of(load(tmp_path, MESH).tenants[0]).pod
    assert (pod.cpu, pod.memory) == (350, 384 * 2**20)


def test_rejects_a_quota_that_cannot_hold_the_sidecars(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"must be at least 17500m: maxReplicas \+ surge"):
        load(tmp_path, MESH, '    quota: {cpu: "4"}\n')


def test_rejects_requests_above_the_limits(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"(?s)sidecars\.requests\.memory.*must be at most the limit \(64Mi\)"):
        load(tmp_path, MESH.replace("256Mi", "64Mi"))


def test_rejects_sidecars_without_a_limit(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"sidecars\.limits"):
        load(tmp_path, "    sidecars: {requests: {cpu: 100m, memory: 128Mi}}\n")
