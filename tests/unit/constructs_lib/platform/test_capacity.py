"""What a platform needs, and whether a cluster can hold it."""

from pathlib import Path

import pytest

from constructs_lib.platform import Platform, PlatformError, Tenant
from constructs_lib.platform.capacity import Room, homeless, machines, need, shortfall, tenants_like, total
from constructs_lib.platform.checks import warnings
from constructs_lib.platform.cluster import Cluster

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


def _room(cpu: int, memory: int = 1, pods: int = 1) -> Room:
    return Room(cpu=cpu, memory=memory, pods=pods)


def test_a_tenant_needs_its_pods_at_rest_and_its_maximum_with_a_rollouts_surge(tenants: tuple[Tenant, ...]) -> None:
    needed = need(tenants[0])
    assert needed.minimum == Room(cpu=500, memory=512 * MEBIBYTE, pods=2)
    assert needed.maximum == Room(cpu=2750, memory=2816 * MEBIBYTE, pods=11)
    assert total([needed.maximum, needed.maximum]) == Room(cpu=5500, memory=5632 * MEBIBYTE, pods=22)


def test_a_machine_has_what_is_not_reserved() -> None:
    cluster = Cluster(workers=2, cpu="2", memory="1Gi", pods=20, reserved_cpu="500m", reserved_memory="24Mi")
    assert machines(cluster) == (Room(cpu=1500, memory=1000 * MEBIBYTE, pods=10),) * 2


def test_a_machine_that_is_smaller_than_what_is_reserved_has_nothing() -> None:
    assert machines(Cluster(workers=1, cpu="100m", memory="1Mi", pods=1)) == (Room(cpu=0, memory=0, pods=0),)


@pytest.mark.parametrize(
    ("pods", "free", "left"),
    [
        ([], [], 0),
        ([_room(1)], [], 1),
        ([_room(5)] * 4, [_room(10, 9, 9)] * 2, 0),
        ([_room(6)] * 3, [_room(10, 9, 9)] * 2, 1),  # 18 of 20 by the sum, but no machine has 6 left
        ([_room(1, 6)] * 3, [_room(10, 10, 9)] * 2, 1),
        ([_room(1)] * 5, [_room(10, 10, 2)] * 2, 1),
        ([_room(3), _room(7), _room(3), _room(7)], [_room(10, 9, 9)] * 2, 0),  # only when the large ones go first
    ],
)
def test_pods_are_placed_machine_by_machine(pods: list[Room], free: list[Room], left: int) -> None:
    assert homeless(pods, free) == left


def test_says_for_how_many_tenants_of_a_kind_there_is_room(tenants: tuple[Tenant, ...]) -> None:
    """Four machines that take 14 pods each by CPU hold 28 tenants of 2 pods, or 5 of 11."""
    free = [Room(cpu=3700, memory=2**40, pods=100)] * 4
    assert tenants_like(need(tenants[0]), free) == (28, 5)


@pytest.mark.parametrize("tight", [{"cpu": 1250}, {"memory": 1300 * MEBIBYTE}, {"pods": 5}])
def test_the_scarcest_of_cpu_memory_and_pods_decides(tenants: tuple[Tenant, ...], tight: dict[str, int]) -> None:
    free = [Room(**{"cpu": 10**6, "memory": 2**40, "pods": 100, **tight})] * 4
    assert tenants_like(need(tenants[0]), free) == (10, 1)


def test_a_cluster_that_is_large_enough_is_not_worth_a_word(tmp_path: Path) -> None:
    assert not any("cluster" in warning for warning in warnings(_load(tmp_path, "{cpu: 4, memory: 8Gi}")))


def test_a_cluster_that_is_too_small_for_the_maximum_is_a_warning(tmp_path: Path) -> None:
    platform = _load(tmp_path, "{workers: 1, cpu: 4, memory: 8Gi}")
    (warning,) = [each for each in warnings(platform) if "cluster" in each]
    assert "(1 worker of 4 CPU and 8Gi) has no room for 8 of the 22 pods that the tenants have at most" in warning


def test_a_cluster_that_is_too_small_even_at_rest_says_that(tenants: tuple[Tenant, ...]) -> None:
    said = shortfall(tenants, Cluster(workers=1, cpu="1", memory="8Gi"))
    assert said is not None
    assert "no room for 2 of the 4 pods that the tenants have at rest" in said


@pytest.mark.parametrize("cluster", ["{cpu: 4}", "{memory: 8Gi}", "{cpu: 4, memory: 8Gi, workers: 0}", "{cpu: much}"])
def test_half_a_description_is_refused(tmp_path: Path, cluster: str) -> None:
    with pytest.raises(PlatformError, match=r"platform\.cluster"):
        _load(tmp_path, cluster)
