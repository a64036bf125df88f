"""Every object of dist/ matches its schema: Kubernetes' own, or that of its CRD. Unknown fields are errors."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from constructs_lib.dist import write
from constructs_lib.names import SUFFIX
from constructs_lib.platform import Platform
from tests.kube import Object, by_kind
from tests.paths import ROOT

KUBERNETES = ("1.30", "1.34")
"""The oldest supported version, and the version of Terraform's cluster."""
FOREIGN = ("monitoring.coreos.com/", "gateway.networking.k8s.io/", "policy.networking.k8s.io/")
"""Beginnings of the API versions of CRDs."""
OPTIONAL = {"AlertmanagerConfig", "HTTPRoute"}
"""Kinds that only tenants with a receiver or behind a gateway have."""
KINDS = {  # of every platform
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PrometheusRule",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
}


def _objects(folder: Path) -> list[Object]:
    files = sorted(folder.glob(f"*{SUFFIX}"))
    return [each for path in files for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def _crd_schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """Schemas of the project's CRDs, by apiVersion and kind."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]): _closed(
            version["schema"]["openAPIV3Schema"]
        )
        for path in (ROOT / "imports" / "crds").glob("*.yaml")
        for crd in yaml.safe_load_all(path.read_text())
        for version in crd["spec"]["versions"]
    }


def _closed(schema: Any, *, top: bool = True) -> Any:
    """The schema without room for unknown fields, as `kubectl apply --validate=strict` reads it."""
    if isinstance(schema, list):
        return [_closed(each, top=False) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _closed(value, top=False) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        result.setdefault("additionalProperties", False)
    if top:  # the API server knows metadata itself
        result["properties"]["metadata"] = {"type": "object"}
    return result


OBJECTS = _objects(ROOT / "dist")
SCHEMAS = _crd_schemas()


def _name(item: Object) -> str:
    return f"{item['kind']}-{item['metadata'].get('namespace', '')}-{item['metadata']['name']}"


def _validate(item: Object) -> None:
    """Raise jsonschema's or kubernetes_validate's ValidationError for an object that breaks its schema."""
    schema = SCHEMAS.get((item["apiVersion"], item["kind"]))
    if schema is not None:
        jsonschema.Draft202012Validator(schema).validate(item)
        return
    assert not item["apiVersion"].startswith(FOREIGN), f"no schema of {item['kind']}"
    for version in KUBERNETES:
        kubernetes_validate.validate(item, version, strict=True)


def test_dist_holds_objects_of_every_kind() -> None:
    """A check of nothing would always pass."""
    assert {item["kind"] for item in OBJECTS} - OPTIONAL == KINDS
    assert len(OBJECTS) > len(KINDS)


@pytest.mark.parametrize("item", OBJECTS, ids=_name)
def test_an_object_follows_its_schema(item: Object) -> None:
    _validate(item)


def _with_an_unknown_field() -> Iterator[Any]:
    for kind in ("Deployment", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"):
        item = next(each for each in OBJECTS if each["kind"] == kind)
        yield pytest.param({**item, "spec": {**item["spec"], "unheardOf": 1}}, id=f"{kind}-unknown")
        yield pytest.param({**item, "spec": {**item["spec"], next(iter(item["spec"])): 7.5}}, id=f"{kind}-type")


@pytest.mark.parametrize("item", list(_with_an_unknown_field()))
def test_a_broken_object_is_noticed(item: Object) -> None:
    """The control: validation has teeth for unknown fields and wrong types, in both kinds of schema."""
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        _validate(item)


def test_what_a_tenant_may_add_follows_its_schema_too(tmp_path: Path) -> None:
    """A receiver, a gateway, and every list filled: what dist/ as shipped does not have."""
    tenant = {
        "name": "own",
        "model": "file:/models/spam",
        "receiver": {"type": "slack", "secretName": "s", "channel": "#a"},
        "egress": [{"cidr": "2001:db8::/32", "port": 514, "protocol": "UDP"}],
        "imagePullSecrets": ["registry"],
        "clients": [{"namespace": "web", "podLabels": {"app": "shop"}}, {"namespace": "batch"}],
    }
    gateway = {"name": "g", "namespace": "gateway", "podLabels": {"app": "envoy"}, "domain": "example.com"}
    settings = {"image": "a/b:1", "gateway": gateway}
    file = {"apiVersion": "tenantry.dev/v1alpha1", "platform": settings, "tenants": [tenant]}
    write(Platform.model_validate(file), tmp_path / "dist")
    objects = _objects(tmp_path / "dist")
    for kind, name in (
        ("AlertmanagerConfig", "own-ml-inference"),
        ("NetworkPolicy", "allow-egress-0"),
        ("NetworkPolicy", "allow-clients"),
        ("NetworkPolicy", "allow-gateway"),
        ("HTTPRoute", "own-ml-inference"),
        ("Deployment", "own-ml-inference"),
    ):
        _validate(by_kind(objects, kind, name))


def test_no_object_holds_a_secret_or_a_hash_in_its_name() -> None:
    assert not [item for item in OBJECTS if item["kind"] == "Secret"]
    assert not [item for item in OBJECTS if re.search(r"-c[0-9a-f]{7}$", item["metadata"]["name"])]  # cdk8s's own


def test_everything_carries_the_label_that_pruning_goes_by() -> None:
    assert all(item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "tenantry" for item in OBJECTS)


def test_a_namespace_comes_before_what_stands_in_it() -> None:
    """One `kubectl apply -f dist/` sends objects in this order."""
    seen: set[str] = set()
    for item in OBJECTS:
        if item["kind"] == "Namespace":
            seen.add(item["metadata"]["name"])
        else:
            assert item["metadata"]["namespace"] in seen
