"""Several clusters from one platform.yaml: a folder of manifests each."""

from pathlib import Path

import pytest

from constructs_lib import charts
from constructs_lib.checks import warnings
from constructs_lib.dist import write
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform, PlatformError

HEAD = "apiVersion: tenantry.dev/v1alpha1\nplatform:\n  image: registry.example/service:1\n"
TENANT = "  - {{name: {0}, model: s3://models/{0}/spam{1}}}\n"


def _platform(folder: Path, *tenants: str, clusters: str = "") -> Platform:
    file = folder / "platform.yaml"
    file.write_text(f"{HEAD}{clusters}tenants:\n{''.join(tenants)}", "utf-8")
    return Platform.load(file)


def _tenant(name: str, cluster: str = "", more: str = "") -> str:
    return TENANT.format(name, (f", cluster: {cluster}" if cluster else "") + more)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def two(tmp_path: Path) -> Platform:
    """Three tenants on two clusters."""
    tenants = (_tenant("tenant-a", "east"), _tenant("tenant-b", "west"), _tenant("tenant-c", "east"))
    return _platform(tmp_path, *tenants, clusters="clusters: [east, west]\n")


def test_each_cluster_has_a_folder_with_its_tenants(two: Platform, tmp_path: Path) -> None:
    assert write(two, tmp_path / "dist")
    assert sorted(_files(tmp_path / "dist")) == [
        "east/0-platform.k8s.yaml",
        "east/tenant-a.k8s.yaml",
        "east/tenant-c.k8s.yaml",
        "west/0-platform.k8s.yaml",
        "west/tenant-b.k8s.yaml",
    ]
    assert not write(two, tmp_path / "dist"), "nothing has changed"


def test_the_files_are_those_of_a_platform_with_this_cluster_alone(two: Platform, tmp_path: Path) -> None:
    """Byte for byte, with the cache and without it."""
    write(two, tmp_path / "dist")
    charts.synth(two, tmp_path / "reference")
    assert _files(tmp_path / "dist") == _files(tmp_path / "reference")
    alone = _platform(tmp_path, _tenant("tenant-b"))
    write(alone, tmp_path / "alone")
    assert _files(tmp_path / "alone") == _files(tmp_path / "dist" / "west")


def test_a_tenant_that_moves_leaves_no_file(two: Platform, tmp_path: Path) -> None:
    """Nor does a cluster that is removed."""
    write(two, tmp_path / "dist")
    moved = _platform(tmp_path, _tenant("tenant-a", "west"), clusters="clusters: [west]\n")
    assert write(moved, tmp_path / "dist")
    assert sorted(_files(tmp_path / "dist")) == ["west/0-platform.k8s.yaml", "west/tenant-a.k8s.yaml"]


@pytest.mark.parametrize("name", ["notes.txt", "more/notes.txt", "more/tenant-a.k8s.yaml"])
def test_a_file_of_others_below_a_cluster_is_not_lost(two: Platform, tmp_path: Path, name: str) -> None:
    write(two, tmp_path / "dist")
    file = tmp_path / "dist" / "east" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(PropsError, match=rf"contains east/{name.partition('/')[0]}"):
        write(two, tmp_path / "dist")
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("clusters", "tenants", "says"),
    [
        ("", [_tenant("a", "east")], "needs the list of clusters"),
        ("clusters: [east]\n", [_tenant("a")], "must be one of east"),
        ("clusters: [east]\n", [_tenant("a", "west"), _tenant("b", "east")], "must be one of east"),
        ("clusters: [east, west]\n", [_tenant("a", "east")], "must have a tenant"),
        ("clusters: [east, east]\n", [_tenant("a", "east")], "must not appear twice"),
        ("clusters: [East]\n", [_tenant("a", "East")], "East"),
        (
            "clusters: [east, west]\n",
            [
                _tenant("a", "east", ", sharedWith: [b]"),
                _tenant("b", "west", ", clients: [{namespace: a, podLabels: {x: y}}]"),
            ],
            "must be a tenant on the same cluster",
        ),
    ],
)
def test_rejects_a_tenant_without_a_cluster_and_a_cluster_without_a_tenant(
    tmp_path: Path, clusters: str, tenants: list[str], says: str
) -> None:
    with pytest.raises(PlatformError, match=says):
        _platform(tmp_path, *tenants, clusters=clusters)


def test_a_warning_names_the_cluster(tmp_path: Path) -> None:
    """The Prometheus of each cluster holds the series of its own tenants only."""
    file = tmp_path / "platform.yaml"
    prometheus = "  monitoring: {prometheus: {memory: 257Mi, storage: 100Gi}}\n"
    tenants = _tenant("tenant-a", "east") + _tenant("tenant-b", "west")
    file.write_text(f"{HEAD}{prometheus}clusters: [east, west]\ntenants:\n{tenants}", "utf-8")
    found = [each for each in warnings(Platform.load(file)) if "Prometheus needs" in each]
    assert [each.partition(": ")[0] for each in found] == ["cluster east", "cluster west"]
