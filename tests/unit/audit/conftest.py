"""Small clusters, written as YAML."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit import Assumptions, Cluster, read
from tests.unit.audit.shop import SHOP

Build = Callable[..., Cluster]


@pytest.fixture
def cluster(tmp_path: Path) -> Build:
    """Reads a cluster from YAML text."""

    def build(text: str, *, keep_going: bool = False, **assumptions: object) -> Cluster:
        file = tmp_path / "cluster.yaml"
        file.write_text(text, encoding="utf-8")
        assumed = Assumptions(**assumptions)  # type: ignore[arg-type]
        return read.objects([file], assumptions=assumed, keep_going=keep_going)

    return build


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two tenants without a path, in a file that tests add to."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file
