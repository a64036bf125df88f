"""The object store in the cluster: its buckets, and the permissions of a tenant's keys."""

import base64

import obstore
import pytest
from obstore.exceptions import PermissionDeniedError
from obstore.store import ObjectStore
from pydantic import SecretStr

from inference import contract
from inference.store.bucket import Bucket
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.store import Store

pytestmark = [pytest.mark.smoke, pytest.mark.promise("store")]


def test_buckets_exist(cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence) -> None:
    """The buckets models, datasets and artifacts exist."""
    del platform
    store = Store.find(cluster)
    if not store.ours:
        pytest.skip("the user for publishing can see only the bucket of models")
    with store.settings() as settings:
        for bucket in (contract.MODELS_BUCKET, contract.DATASETS_BUCKET, contract.ARTIFACTS_BUCKET):
            obstore.list(Bucket.open(bucket, settings).store).collect()
            evidence.count("store", "buckets")


def test_a_tenants_keys_give_access_to_its_own_objects_only(
    cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The keys in the tenant's Secret can read its own models and write its own artifacts."""
    own, other = platform.tenants[:2]
    data = cluster.kubectl.get("secret", contract.STORE_SECRET_NAME, "-n", own)["data"]
    access, secret = (
        base64.b64decode(data[key]).decode() for key in (contract.STORE_ACCESS_KEY_ENV, contract.STORE_SECRET_KEY_ENV)
    )
    with Store.find(cluster).settings() as settings:
        mine = settings.model_copy(update={"access_key_id": access, "secret_access_key": SecretStr(secret)})
        models, artifacts = (
            Bucket.open(each, mine).store for each in (contract.MODELS_BUCKET, contract.ARTIFACTS_BUCKET)
        )
        assert b"digests" in obstore.get(models, f"{own}/spam/latest.json").bytes().to_bytes()
        obstore.put(artifacts, f"{own}/e2e", b"mine", use_multipart=False)
        for store, key, writes in (
            (models, f"{other}/spam/latest.json", False),
            (models, f"{own}/e2e", True),
            (artifacts, f"{other}/e2e", True),
            (artifacts, f"{other}/e2e", False),
        ):
            assert _is_denied(store, key, writes=writes), f"{'put' if writes else 'get'} {key}"
    evidence.count("store", "requests with a tenant's keys", 6)


def _is_denied(store: ObjectStore, key: str, *, writes: bool) -> bool:
    try:
        if writes:
            obstore.put(store, key, b"not mine", use_multipart=False)
        else:
            obstore.get(store, key)
    except PermissionDeniedError:
        return True
    return False
