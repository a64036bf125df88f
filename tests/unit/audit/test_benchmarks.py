"""The Multi-Tenancy Benchmarks from YAML: each check is planted to fail, to be unknown, and repaired."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit import Contract, read
from audit.benchmarks import BENCHMARKS, results
from audit.benchmarks.pods import NAMES, harmless, refused
from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist
from tests.unit.audit import contracts
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import account, binding, role

RESTRICTED = "{pod-security.kubernetes.io/enforce: restricted}"
QUOTA = """\
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota, namespace: shop}
spec:
  hard: {pods: 9, requests.cpu: 1, requests.memory: 1Gi, requests.ephemeral-storage: 1Gi, services.nodeports: 0}
"""
TENANT = namespace("shop", RESTRICTED) + policy("deny", DENY_ALL) + QUOTA + account("web")
OTHER = namespace("bank", RESTRICTED) + policy("deny", DENY_ALL, "bank") + pod("db", "{app: db}", "bank")
SAFE = TENANT + OTHER + pod("web", "{app: web}", ports="[{containerPort: 8000}]")
RBAC = '["rbac.authorization.k8s.io"]'
WEBHOOK = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks: [{name: guard.example.org, rules: [{resources: [RESOURCE]}]}]
"""
GUARD = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: guard}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], resources: [RESOURCE]}]}
"""
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: fast}
"""
STORAGE_CLASS = """\
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
reclaimPolicy: Delete
"""
VOLUME = """\
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec:
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: shop, name: data}
"""
SERVICE = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: NodePort}\n"
BALANCED = SERVICE.replace("NodePort", "LoadBalancer, PORTS")


def contract(other: dict[str, object] | None = None, **tenant: object) -> Contract:
    """A contract of the tenant shop and of another one, bank."""
    return contracts.contract(tenants=[{"name": "shop", **tenant}, {"name": "bank", **(other or {})}])


def outcomes(tmp_path: Path, text: str, wanted: Contract | None = None) -> dict[str, str]:
    """What each check says about the tenant shop."""
    file = tmp_path / "all.yaml"
    file.write_text(text)
    cluster = read.objects([file], details=True)
    return {
        each.benchmark: str(each.answer.outcome)
        for each in results(wanted or contract(), cluster)
        if each.tenant == "shop"
    }


def may(verbs: str, resources: str, groups: str = '[""]', where: str = "shop") -> str:
    """The account of the tenant may do something in a namespace, or everywhere."""
    kind = "Role" if where else "ClusterRole"
    given = role("more", verbs, resources, where, groups=groups)
    return given + binding("more", kind, "more", "ServiceAccount", "web", where, subject_namespace="shop")


def test_the_checks_are_the_19_of_the_suite_and_those_that_it_planned() -> None:
    assert len([each for each in BENCHMARKS if each.suite_id.startswith("MTB-")]) == 19
    assert [each.suite_id for each in BENCHMARKS if not each.suite_id.startswith("MTB-")] == [
        "#1198",
        "#1199",
        "#1200",
        "#1201",
        "#1202",
    ]


def test_a_safe_tenant_passes_every_check_that_applies(tmp_path: Path) -> None:
    found = outcomes(tmp_path, SAFE)
    assert {name for name, outcome in found.items() if outcome == "not applicable"} == {
        "require-always-pull-image",
        "create-network-policies",
        "create-role-bindings",
        "self-service-roles",
        "require-reclaim-policy-delete",
        "block-use-of-existing-pvs",
    }
    assert set(found.values()) == {"pass", "not applicable"}


@pytest.mark.parametrize(
    ("name", "text", "repair"),
    [
        ("block-access-to-cluster-resources", may("get", "nodes", where=""), ("nodes", "pods")),
        ("block-access-to-cluster-resources", may("get", "'*'", where=""), ("'*'", "pods")),
        ("block-multitenant-resources", may("delete", "networkpolicies", '["networking.k8s.io"]'), ("delete", "get")),
        ("block-multitenant-resources", may("patch", "limitranges, resourcequotas"), ("patch", "create")),
        ("block-other-tenant-resources", may("get", "pods", where="bank"), ("namespace: bank", "namespace: shop")),
        ("block-other-tenant-resources", may("get", "pods", where=""), ("pods", "nodes")),
        ("block-ns-quota", may("create", "resourcequotas"), ("create", "get")),
        ("block-role-privilege-escalation", may("escalate", "roles", RBAC), ("escalate", "get")),
        ("block-role-privilege-escalation", may("bind", "clusterroles", RBAC), ("bind", "get")),
        ("block-use-of-nodeport-services", SERVICE, ("NodePort", "ClusterIP")),
        (
            "block-use-of-nodeport-services",
            BALANCED.replace("PORTS", "allocateLoadBalancerNodePorts: true"),
            ("true", "false"),
        ),
        (
            "block-use-of-nodeport-services",
            BALANCED.replace("PORTS", "allocateLoadBalancerNodePorts: false, ports: [{port: 80, nodePort: 30080}]"),
            (", nodePort: 30080", ""),
        ),
        ("configure-ns-object-quota", may("create", "secrets"), ("secrets", "pods")),
        (
            "block-network-across-tenants",
            policy("in", "{podSelector: {}, ingress: [{}]}", "bank")
            + policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"),
            ("egress: [{}]", "egress: []"),
        ),
        (
            "block-network-across-tenants",
            policy("in", "{podSelector: {}, ingress: [{}]}")
            + policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{}]}", "bank"),
            ("ingress: [{}]", "ingress: []"),
        ),
        ("require-reclaim-policy-delete", VOLUME, ("Retain", "Delete")),
        (
            "require-reclaim-policy-delete",
            CLAIM + STORAGE_CLASS.replace("Delete", "Retain"),
            ("Policy: Retain", "Policy: Delete"),
        ),
        (
            "block-use-of-existing-pvs",
            CLAIM.replace("{storageClassName: fast}", "{volumeName: disk}"),
            ("volumeName: disk", "storageClassName: fast"),
        ),
    ],
)
def test_what_is_planted_fails_and_passes_after_the_repair(
    tmp_path: Path, name: str, text: str, repair: tuple[str, str]
) -> None:
    assert outcomes(tmp_path, SAFE + text)[name] == "fail"
    assert repair[0] in text
    assert outcomes(tmp_path, SAFE + text.replace(*repair))[name] == "pass"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["privileged", "baseline"])
def test_pods_fail_where_the_level_allows_them(tmp_path: Path, name: str, level: str) -> None:
    # What the level baseline forbids; adding some capabilities, root and escalation it allows.
    forbidden = {"block-privileged-containers", "block-use-of-host-path", "block-use-of-host-networking-and-ports"}
    forbidden |= {"block-use-of-host-pid", "block-use-of-host-ipc"}
    expected = "pass" if level == "baseline" and name in forbidden else "fail"
    text = SAFE.replace("enforce: restricted", f"enforce: {level}")
    assert outcomes(tmp_path, text)[name] == expected
    # A webhook may refuse what the level allows, unless it is about other resources.
    for resource, instead in (("pods", "unknown"), ("'*'", "unknown"), ("'*/*'", "unknown"), ("configmaps", "fail")):
        webhook = WEBHOOK.replace("RESOURCE", resource)
        assert outcomes(tmp_path, text + webhook)[name] == (instead if expected == "fail" else "pass")


def test_every_pod_of_a_check_differs_from_the_harmless_one_in_its_point_alone() -> None:
    for name in NAMES:
        for pod_of_check in refused(name, "shop").values():
            assert pod_of_check != harmless("shop")
            assert pod_of_check["metadata"] == harmless("shop")["metadata"]


def test_a_quota_has_to_limit_cpu_memory_and_storage(tmp_path: Path) -> None:
    for each in ("requests.cpu: 1, ", "requests.memory: 1Gi, ", "requests.ephemeral-storage: 1Gi, "):
        assert outcomes(tmp_path, SAFE.replace(each, ""))["configure-ns-quotas"] == "fail"
    scoped = SAFE.replace("  hard:", "  scopes: [Terminating]\n  hard:")
    assert outcomes(tmp_path, scoped)["configure-ns-quotas"] == "fail"


def test_node_ports_need_a_quota_or_nobody_who_creates_services(tmp_path: Path) -> None:
    without = SAFE.replace(", services.nodeports: 0", "")
    assert outcomes(tmp_path, without)["block-use-of-nodeport-services"] == "pass"
    given = without + may("create", "services")
    assert outcomes(tmp_path, given)["block-use-of-nodeport-services"] == "fail"
    assert outcomes(tmp_path, SAFE + may("create", "services"))["block-use-of-nodeport-services"] == "pass"
    guarded = given + GUARD.replace("RESOURCE", "services")
    assert outcomes(tmp_path, guarded)["block-use-of-nodeport-services"] == "unknown"
    elsewhere = given + GUARD.replace("RESOURCE", "pods")
    assert outcomes(tmp_path, elsewhere)["block-use-of-nodeport-services"] == "fail"


@pytest.mark.parametrize("name", ["configure-ns-object-quota", "block-use-of-nodeport-services"])
def test_a_quota_is_required_in_the_namespaces_where_the_tenant_may_create_objects(tmp_path: Path, name: str) -> None:
    text = SAFE.replace("services.nodeports: 0", "services: 1, services.loadbalancers: 0, services.nodeports: 0")
    text += namespace("store", RESTRICTED) + policy("deny", DENY_ALL, "store")
    spaces = contract(namespaces=["shop", "store"])
    assert outcomes(tmp_path, text + may("create", "services"), spaces)[name] == "pass"
    assert outcomes(tmp_path, text + may("create", "services", where="store"), spaces)[name] == "fail"


def test_a_default_role_of_kubernetes_fails_at_the_line_of_its_binding(tmp_path: Path) -> None:
    given = binding("edit", "ClusterRole", "edit", "ServiceAccount", "web", "shop", subject_namespace="shop")
    file = tmp_path / "all.yaml"
    file.write_text(SAFE.replace(", services.nodeports: 0", "") + given)
    found = results(contract(), read.objects([file], details=True))
    (place,) = [
        each.answer.place
        for each in found
        if (each.tenant, each.benchmark) == ("shop", "block-use-of-nodeport-services")
    ]
    assert place is not None
    assert (place[0], file.read_text().splitlines()[place[1] - 1][:8]) == (str(file), "roleRef:")


@pytest.mark.parametrize("guard", [GUARD, WEBHOOK])
def test_a_guard_of_the_platforms_objects_is_not_evaluated(tmp_path: Path, guard: str) -> None:
    text = SAFE + may("delete", "resourcequotas")
    found = outcomes(tmp_path, text + guard.replace("RESOURCE", "resourcequotas"))
    assert (found["block-multitenant-resources"], found["block-ns-quota"]) == ("unknown", "unknown")
    assert outcomes(tmp_path, text + guard.replace("RESOURCE", "pods"))["block-ns-quota"] == "fail"


def test_what_is_unknown_does_not_hide_a_failure(tmp_path: Path) -> None:
    # Networkpolicies are guarded, quotas are not.
    text = SAFE + GUARD.replace("RESOURCE", "networkpolicies")
    text += may("delete", "networkpolicies, resourcequotas", '["", "networking.k8s.io"]')
    assert outcomes(tmp_path, text)["block-multitenant-resources"] == "fail"
    widgets = may("get", "widgets", '["example.org"]', where="")
    assert outcomes(tmp_path, SAFE + widgets)["block-access-to-cluster-resources"] == "unknown"
    nodes = may("get", "nodes", where="").replace("name: more", "name: nodes")
    assert outcomes(tmp_path, SAFE + widgets + nodes)["block-access-to-cluster-resources"] == "fail"
    retained = CLAIM.replace("name: data", "name: other") + STORAGE_CLASS.replace("Delete", "Retain")
    absent = CLAIM.replace("storageClassName: fast", "storageClassName: absent")
    assert outcomes(tmp_path, SAFE + absent + retained)["require-reclaim-policy-delete"] == "fail"
    spaces = contract(namespaces=["absent", "shop"])
    privileged = SAFE.replace("enforce: restricted", "enforce: privileged")
    assert outcomes(tmp_path, SAFE, spaces)["block-privileged-containers"] == "unknown"
    assert outcomes(tmp_path, privileged, spaces)["block-privileged-containers"] == "fail"


def test_a_role_that_is_not_in_the_input_leaves_permissions_unknown(tmp_path: Path) -> None:
    text = SAFE + binding("give", "Role", "absent", "ServiceAccount", "web", "shop", subject_namespace="shop")
    found = outcomes(tmp_path, text, contract(consequences=["binds-roles"]))
    for name in (
        "block-ns-quota",
        "block-role-privilege-escalation",
        "block-other-tenant-resources",
        "block-use-of-existing-pvs",
        "create-role-bindings",
        "require-reclaim-policy-delete",
    ):
        assert found[name] == "unknown"


def test_permissions_of_the_platforms_operators_are_not_the_tenants(tmp_path: Path) -> None:
    text = (
        SAFE + role("ops", "delete", "resourcequotas", "shop") + binding("ops", "Role", "ops", "Group", "ops", "shop")
    )
    assert outcomes(tmp_path, text)["block-ns-quota"] == "fail"
    operators = contracts.contract(holders=[{"kind": "Group", "name": "ops"}])
    assert outcomes(tmp_path, text, operators)["block-ns-quota"] == "pass"


def test_a_member_with_a_role_in_the_namespace_of_another_tenant_fails(tmp_path: Path) -> None:
    given = role("view", "get", "pods", "bank") + binding("view", "Role", "view", "User", "alice", "bank")
    member = contract(holders=[{"kind": "User", "name": "alice"}])
    assert outcomes(tmp_path, SAFE + given, member)["block-other-tenant-resources"] == "fail"
    assert outcomes(tmp_path, SAFE + given.replace("bank", "shop"), member)["block-other-tenant-resources"] == "pass"


@pytest.mark.parametrize(
    "subject",
    [("ServiceAccount", "web"), ("User", "system:serviceaccount:shop:web"), ("Group", "system:serviceaccounts:shop")],
)
def test_an_account_of_the_tenant_counts_by_each_of_its_names(tmp_path: Path, subject: tuple[str, str]) -> None:
    given = role("view", "get", "pods", "bank")
    given += binding("view", "Role", "view", *subject, "bank", subject_namespace="shop")
    assert outcomes(tmp_path, SAFE + given)["block-other-tenant-resources"] == "fail"


@pytest.mark.parametrize(
    ("name", "consequence", "given"),
    [
        ("create-network-policies", "changes-network-policies", may("'*'", "networkpolicies", '["networking.k8s.io"]')),
        ("create-role-bindings", "binds-roles", may("'*'", "roles, rolebindings", RBAC)),
        ("self-service-roles", "escalates-roles", may("'*'", "roles", RBAC)),
    ],
)
def test_self_service_is_asked_for_only_where_the_contract_means_it(
    tmp_path: Path, name: str, consequence: str, given: str
) -> None:
    meant = contract(consequences=[consequence])
    assert outcomes(tmp_path, SAFE)[name] == "not applicable"
    assert outcomes(tmp_path, SAFE, meant)[name] == "fail"
    assert outcomes(tmp_path, SAFE + given, meant)[name] == "pass"
    assert outcomes(tmp_path, SAFE + given.replace("'*'", "create"), meant)[name] == "fail"


def test_private_images_leave_the_pull_policy_unknown(tmp_path: Path) -> None:
    text = SAFE + account("private") + "imagePullSecrets: [{name: registry}]\n"
    assert outcomes(tmp_path, text)["require-always-pull-image"] == "unknown"


def test_volumes_that_the_input_does_not_describe_are_unknown(tmp_path: Path) -> None:
    assert outcomes(tmp_path, SAFE + CLAIM)["require-reclaim-policy-delete"] == "unknown"
    given = SAFE + may("create", "persistentvolumeclaims")
    assert outcomes(tmp_path, given)["require-reclaim-policy-delete"] == "unknown"
    assert outcomes(tmp_path, given)["block-use-of-existing-pvs"] == "unknown"
    free = VOLUME.replace("  claimRef: {namespace: shop, name: data}\n", "")
    assert outcomes(tmp_path, given + free)["block-use-of-existing-pvs"] == "fail"


def test_traffic_that_the_contract_of_both_tenants_allows_is_not_a_failure(tmp_path: Path) -> None:
    text = SAFE + policy("in", "{podSelector: {}, ingress: [{}]}", "bank")
    text += policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{}]}")
    one_side = contract(egress=[{"peer": {"namespace": "bank"}}])
    assert outcomes(tmp_path, text, one_side)["block-network-across-tenants"] == "fail"
    both = contract({"ingress": [{"peer": {"namespace": "shop"}}]}, egress=[{"peer": {"namespace": "bank"}}])
    assert outcomes(tmp_path, text, both)["block-network-across-tenants"] == "pass"


def test_traffic_that_an_unknown_policy_may_allow_is_unknown(tmp_path: Path) -> None:
    opaque = "---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: x}\nspec: {}\n"
    assert outcomes(tmp_path, SAFE + opaque)["block-network-across-tenants"] == "unknown"


def test_a_namespace_that_is_not_declared_is_unknown(tmp_path: Path) -> None:
    found = outcomes(tmp_path, OTHER + pod("web"))
    assert found["block-privileged-containers"] == "unknown"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dist").symlink_to(example_dist())
    (tmp_path / "platform.yaml").symlink_to(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "benchmarks", *map(str, arguments)])


@pytest.mark.usefixtures("project")
def test_the_example_platform_fails_no_check() -> None:
    result = run("dist/")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("24 checks of 2 tenants: 36 pass, 12 not applicable\n")


def test_the_exit_code_says_whether_a_check_fails_or_is_unknown(project: Path) -> None:
    more = project / "more.yaml"
    more.write_text(SERVICE.replace("shop", "tenant-a"))
    result = run("dist/", more)
    assert result.exit_code == 1
    assert f"{more}:5" in result.stdout
    assert "(tenant-a)" in result.stdout
    assert run("dist/", more, "--tenant", "tenant-b").exit_code == 0
    more.write_text(account("private", "tenant-a") + "imagePullSecrets: [{name: registry}]\n")
    assert run("dist/", more).exit_code == 3
    assert run("dist/", "--tenant", "tenant-c").exit_code == 2


@pytest.mark.usefixtures("project")
def test_every_format_has_every_check() -> None:
    names = {each.name for each in BENCHMARKS}
    report = json.loads(run("dist/", "--format", "json").stdout)
    assert {each["name"] for each in report["checks"]} == names
    rows = list(csv.DictReader(run("dist/", "--format", "csv").stdout.splitlines()))
    assert {(each["tenant"], each["check"]) for each in rows} == {
        (t, n) for t in ("tenant-a", "tenant-b") for n in names
    }
    table = run("dist/", "--format", "markdown").stdout
    assert all(f"| {name} |" in table for name in names)
    assert run("dist/", "--format", "sarif").exit_code == 2
