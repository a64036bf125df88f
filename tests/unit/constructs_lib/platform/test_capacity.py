"""What the tenants request, and whether a cluster can hold them."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform, PlatformError, Tenant
from constructs_lib.platform.capacity import (
    ResourceList,
    allocatable,
    requests_of,
    shortfall,
    tenants_that_fit,
    total,
    unschedulable,
)
from constructs_lib.platform.checks import warnings
from constructs_lib.platform.cluster import ClusterSettings

MEBIBYTE = 2**20
FILE = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: example/image:1
  cluster: {cluster}
defaults:
  resources: {{requests: {{cpu: 250m, memory: 256Mi}}}}
  autoscaling: {{minReplicas: 2, maxReplicas: 10}}
tenants:
  - {{name: tenant-a, model: "file:spam"}}
  - {{name: tenant-b, model: "file:spam"}}
"""


@pytest.fixture
def tenants(tmp_path: Path) -> tuple[Tenant, ...]:
    return _load(tmp_path, "{cpu: 4, memory: 8Gi}").tenants


def _load(folder: Path, cluster: str) -> Platform:
    file = folder / "platform.yaml"
    file.write_text(FILE.format(cluster=cluster))
    return Platform.load(file)


def _amounts(cpu: int, memory: int = 1, pods: int = 1) -> ResourceList:
    return ResourceList(cpu=cpu, memory=memory, pods=pods)


def test_a_tenant_requests_its_minimum_and_its_maximum_with_the_surge(tenants: tuple[Tenant, ...]) -> None:
    requests = requests_of(tenants[0])
    assert requests.minimum == ResourceList(cpu=500, memory=512 * MEBIBYTE, pods=2)
    assert requests.maximum == ResourceList(cpu=2750, memory=2816 * MEBIBYTE, pods=11)
    assert total([requests.maximum, requests.maximum]) == ResourceList(cpu=5500, memory=5632 * MEBIBYTE, pods=22)


def test_what_is_reserved_is_not_allocatable() -> None:
    cluster = ClusterSettings(workers=2, cpu="2", memory="1Gi", pods=20, reserved_cpu="500m", reserved_memory="24Mi")
    assert allocatable(cluster) == (ResourceList(cpu=1500, memory=1000 * MEBIBYTE, pods=10),) * 2


def test_a_node_smaller_than_what_is_reserved_has_nothing_allocatable() -> None:
    assert allocatable(ClusterSettings(workers=1, cpu="100m", memory="1Mi", pods=1)) == (
        ResourceList(cpu=0, memory=0, pods=0),
    )


@pytest.mark.parametrize(
    ("pods", "free", "left"),
    [
        ([], [], 0),
        ([_amounts(1)], [], 1),
        ([_amounts(5)] * 4, [_amounts(10, 9, 9)] * 2, 0),
        ([_amounts(6)] * 3, [_amounts(10, 9, 9)] * 2, 1),  # 18 of 20 by the sum, but no node has 6 left
        ([_amounts(1, 6)] * 3, [_amounts(10, 10, 9)] * 2, 1),
        ([_amounts(1)] * 5, [_amounts(10, 10, 2)] * 2, 1),
        ([_amounts(3), _amounts(7), _amounts(3), _amounts(7)], [_amounts(10, 9, 9)] * 2, 0),  # largest first
    ],
)
def test_pods_are_placed_node_by_node(pods: list[ResourceList], free: list[ResourceList], left: int) -> None:
    assert unschedulable(pods, free) == left


def test_counts_the_similar_tenants_that_fit(tenants: tuple[Tenant, ...]) -> None:
    """Four nodes that take 14 pods each by CPU hold 28 tenants of 2 pods, or 5 of 11."""
    free = [ResourceList(cpu=3700, memory=2**40, pods=100)] * 4
    assert tenants_that_fit(requests_of(tenants[0]), free) == (28, 5)


@pytest.mark.parametrize("tight", [{"cpu": 1250}, {"memory": 1300 * MEBIBYTE}, {"pods": 5}])
def test_the_scarcest_of_cpu_memory_and_pods_decides(tenants: tuple[Tenant, ...], tight: dict[str, int]) -> None:
    free = [ResourceList(**{"cpu": 10**6, "memory": 2**40, "pods": 100, **tight})] * 4
    assert tenants_that_fit(requests_of(tenants[0]), free) == (10, 1)


def test_a_large_enough_cluster_gives_no_warning(tmp_path: Path) -> None:
    assert not any("cluster" in warning for warning in warnings(_load(tmp_path, "{cpu: 4, memory: 8Gi}")))


def test_warns_that_the_cluster_is_too_small_for_the_maximum(tmp_path: Path) -> None:
    platform = _load(tmp_path, "{workers: 1, cpu: 4, memory: 8Gi}")
    (warning,) = [each for each in warnings(platform) if "cluster" in each]
    assert "8 of the 22 pods that the tenants run at their maximum are unschedulable" in warning
    assert "(1 worker of 4 CPU and 8Gi)" in warning


def test_warns_that_the_cluster_is_too_small_even_for_the_minimum(tenants: tuple[Tenant, ...]) -> None:
    said = shortfall(tenants, ClusterSettings(workers=1, cpu="1", memory="8Gi"))
    assert said is not None
    assert "2 of the 4 pods that the tenants run at their minimum are unschedulable" in said


@pytest.mark.parametrize("cluster", ["{cpu: 4}", "{memory: 8Gi}", "{cpu: 4, memory: 8Gi, workers: 0}", "{cpu: much}"])
def test_rejects_an_incomplete_description(tmp_path: Path, cluster: str) -> None:
    with pytest.raises(PlatformError, match=r"platform\.cluster"):
        _load(tmp_path, cluster)
