"""A first model for every tenant of a new platform, published with the keys that Terraform made for it."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from constructs_lib.platform import Platform, Tenant
from inference import contract
from inference.store.bucket import Bucket, StoreSettings
from inference.store.registry import publish, published
from tenantry.cluster.kubectl import Kubectl
from tenantry.cluster.rollout import not_ready
from tenantry.cluster.store_access import bucket_address
from tenantry.console import say


def publish_where_missing(kubectl: Kubectl, platform: Platform, outputs: Mapping[str, Any], model: Path) -> None:
    """Publish `model` for each tenant whose address in the store holds nothing yet; leave all others as they are.

    Args:
        kubectl: The cluster of the store.
        platform: Who the tenants are.
        outputs: Those of terraform/platform.
        model: Folder of the artifact.

    Raises:
        CommandError: The store cannot be reached.
        StoreError: The store refuses; names bucket and key.
    """
    namespace = outputs["store_namespace"]
    secret = kubectl.get("secret", outputs["publisher_secret"], "--namespace", namespace)["data"]
    keys = {name: base64.b64decode(value).decode() for name, value in secret.items()}
    store = platform.platform.model_store
    with kubectl.port_forward(namespace, f"service/{outputs['store_service']}", store.port) as port:
        settings = StoreSettings(
            endpoint=f"http://127.0.0.1:{port}",
            allow_http=True,
            region=store.region,
            access_key_id=keys[contract.STORE_ACCESS_KEY_ENV],
            secret_access_key=SecretStr(keys[contract.STORE_SECRET_KEY_ENV]),
        )
        for tenant in platform.tenants:
            if _publish_first(tenant, settings, model):
                _start_at_once(kubectl, tenant.name)


def _publish_first(tenant: Tenant, settings: StoreSettings, model: Path) -> bool:
    """Publish a tenant's first model; say whether that was done."""
    if not tenant.model.startswith("s3://"):
        return False
    address = bucket_address(tenant.model)
    if published(Bucket.open(address.bucket, settings), address):
        say(f"  {tenant.name}: a model is published")
        return False
    publication = publish(model, str(address), settings)
    say(f"  {tenant.name}: published {publication.uri}")
    return True


def _start_at_once(kubectl: Kubectl, tenant: str) -> None:
    """Replace pods that failed for want of the model: Kubernetes would restart them after minutes of back-off."""
    pods = not_ready(kubectl, tenant)
    if pods:
        kubectl.run("delete", "pod", "--namespace", tenant, "--wait=false", "--ignore-not-found", *pods)
