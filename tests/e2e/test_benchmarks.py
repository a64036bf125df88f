"""The Multi-Tenancy Benchmarks, per tenant: the cluster answers as `tenantry audit benchmarks` says of its objects."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from audit import read
from audit.benchmarks import BENCHMARKS, results
from audit.contract import loaded
from constructs_lib.platform import Platform
from tenantry.isolation import contract_of
from tests.e2e.api import Account, Resource, discover
from tests.e2e.cluster import LiveCluster, workload
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.live_benchmarks import Tenant
from tests.e2e.requirements import OTHER_NAMESPACE

pytestmark = pytest.mark.promise("benchmarks")


@pytest.fixture(scope="module")
def served(cluster: LiveCluster) -> Sequence[Resource]:
    """The resources that the API server serves."""
    return discover(cluster)


@pytest.fixture(scope="module")
def said(cluster: LiveCluster, platform: PlatformUnderTest) -> dict[tuple[str, str], str]:
    """What the audit says of the objects of the cluster, by tenant and check."""
    wanted = loaded(contract_of(Platform.load(platform.file)), str(platform.file))
    found = read.context(cluster.kubectl.context, kubeconfig=cluster.kubectl.kubeconfig, details=True)
    return {(each.tenant, each.benchmark): str(each.answer.outcome) for each in results(wanted, found)}


@pytest.mark.parametrize("index", [0, 1], ids=["first tenant", "second tenant"])
def test_tenant_meets_the_benchmarks(
    index: int,
    cluster: LiveCluster,
    platform: PlatformUnderTest,
    served: Sequence[Resource],
    said: dict[tuple[str, str], str],
    evidence: Evidence,
) -> None:
    """No check fails, and what the audit decides from YAML is what the cluster answers."""
    name = platform.tenants[index]
    others = [each for each in platform.tenants if each != name]
    with (
        closing(Account(cluster, name, workload(name))) as account,
        closing(Account(cluster, OTHER_NAMESPACE, "default")) as stranger,
    ):
        tenant = Tenant(name, others, cluster, account, stranger, served)
        answers = tenant.answers()
    assert set(answers) == {each.name for each in BENCHMARKS}
    for kind, number in tenant.questions.items():
        evidence.count("benchmarks", kind, number)
    evidence.count("benchmarks", "checks", len(answers))
    rows = [
        (each.name, each.suite_id, answers[each.name][0], said[name, each.name], answers[each.name][1])
        for each in BENCHMARKS
    ]
    evidence.table("benchmarks", name, ("check", "in the suite", "cluster", "from YAML", "reason"), rows)
    assert {row[0]: row[4] for row in rows if row[2] == "fail"} == {}
    assert {row[0]: (row[2], row[3]) for row in rows if "unknown" not in row[2:4] and row[2] != row[3]} == {}
