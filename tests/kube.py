"""Plain Kubernetes objects in tests: made by a chart, found by kind and name."""

from collections.abc import Iterable
from typing import Any

from cdk8s import Chart
from cdk8s import Testing as Cdk8sTesting

Object = dict[str, Any]


def make_chart() -> Chart:
    """An empty chart of an app of its own, which writes nothing."""
    return Chart(Cdk8sTesting.app(), "test")


def objects_of(chart: Chart) -> list[Object]:
    """What a chart would write, in its order."""
    objects: list[Object] = Cdk8sTesting.synth(chart)
    return objects


def by_kind(objects: Iterable[Object], kind: str, name: str | None = None) -> Object:
    """The one object of a kind, of those with that name where one is given."""
    found = [each for each in objects if each["kind"] == kind and name in {None, each["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}, name {name}"
    return found[0]
