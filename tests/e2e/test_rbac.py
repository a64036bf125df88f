"""Permissions: what an account may do, tested with its real token on everything that the API server serves."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from tests.e2e.api import Account, Resource, Right, discover
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.requirements import OTHER_NAMESPACE

pytestmark = [pytest.mark.smoke, pytest.mark.promise("rbac")]
READABLE = ("pods", "services", "configmaps")
READ = ("get", "list")


@pytest.fixture(scope="session")
def resources(cluster: LiveCluster) -> Sequence[Resource]:
    """The resources that the API server serves."""
    return discover(cluster)


@pytest.fixture(scope="session")
def everyone(
    cluster: LiveCluster, platform: PlatformUnderTest, resources: Sequence[Resource], evidence: Evidence
) -> frozenset[Right]:
    """What an account without any Role may do, as in every cluster."""
    del platform
    with closing(Account(cluster, OTHER_NAMESPACE, "default")) as account:
        rights, requests = account.rights(resources, _namespaces(cluster))
    evidence.count("rbac", "requests of an account without a Role", requests)
    for right in sorted(rights):
        evidence.note("rbac", f"every account of the cluster may {right}")
    return rights


def test_account_may_read_its_own_namespace_and_nothing_else(
    cluster: LiveCluster,
    platform: PlatformUnderTest,
    resources: Sequence[Resource],
    everyone: frozenset[Right],
    evidence: Evidence,
) -> None:
    """Of every verb on every resource in every namespace, only those of the Role are allowed."""
    tenant = platform.tenants[0]
    namespaces = _namespaces(cluster)
    with closing(Account(cluster, tenant, workload(tenant))) as account:
        rights, requests = account.rights(resources, namespaces)
    evidence.count("rbac", f"requests with {tenant}'s token", requests)
    evidence.figure("rbac", "resources and subresources that the API server serves", len(resources))
    evidence.figure("rbac", "namespaces", len(namespaces))
    promised = {Right(verb, "", resource, tenant) for verb in READ for resource in READABLE}
    assert sorted(map(str, rights - everyone)) == sorted(map(str, promised))


@pytest.mark.parametrize("verb", ["get", "list", "create", "delete"])
def test_other_tenants_accounts_have_the_same_rights(
    verb: str, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The other tenants' accounts may use only the Role's verbs, only in their own namespace, and no Secrets."""
    for tenant in platform.tenants[1:]:
        with closing(Account(cluster, tenant, workload(tenant))) as account:
            for resource in (*READABLE, "secrets"):
                for namespace in (*platform.tenants, "kube-system", ""):
                    evidence.count("rbac", "access reviews")
                    wanted = verb in READ and resource in READABLE and namespace == tenant
                    assert account.may(verb, "", resource, namespace) == wanted, f"{verb} {resource} in '{namespace}'"


def _namespaces(cluster: LiveCluster) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.items("namespaces")]
