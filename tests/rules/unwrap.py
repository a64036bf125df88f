"""Reads the rule groups of the PrometheusRules in dist/."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.example_platform import example_dist

DIST = example_dist()


def prometheus_rules(files: Iterable[Path]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Namespace and rule groups of every PrometheusRule in some YAML files."""
    for path in files:
        for document in YAML(typ="safe").load_all(path):
            if document and document.get("kind") == "PrometheusRule":
                yield document["metadata"]["namespace"], document["spec"]["groups"]


def dist_rules() -> dict[str, list[dict[str, Any]]]:
    """The committed rule groups by tenant; fails if there are none."""
    found = dict(prometheus_rules(sorted(DIST.glob("*.yaml"))))
    if not found:
        raise AssertionError(f"{DIST} has no PrometheusRule")
    return found
