"""How a pod reaches the model store: address, proxy, keys or identity, and the authority of its certificate."""

from typing import Any, Final

from constructs_lib.platform import ModelStore
from constructs_lib.platform.model_store import CaBundle, WorkloadIdentity
from inference import contract

Manifest = dict[str, Any]
_TOKEN: Final = "model-store-token"  # noqa: S105 - a volume's name, not a secret
_TOKEN_SECONDS: Final = 3600


def add_store_access(spec: Manifest, store: ModelStore, tenant: str, proxy: str | None) -> None:
    """Add the store's settings, credentials and authority, and a proxy to it, to a pod with one container."""
    (container,) = spec["containers"]
    container["env"] += _address(store)
    if store.workload_identity is None:
        container["env"] += _keys()
    else:
        _add_identity(spec, store.workload_identity, tenant)
    if store.ca_bundle is not None:
        _add_authority(spec, store.ca_bundle)
    if proxy is not None:
        container["env"].append({"name": contract.STORE_PROXY_ENV, "value": proxy})


def _address(store: ModelStore) -> list[Manifest]:
    settings = {
        contract.STORE_ENDPOINT_ENV: store.endpoint,
        contract.STORE_REGION_ENV: store.region,
        contract.STORE_ALLOW_HTTP_ENV: "true" if store.endpoint.startswith("http:") else "false",
        contract.STORE_VIRTUAL_HOSTED_ENV: "false",
    }
    return [{"name": name, "value": value} for name, value in settings.items()]


def _keys() -> list[Manifest]:
    return [
        {"name": key, "valueFrom": {"secretKeyRef": {"key": key, "name": contract.STORE_SECRET_NAME}}}
        for key in (contract.STORE_ACCESS_KEY_ENV, contract.STORE_SECRET_KEY_ENV)
    ]


def _add_identity(spec: Manifest, identity: WorkloadIdentity, tenant: str) -> None:
    """Project a token of the ServiceAccount for the store's audience only; the API server does not accept it."""
    settings = {
        contract.STORE_ROLE_ENV: identity.role_of(tenant),
        contract.STORE_TOKEN_FILE_ENV: f"{contract.STORE_TOKEN_DIR}/{contract.STORE_TOKEN_KEY}",
        **({contract.STORE_STS_ENV: identity.sts_endpoint} if identity.sts_endpoint else {}),
    }
    token = {
        "audience": identity.audience,
        "expirationSeconds": _TOKEN_SECONDS,
        "path": contract.STORE_TOKEN_KEY,
    }
    spec["containers"][0]["env"] += [{"name": name, "value": value} for name, value in settings.items()]
    _mount(spec, _TOKEN, contract.STORE_TOKEN_DIR, {"projected": {"sources": [{"serviceAccountToken": token}]}})


def _add_authority(spec: Manifest, bundle: CaBundle) -> None:
    path = f"{contract.STORE_CA_DIR}/{contract.STORE_CA_KEY}"
    spec["containers"][0]["env"].append({"name": contract.STORE_CA_FILE_ENV, "value": path})
    item = {"key": bundle.key if bundle.config_map else contract.STORE_CA_KEY, "path": contract.STORE_CA_KEY}
    config_map = {"items": [item], "name": bundle.config_map or contract.STORE_CA_NAME}
    _mount(spec, contract.STORE_CA_NAME, contract.STORE_CA_DIR, {"configMap": config_map})


def _mount(spec: Manifest, name: str, path: str, source: Manifest) -> None:
    spec["containers"][0]["volumeMounts"].append({"mountPath": path, "name": name, "readOnly": True})
    spec["volumes"].append({"name": name, **source})
