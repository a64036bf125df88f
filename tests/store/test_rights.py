"""Every right that a tenant has in the store, and every one that it has not, on a real S3 server."""

from collections.abc import Callable

import obstore
import pytest
from obstore.store import ObjectStore

from inference.errors import StoreError
from inference.store.bucket import Bucket, StoreSettings
from tests.store.conftest import BUCKETS, ROOT, S3Server

Act = Callable[[ObjectStore, str], object]

ACTS: dict[str, Act] = {
    "read": obstore.get,
    "write": lambda store, key: obstore.put(store, key, b"mine", use_multipart=False),
    "write in parts": lambda store, key: obstore.put(store, key, b"mine" * 2_000_000, use_multipart=True),
    "delete": obstore.delete,
    "list": lambda store, key: obstore.list(store, key.rpartition("/")[0]).collect(),
    "copy": lambda store, key: obstore.copy(store, key, key + ".copy"),
}
ALLOWED = {
    "tenantry-tenant-a": {
        ("read", "models/tenant-a/x/object"),
        ("write", "artifacts/tenant-a/x/object"),
        ("write in parts", "artifacts/tenant-a/x/object"),
    },
    "publisher": {
        (act, f"models/{folder}/x/object")
        for act in ("read", "write", "write in parts", "list", "copy")
        for folder in ("tenant-a", "tenant-ab", "tenant-b")
    },
}


@pytest.fixture(scope="session")
def keys(server: S3Server) -> list[str]:
    """An object in each bucket for each tenant, and for one whose name merely begins like a tenant's."""
    keys = [f"{bucket}/{tenant}/x/object" for bucket in BUCKETS for tenant in ("tenant-a", "tenant-ab", "tenant-b")]
    for key in keys:
        _put_as_root(server, key)
    return keys


def _put_as_root(server: S3Server, key: str) -> None:
    bucket, _, path = key.partition("/")
    obstore.put(_open(bucket, server.settings(ROOT[0])), path, b"somebody's", use_multipart=False)


def _open(bucket: str, settings: StoreSettings) -> ObjectStore:
    return Bucket.open(bucket, settings).store


def _may(act: Act, bucket: str, path: str, settings: StoreSettings) -> bool:
    """Whether the server lets it happen; anything but a plain refusal is an error."""
    try:
        act(_open(bucket, settings), path)
    except obstore.exceptions.BaseError as error:
        assert "AccessDenied" in str(error)  # noqa: PT017 - the reason is part of what is asked
        return False
    return True


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("user", ALLOWED)
def test_a_user_may_do_what_its_policy_says_and_nothing_else(
    server: S3Server, keys: list[str], user: str, act: str
) -> None:
    allowed = set()
    for key in keys:
        bucket, _, path = key.partition("/")
        if _may(ACTS[act], bucket, path, server.settings(user)):
            allowed.add((act, key))
        _put_as_root(server, key)
    assert allowed == {(done, key) for done, key in ALLOWED[user] if done == act}


def test_a_tenant_cannot_list_even_its_own_models(tenant_a: StoreSettings) -> None:
    for bucket in BUCKETS:
        for prefix in ("", "tenant-a/", "tenant-b/"):
            with pytest.raises(StoreError, match="denied"), Bucket.open(bucket, tenant_a).explained("list", prefix):
                obstore.list_with_delimiter(_open(bucket, tenant_a), prefix or None)


@pytest.mark.usefixtures("keys")
def test_a_key_pair_of_one_tenant_with_the_secret_of_another_opens_nothing(server: S3Server) -> None:
    other = server.settings("tenantry-tenant-b").secret_access_key
    mixed = server.settings("tenantry-tenant-a", secret_access_key=other)
    with pytest.raises(StoreError, match=r"denied by .* \(403 SignatureDoesNotMatch\)"):
        Bucket.open("models", mixed).get("tenant-a/x/object", max_bytes=1)


@pytest.mark.usefixtures("keys")
def test_nobody_reads_without_a_key(server: S3Server) -> None:
    anonymous = obstore.store.S3Store(
        "models", endpoint=server.endpoint, skip_signature=True, client_options={"allow_http": True}
    )
    for key in ("tenant-a/x/object", "tenant-b/x/object"):
        with pytest.raises(obstore.exceptions.PermissionDeniedError):
            obstore.get(anonymous, key)
