"""Which of the clusters in platform.yaml a command considers."""

from collections.abc import Sequence
from pathlib import Path

from constructs_lib.platform import Platform
from tenantry.errors import InputError


def part_of(platform: Platform, cluster: str | None) -> Platform:
    """The platform with the tenants of one cluster; all of them if none is named.

    Raises:
        InputError: platform.yaml does not list the cluster.
    """
    if cluster is None:
        return platform
    if cluster not in platform.clusters:
        listed = ", ".join(platform.clusters) or "none"
        raise InputError(f"--cluster {cluster}: is not one of the clusters in platform.yaml: {listed}")
    return platform.parts()[cluster]


def cluster_of(paths: Sequence[str], clusters: Sequence[str]) -> str | None:
    """The cluster whose folder of manifests contains all of these files; None if there is none.

    Args:
        paths: folders of manifests, and files or patterns in them.
        clusters: the clusters that platform.yaml lists.
    """
    folders = {path.name if path.is_dir() else path.parent.name for path in map(Path, paths)}
    return folders.pop() if len(folders) == 1 and folders <= set(clusters) else None
