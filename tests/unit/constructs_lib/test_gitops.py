"""Selectors after Argo CD, Flux or Kustomize has changed the labels of the manifests."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import yaml

from audit import read
from audit.wiring import broken_references
from tests.example_platform import accessible_dist
from tests.gitops import argo_cd, flux, kustomize
from tests.kube import Object
from tests.paths import ROOT

TOOLS = (argo_cd, flux, kustomize)
OBJECTS: list[Object] = [
    each for path in sorted(accessible_dist().glob("*.yaml")) for each in yaml.safe_load_all(path.read_text()) if each
]
TENANTS = sorted({each["metadata"]["namespace"] for each in OBJECTS if each["kind"] == "Deployment"})
Tool = Callable[[Sequence[Object]], list[Object]]


def of(objects: Sequence[Object], kind: str, namespace: str) -> Any:
    """The only object of a kind in a namespace."""
    (found,) = [each for each in objects if (each["kind"], each["metadata"].get("namespace")) == (kind, namespace)]
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_no_reference_is_broken(tool: Tool) -> None:
    inventory = read.objects(tool(OBJECTS), details=True).inventory
    assert [str(each) for each in broken_references(inventory)] == []


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("tool", TOOLS)
def test_every_selector_of_a_tenant_selects_what_it_did(tool: Tool, tenant: str) -> None:
    objects = tool(OBJECTS)
    deployment, service = of(objects, "Deployment", tenant)["spec"], of(objects, "Service", tenant)
    template = deployment["template"]
    pods = template["metadata"]["labels"].items()
    (spread,) = template["spec"]["topologySpreadConstraints"]
    budget = of(objects, "PodDisruptionBudget", tenant)["spec"]
    for labels in (
        deployment["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["selector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
    ):
        assert labels
        assert labels.items() <= pods
    monitored = of(objects, "ServiceMonitor", tenant)["spec"]["selector"]["matchLabels"]
    assert monitored
    assert monitored.items() <= service["metadata"]["labels"].items()
    others = [of(objects, "Service", each) for each in TENANTS if each != tenant]
    assert not any(monitored.items() <= each["metadata"]["labels"].items() for each in others)


@pytest.mark.parametrize("tool", TOOLS)
def test_policies_admit_and_reach_the_same_peers(tool: Tool) -> None:
    """Labels of others, such as Prometheus's and the DNS servers', must not change."""
    before, after = (_policies(each) for each in (OBJECTS, tool(OBJECTS)))
    assert len(before) > 10
    assert after == before


@pytest.mark.parametrize("tool", TOOLS)
def test_the_store_still_admits_the_tenants_namespaces(tool: Tool) -> None:
    text = (ROOT / "terraform/platform/manifests/minio-network-policy.yaml").read_text()
    store = next(each for each in yaml.safe_load_all(text) if each["metadata"]["name"] == "minio")
    (asked,) = store["spec"]["ingress"][0]["from"][0]["namespaceSelector"]["matchExpressions"]
    labels = {
        each["metadata"]["name"]: each["metadata"]["labels"] for each in tool(OBJECTS) if each["kind"] == "Namespace"
    }
    assert all(asked["key"] in labels[tenant] for tenant in TENANTS)


def test_nothing_but_the_deployment_selects_by_labels_that_tools_change() -> None:
    """Its selector is immutable; tools change it together with the labels of its pods, or not at all."""
    own = [each for each in OBJECTS if each["kind"] not in {"Deployment", "NetworkPolicy", "PrometheusRule"}]
    found = [labels for each in own for labels in _selectors(each.get("spec"))]
    assert found
    assert {key for labels in found for key in labels} == {"tenantry.dev/tenant"}


def _selectors(value: Any, key: str = "") -> Iterator[dict[str, str]]:
    if key == "matchLabels" or (key == "selector" and "matchLabels" not in value):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _selectors(each, name)


def _policies(objects: Sequence[Object]) -> list[tuple[str, str, Any]]:
    found = [each for each in objects if each["kind"] == "NetworkPolicy"]
    return [(each["metadata"]["namespace"], each["metadata"]["name"], each["spec"]) for each in found]
