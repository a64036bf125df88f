"""Twenty ways from one tenant to another, each opened by at most three lines, and twenty changes that open nothing."""

import shutil
from pathlib import Path

import pytest

from audit import Cluster, read
from audit.contract import contract_findings, loaded
from audit.paths import Paths, Way
from constructs_lib.platform import Platform
from tenantry.isolation import contract_of
from tests.audit.edits import Edit
from tests.audit.edits.routine import ROUTINE
from tests.audit.edits.ways import WAYS, Opened
from tests.example_platform import EXAMPLE, example_dist

CONTRACT = loaded(contract_of(Platform.load(EXAMPLE)), "example")


def both_ways(cluster: Cluster) -> list[Way]:
    paths = Paths(cluster)
    return [*paths.find(["tenant-a"], ["tenant-b"]), *paths.find(["tenant-b"], ["tenant-a"])]


@pytest.mark.parametrize("way", WAYS, ids=[each.what for each in WAYS])
def test_a_way_is_found_with_its_lines_and_breaks_the_contract(way: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    shutil.copytree(example_dist(), folder)
    changed = way.change(folder)
    cluster = read.objects([folder], details=True)
    found = Paths(cluster).find(["tenant-a"], ["tenant-b"])
    assert found, "no path is found"
    lines = {(each.file, each.line) for path in found for step in path.steps for each in step.evidence()}
    assert lines & changed, (changed, lines)
    assert list(contract_findings(CONTRACT, cluster)) != []


@pytest.mark.parametrize("edit", ROUTINE, ids=[each.what for each in ROUTINE])
def test_a_routine_change_opens_nothing(edit: Edit, tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    edit.apply(example_dist(), folder)
    cluster = read.objects([folder], details=True)
    assert both_ways(cluster) == []
    assert list(contract_findings(CONTRACT, cluster)) == []


def test_there_are_twenty_of_each() -> None:
    assert len(WAYS) >= 20
    assert len(ROUTINE) >= 20
