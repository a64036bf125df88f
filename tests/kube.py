"""Plain Kubernetes objects in tests: created by a chart, found by kind and name."""

from collections.abc import Iterable
from typing import Any

from cdk8s import App, Chart
from cdk8s import Testing as Cdk8sTesting

Object = dict[str, Any]


def make_chart() -> Chart:
    """An empty chart in an app of its own.

    The app is never synthesized. `Testing.app()` would leave a temporary folder behind.
    """
    return Chart(App(), "test")


def objects_of(chart: Chart) -> list[Object]:
    """The objects of a chart, in order."""
    objects: list[Object] = Cdk8sTesting.synth(chart)
    return objects


def by_kind(objects: Iterable[Object], kind: str, name: str | None = None) -> Object:
    """The only object of this kind and, if given, of this name."""
    found = [each for each in objects if each["kind"] == kind and name in {None, each["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}, name {name}"
    return found[0]
