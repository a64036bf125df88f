"""Contracts for tests."""

from audit.contract import Contract, loaded


def contract(**spec: object) -> Contract:
    """A contract of one tenant named shop, unless the spec has others."""
    head = {"apiVersion": "tenantry.dev/v1alpha1", "kind": "IsolationContract", "metadata": {"name": "test"}}
    return loaded({**head, "spec": {"tenants": [{"name": "shop"}], **spec}}, "contract.yaml")
