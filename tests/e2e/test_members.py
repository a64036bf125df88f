"""Members of a tenant: what people may do, tested by impersonation on everything that the API server serves."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
import yaml

from constructs_lib import members
from tests.e2e import pods
from tests.e2e.access import write
from tests.e2e.api import Account, Person, Resource, Right, discover
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import BUILD, DIST, PlatformUnderTest, objects
from tests.e2e.evidence import Evidence

pytestmark = [pytest.mark.smoke, pytest.mark.promise("members")]
NAMESPACE = "tenantry-e2e-members"
IMPERSONATOR = "tenantry-e2e-impersonator"
READERS = "e2e-readers"
FORWARDERS = "e2e-forwarders"
USER = "e2e-user"
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def bound(cluster: LiveCluster, platform: PlatformUnderTest) -> Iterator[tuple[str, str]]:
    """Two tenants: members of the first may read, members of the second may also forward ports."""
    readers, forwarders = platform.tenants[:2]
    document = yaml.safe_load(platform.file.read_text("utf-8"))
    document["tenants"] = [
        {"name": readers, "members": {"groups": [READERS], "users": [USER]}},
        {"name": forwarders, "members": {"groups": [FORWARDERS], "portForward": True}},
    ]
    for each in document["tenants"]:
        each["model"] = f"s3://models/{each['name']}/spam"
    platform.synth(file=write(document, BUILD / "members.yaml"))
    made = _of_members()
    assert len(made) == 4, "a Role and a RoleBinding per tenant"
    platform.synth(model=f"s3://models/{{tenant}}/spam@sha256:{platform.digest}")
    own = _of_members()
    try:
        cluster.apply(pods.namespace(NAMESPACE), *made, *_impersonator())
        yield readers, forwarders
    finally:
        for tenant in (readers, forwarders):
            cluster.delete("role,rolebinding", f"{tenant}-members", "-n", tenant)
        cluster.delete("clusterrole,clusterrolebinding", IMPERSONATOR)
        cluster.delete("namespace", NAMESPACE)
        cluster.apply(*own)


def _of_members() -> list[dict[str, Any]]:
    return [each for each in objects(DIST) if each["metadata"]["name"].endswith("-members")]


def _impersonator() -> list[dict[str, object]]:
    """An account that may impersonate, so that the proof works with every kind of kubeconfig."""
    subject = {"kind": "ServiceAccount", "name": IMPERSONATOR, "namespace": NAMESPACE}
    rule = {"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}
    rbac = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": IMPERSONATOR}}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": IMPERSONATOR, "namespace": NAMESPACE}},
        {**rbac, "kind": "ClusterRole", "rules": [rule]},
        {
            **rbac,
            "kind": "ClusterRoleBinding",
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": IMPERSONATOR},
            "subjects": [subject],
        },
    ]


@pytest.fixture(scope="module")
def served(cluster: LiveCluster) -> Sequence[Resource]:
    """The resources that the API server serves."""
    return discover(cluster)


@pytest.mark.parametrize("who", ["a reader by group", "a reader by name", "a forwarder by group"])
def test_members_may_read_their_namespace_and_nothing_else(
    who: str, cluster: LiveCluster, bound: tuple[str, str], served: Sequence[Resource], evidence: Evidence
) -> None:
    """Of every verb on every resource in every namespace, members have those of their Role and no others."""
    readers, forwarders = bound
    name, group, tenant = {
        "a reader by group": ("someone", READERS, readers),
        "a reader by name": (USER, None, readers),
        "a forwarder by group": ("someone", FORWARDERS, forwarders),
    }[who]
    namespaces = [each["metadata"]["name"] for each in cluster.items("namespaces")]
    with closing(_person(cluster, "stranger", "e2e-nobody")) as stranger:
        everyone, _ = stranger.rights(served, namespaces)
    with closing(_person(cluster, name, group)) as member:
        rights, requests = member.rights(served, namespaces)
    evidence.count("members", f"requests as {who}", requests)
    promised = {
        Right(verb, group, resource, tenant)
        for each in served
        for group, resource in [(each.group, each.name)]
        for verb in members.READ
        if resource in members.READABLE.get(group, ()) and verb in each.verbs
    }
    if tenant == forwarders:
        promised |= {Right(verb, "", "pods/portforward", tenant) for verb in members.PORT_FORWARD}
    assert sorted(map(str, rights - everyone)) == sorted(map(str, promised))


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("get", "secrets"), ("list", "secrets"), ("create", "pods/exec"), ("get", "pods/exec"), ("delete", "pods")],
)
def test_members_have_no_secrets_and_no_exec(
    verb: str, resource: str, cluster: LiveCluster, bound: tuple[str, str], evidence: Evidence
) -> None:
    """In their own namespace, too; that they may read pods there shows that the question is about the right person."""
    for tenant, group in zip(bound, (READERS, FORWARDERS), strict=True):
        with closing(_person(cluster, "someone", group)) as member:
            evidence.count("members", "access reviews", 2)
            assert member.may("list", "", "pods", tenant)
            assert not member.may(verb, "", resource, tenant)


def _person(cluster: LiveCluster, name: str, group: str | None) -> Account:
    return Person(cluster, name, group, namespace=NAMESPACE, account=IMPERSONATOR)
