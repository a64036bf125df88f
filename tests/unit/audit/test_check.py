"""Whether manifests keep to an isolation contract: derived from platform.yaml, or written by hand."""

import json
import shutil
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from audit import Contract, read
from audit.contract import contract_findings, load, loaded
from audit.contract.document import schema
from audit.contract.waivers import without_known
from audit.errors import AuditError
from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.isolation import contract_of
from tests.e2e import access
from tests.example_platform import EXAMPLE, accessible_dist, example_dist
from tests.paths import ROOT
from tests.unit.audit.contracts import contract
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import binding, role

ENFORCED = '{pod-security.kubernetes.io/enforce: restricted, team: "one"}'
QUOTA = "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota, namespace: shop}\nspec: {hard: {pods: 1}}\n"
SAFE = namespace("shop", ENFORCED) + policy("deny", DENY_ALL) + QUOTA


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "check", *map(str, arguments)])


def route(of: str, to: str) -> str:
    """An HTTPRoute in a namespace, to the Service web of a namespace."""
    return (
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
        f"metadata: {{name: web, namespace: {of}}}\n"
        "spec:\n  hostnames: [shop.example.org]\n"
        f"  rules: [{{backendRefs: [{{name: web, namespace: {to}, port: 80}}]}}]\n"
    )


ANYBODY = binding("anybody", "ClusterRole", "r", "User", "system:anonymous")


def hardened(spec: str, annotations: str = "") -> str:
    """A Pod that the level restricted allows."""
    context = "{allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
    pod_context = "{runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}"
    return (
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop, annotations: {{{annotations}}}}}\n"
        f"spec:\n  containers: [{{name: main, securityContext: {context}}}]\n  securityContext: {pod_context}\n"
        f"{'  ' + spec if spec else ''}\n"
    )


def found(tmp_path: Path, text: str, wanted: Contract | None = None) -> list[tuple[str, str]]:
    file = tmp_path / "all.yaml"
    file.write_text(text)
    cluster = read.objects([file], details=True)
    return [(each.rule, str(each.state)) for each in contract_findings(wanted or contract(), cluster)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with platform.yaml and dist/, in which the command runs."""
    shutil.copy(EXAMPLE, tmp_path / "platform.yaml")
    shutil.copytree(example_dist(), tmp_path / "dist")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "dist/tenant-a.k8s.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_manifests_of_this_repository_keep_the_contract_of_its_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run()
    assert result.exit_code == 0, result.output
    assert "contract platform holds" in result.stdout


def test_a_platform_with_callers_members_and_a_gateway_keeps_its_contract(tmp_path: Path) -> None:
    file = access.write(access.with_access(EXAMPLE, gateway=True), tmp_path / "platform.yaml")
    wanted = loaded(contract_of(Platform.load(file)), "contract")
    violations = [
        each
        for each in contract_findings(wanted, read.objects([accessible_dist()], details=True))
        if each.state != "warning"
    ]
    assert violations == []


def test_a_violation_ends_with_1_and_names_line_and_fix(folder: Path) -> None:
    edit(folder, "- podSelector: {}", "- namespaceSelector: {}")
    result = run()
    assert result.exit_code == 1
    assert "contract platform violated: 2 violations" in result.stdout
    assert (
        "they may be reached by all pods of every namespace on TCP 8000, which the contract does not allow"
        in result.stdout
    )
    assert "dist/tenant-a.k8s.yaml:" in result.stdout
    assert "fix: Narrow the rule" in result.stdout


def test_what_yaml_does_not_decide_ends_with_3(tmp_path: Path) -> None:
    file, wanted = tmp_path / "all.yaml", tmp_path / "contract.yaml"
    file.write_text(SAFE + binding("give", "ClusterRole", "view", "Group", "ops", "shop"))
    wanted.write_text(
        "apiVersion: tenantry.dev/v1alpha1\nkind: IsolationContract\nmetadata: {name: test}\n"
        "spec: {tenants: [{name: shop}]}\n"
    )
    result = run(file, "--contract", wanted)
    assert result.exit_code == 3, result.output
    assert "undecided" in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", "it is not valid YAML"),
        ("kind: IsolationContract\n", "missing required field"),
        ("{tenants: [{name: a}], quotas: true}", "unknown field `quotas`"),
        ("{tenants: []}", "length >= 1"),
        ("{tenants: [{name: a}, {name: b, namespaces: [a]}]}", "the namespace a belongs to 2 tenants"),
        ("{tenants: [{name: a}], ingress: [{peer: {}}]}", "exactly one of namespace and cidr"),
        ("{tenants: [{name: a}], egress: [{peer: {cidr: 10.0.0.0}, ports: [TCP]}]}", "matching regex"),
        ("{tenants: [{name: a}], egress: [{peer: {cidr: ten}}]}", "'ten' is not a CIDR"),
        ("{tenants: [{name: a, consequences: [flies]}]}", "the consequence 'flies' does not exist"),
        ("{tenants: [{name: a}], holders: [{kind: ServiceAccount, name: x}]}", "write NAMESPACE/NAME"),
        ("{tenants: [{name: a}], waivers: [{id: x, expires: 2030-01-01}]}", "reason"),
    ],
)
def test_a_wrong_contract_is_wrong_input_and_says_what(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "contract.yaml"
    head = "apiVersion: tenantry.dev/v1alpha1\nkind: IsolationContract\nmetadata: {name: test}\nspec: "
    file.write_text(text if text.startswith("kind") else head + text + "\n")
    result = run(example_dist(), "--contract", file)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_a_safe_tenant_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, SAFE) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (namespace("shop", ENFORCED) + QUOTA, ("network-unrestricted", "violation")),
        (namespace("shop") + policy("deny", DENY_ALL) + QUOTA, ("pod-security-level", "violation")),
        (namespace("shop", ENFORCED) + policy("deny", DENY_ALL), ("quota-missing", "violation")),
        (SAFE + policy("in", "{podSelector: {}, ingress: [{}]}"), ("network-ingress", "violation")),
        (
            SAFE
            + policy("in", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}"),
            ("network-ingress", "undecided"),
        ),
        (
            SAFE
            + namespace("other", "{team: x}")
            + policy("in", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}"),
            ("network-ingress", "violation"),
        ),
        (
            SAFE + "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\n",
            ("network-not-evaluated", "undecided"),
        ),
        (
            SAFE
            + role("r", "get", "nodes")
            + binding("b", "ClusterRole", "r", "ServiceAccount", "x", subject_namespace="shop"),
            ("permission-outside-tenant", "violation"),
        ),
        (
            SAFE
            + role("r", "get", "secrets", "shop")
            + binding("b", "Role", "r", "ServiceAccount", "x", "shop", subject_namespace="shop"),
            ("permission-reads-secrets", "violation"),
        ),
        (
            SAFE
            + role("r", "get", "pods", "shop")
            + binding("b", "Role", "r", "ServiceAccount", "x", "shop", subject_namespace="far"),
            ("permission-from-outside", "violation"),
        ),
        (
            SAFE
            + role("r", "get", "pods", "shop")
            + binding("b", "Role", "r", "Group", "system:authenticated", "shop"),
            ("permission-from-outside", "violation"),
        ),
        (
            SAFE + role("r", "get", "pods", "shop") + binding("b", "Role", "r", "User", "alice", "shop"),
            ("permission-from-outside", "undecided"),
        ),
        (
            SAFE
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {externalName: x.org}\n",
            ("service-leads-outside", "violation"),
        ),
        (policy("deny", DENY_ALL) + QUOTA, ("namespace-not-declared", "undecided")),
        (SAFE + binding("b", "Role", "absent", "User", "alice", "shop"), ("permission-role-not-declared", "undecided")),
        (SAFE + binding("b", "ClusterRole", "absent", "User", "alice"), ("permission-role-not-declared", "undecided")),
        (
            SAFE + binding("b", "Role", "absent", "ServiceAccount", "x", "far", subject_namespace="shop"),
            ("permission-role-not-declared", "undecided"),
        ),
        (SAFE + route("gateways", "shop"), ("route-to-tenant", "violation")),
        (SAFE + hardened("priorityClassName: system-node-critical"), ("pod-system-priority", "violation")),
        (SAFE + hardened("", "k8s.v1.cni.cncf.io/networks: fast"), ("network-not-evaluated", "undecided")),
        (SAFE + role("r", "get", "secrets") + ANYBODY, ("permission-from-outside", "violation")),
        (SAFE + route("shop", "far"), ("route-to-tenant", "violation")),
        (
            SAFE + policy("in", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"),
            ("network-ingress", "violation"),
        ),
    ],
)
def test_each_way_to_break_a_contract_is_found(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    assert set(found(tmp_path, text)) == {expected}


def test_a_binding_to_an_absent_role_outside_the_tenants_is_not_a_finding(tmp_path: Path) -> None:
    assert found(tmp_path, SAFE + binding("b", "Role", "absent", "User", "alice", "far")) == []


def test_a_route_belongs_to_the_tenant_of_its_service(tmp_path: Path) -> None:
    """Each tenant may have routes of its own, and none to the Service of another tenant."""
    tenants = [{"name": "shop", "routes": True}, {"name": "bank", "routes": True}]
    both = SAFE + SAFE.replace("shop", "bank")
    wanted = contract(tenants=tenants)
    assert found(tmp_path, both + route("gateways", "shop") + route("shop", "shop"), wanted) == []
    assert found(tmp_path, both + route("shop", "bank"), wanted) == [("route-to-tenant", "violation")]
    file = tmp_path / "all.yaml"
    (finding,) = contract_findings(wanted, read.objects([file], details=True))
    assert finding.namespace == "shop"
    assert finding.message == "it makes the Service bank/web reachable as shop.example.org"


def test_a_selector_of_every_namespace_is_a_violation_even_if_every_tenant_may_enter(tmp_path: Path) -> None:
    peers = [{"peer": {"namespace": "bank"}}]
    wanted = contract(tenants=[{"name": "shop", "ingress": peers}, {"name": "bank"}])
    everyone = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"
    text = SAFE + SAFE.replace("shop", "bank") + policy("in", everyone)
    assert found(tmp_path, text, wanted) == [("network-ingress", "violation")]


def test_entries_for_one_port_each_cover_a_rule_with_both_ports(tmp_path: Path) -> None:
    peer = {"cidr": "192.0.2.0/24"}
    entries = [{"peer": peer, "ports": [port]} for port in ("TCP/80", "TCP/81")]
    wanted = contract(tenants=[{"name": "shop", "egress": entries}])
    rule = "{to: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: 80}, {port: 81}]}"
    text = SAFE + policy("out", f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{rule}]}}")
    assert found(tmp_path, text, wanted) == []
    assert found(tmp_path, text.replace("port: 81", "port: 82"), wanted) == [("network-egress", "violation")]
    assert found(tmp_path, text.replace("192.0.2.0/28", "192.0.0.0/16"), wanted) == [("network-egress", "violation")]


def test_a_pod_below_the_level_is_a_violation(tmp_path: Path) -> None:
    rules = [rule for rule, _state in found(tmp_path, SAFE + pod("web", spec="hostNetwork: true"))]
    assert "pod-host-namespaces" in rules


def test_what_the_contract_allows_is_no_finding(tmp_path: Path) -> None:
    allowed = contract(
        tenants=[
            {
                "name": "shop",
                "ingress": [
                    {"peer": {"namespace": "far", "podLabels": {"app": "web"}}, "ports": ["TCP/80", "TCP/http"]}
                ],
                "egress": [{"peer": {"cidr": "192.0.2.0/24", "exceptCidrs": ["192.0.2.7/32"]}}],
                "consequences": ["reads-secrets"],
                "holders": [{"kind": "User", "name": "alice", "consequences": ["reads-logs"]}],
            }
        ]
    )
    peer = (
        "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far}}, podSelector: {matchLabels: {app: web}}}"
    )
    text = (
        SAFE
        + policy("in", f"{{podSelector: {{}}, ingress: [{{from: [{peer}], ports: [{{port: 80}}, {{port: http}}]}}]}}")
        + policy("out", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.8/29}}]}]}")
        + role("r", "get", "secrets", "shop")
        + binding("b", "Role", "r", "ServiceAccount", "x", "shop", subject_namespace="shop")
        + role("logs", "get", "pods/log", "shop")
        + binding("c", "Role", "logs", "User", "alice", "shop")
    )
    assert found(tmp_path, text, allowed) == []
    assert {rule for rule, _state in found(tmp_path, text)} == {
        "network-ingress",
        "network-egress",
        "permission-reads-secrets",
        "permission-from-outside",
    }
    wider = (
        text.replace("192.0.2.8/29", "192.0.2.0/29").replace("{port: 80}", "{port: 81}").replace("pods/log", "secrets")
    )
    rules = {rule for rule, _state in found(tmp_path, wider, allowed)}
    assert rules == {"network-ingress", "network-egress", "permission-from-outside"}


def test_a_baseline_leaves_out_what_is_known_even_if_lines_move(folder: Path) -> None:
    edit(folder, "- podSelector: {}", "- namespaceSelector: {}")
    known = folder / "known.json"
    known.write_text(run("--format", "json").stdout)
    edit(folder, "kind: Namespace", "# a comment\n# another\nkind: Namespace")
    result = run("--baseline", known)
    assert result.exit_code == 0, result.output
    assert "2 in the baseline" in result.stdout
    edit(folder, "- configmaps", "- secrets")
    assert run("--baseline", known).exit_code == 1
    known.write_text("{}")
    assert run("--baseline", known).exit_code == 2


def test_a_waiver_covers_a_finding_until_its_last_day(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(namespace("shop", ENFORCED) + policy("deny", DENY_ALL))
    cluster = read.objects([file], details=True)
    (finding,) = contract_findings(contract(), cluster)
    waived = contract(waivers=[{"id": finding.id, "reason": "until the move", "expires": "2030-01-31"}])
    last = without_known([finding], waived, set(), date(2030, 1, 31))
    assert (last.rest, last.waived, last.expired) == ([], 1, [])
    after = without_known([finding], waived, set(), date(2030, 2, 1))
    assert after.rest == [finding]
    assert after.expired == [f"the waiver of {finding.id} expired on 2030-01-31 (until the move)"]
    assert without_known([], waived, set(), date(2030, 1, 1)).unused == [
        f"the waiver of {finding.id} covers nothing: remove it"
    ]


def test_the_derived_contract_is_valid_and_equals_what_is_checked(folder: Path) -> None:
    text = run("--show-contract").stdout
    jsonschema.validate(yaml.safe_load(text), schema())
    (folder / "contract.yaml").write_text(text)
    assert run("--contract", "contract.yaml").exit_code == 0


def test_sarif_has_a_result_at_the_line(folder: Path) -> None:
    edit(folder, "- configmaps", "- secrets")
    result = json.loads(run("--format", "sarif").stdout)["runs"][0]["results"][0]
    assert result["ruleId"] == "permission-reads-secrets"
    location = result["locations"][0]["physicalLocation"]
    line = Path(location["artifactLocation"]["uri"]).read_text().splitlines()[location["region"]["startLine"] - 1]
    assert line.strip() == "- secrets"


def test_without_contract_and_platform_file_the_command_says_what_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(example_dist())
    assert result.exit_code == 2
    assert "give --contract FILE" in result.stderr


def test_the_published_schema_is_that_of_the_contract() -> None:
    assert json.loads((ROOT / "docs/isolation-contract.schema.json").read_text()) == schema()


def test_a_contract_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        load(tmp_path / "absent.yaml")
