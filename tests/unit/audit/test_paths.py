"""Paths between tenants: the search, compared with trying everything, and what the command prints."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from audit.paths.graph import Kind, Node, Step, lines
from audit.paths.search import shortest
from tenantry.cli import app
from tests.paths import ROOT
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import account, binding, role

Edges = dict[tuple[int, int], bool]
"""Steps between numbered nodes, and whether each is certain."""
ENFORCED = "{pod-security.kubernetes.io/enforce: restricted}"
PROMETHEUS = "{app.kubernetes.io/name: prometheus}"
APART = "".join(namespace(each, ENFORCED) + policy("deny", DENY_ALL, each) for each in ("red", "blue"))
SHOP = APART + pod("web", namespace="red") + pod("web", namespace="blue") + account("web", "red")
READER = role("reader", "get", "secrets", "blue")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "paths", *map(str, arguments)])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two tenants without a path, in a file that tests add to."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file


def add(file: Path, text: str) -> Path:
    file.write_text(file.read_text() + text)
    return file


def red_reads_secrets_of_blue() -> str:
    return READER + binding("reader", "Role", "reader", "ServiceAccount", "web", "blue", subject_namespace="red")


@given(
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.booleans(), max_size=30),
    st.sets(st.integers(0, 4), min_size=1, max_size=3),
    st.booleans(),
)
def test_the_search_finds_what_trying_every_way_finds(edges: Edges, starts: set[int], certain: bool) -> None:  # noqa: FBT001
    ends = {7, 8, 9} - starts
    nodes = [Node(Kind.PODS, "space", str(number)) for number in range(10)]

    def steps(node: Node) -> Iterator[Step]:
        for (source, target), sure in edges.items():
            if source == int(node.name):
                yield Step(nodes[target], f"{source}-{target}", "", lines(), certain=sure)

    def is_end(node: Node) -> bool:
        return int(node.name) in ends

    found = list(shortest([nodes[each] for each in sorted(starts)], steps, is_end, certain=certain))
    assert {int(each.end.name): len(each.steps) for each in found} == tried(edges, starts, ends, certain=certain)
    for way in found:
        on_the_way = [int(way.start.name), *(int(each.target.name) for each in way.steps)]
        assert on_the_way[0] in starts
        assert all(pair in edges and (edges[pair] or not certain) for pair in pairwise(on_the_way))
        assert ends.isdisjoint(on_the_way[:-1])
    assert [len(each.steps) for each in found] == sorted(len(each.steps) for each in found)


def tried(edges: Edges, starts: set[int], ends: set[int], *, certain: bool) -> dict[int, int]:
    """The least number of steps to each end, by following every sequence of at most nine steps."""
    usable = [pair for pair, sure in edges.items() if sure or not certain]
    found: dict[int, int] = {}
    reached = starts
    for length in range(1, 10):
        reached = {target for source, target in usable if source in reached - ends}
        for end in reached & ends:
            found.setdefault(end, length)
    return found


def test_without_a_path_the_report_says_what_was_searched_and_what_is_not_known(shop: Path) -> None:
    result = run(shop, "--from", "red", "--to", "blue")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("red to blue: no path\n")
    assert "    network: 2 workloads, 2 policies\n" in result.stdout
    assert "    the nodes: any two pods whose templates do not exclude it may share one\n" in result.stdout


def test_a_path_is_shown_step_by_step_with_its_lines(shop: Path) -> None:
    add(shop, red_reads_secrets_of_blue())
    result = run(shop, "--from", "red", "--to", "blue")
    assert result.exit_code == 1, result.output
    text = result.stdout
    assert text.startswith("red to blue: 1 path\n\npath, 1 step: account red/web to Secrets of blue\n")
    assert "  1. account red/web -> Secrets of blue\n     reads-secrets: reads Secrets: passwords" in text
    number = next(n for n, line in enumerate(shop.read_text().splitlines(), 1) if line.startswith("subjects:"))
    assert f"       {shop}:{number}: subjects: [" in text


def test_a_path_that_the_input_does_not_decide_is_possible_and_has_its_own_exit_code(shop: Path) -> None:
    bound = binding("help", "ClusterRole", "elsewhere", "ServiceAccount", "web", "blue", subject_namespace="red")
    result = run(add(shop, bound), "--from", "red", "--to", "blue")
    assert result.exit_code == 3, result.output
    assert result.stdout.startswith("red to blue: 1 possible path\n")
    assert "unknown-role (not decided): RoleBinding blue/help gives it ClusterRole elsewhere" in result.stdout
    assert "    what ClusterRole elsewhere allows, which RoleBinding blue/help gives\n" in result.stdout


@pytest.mark.parametrize("spec", ["hostPID: true", "hostNetwork: true"])
def test_a_way_to_the_node_is_only_possible_if_the_namespace_is_not_declared(tmp_path: Path, spec: str) -> None:
    file = tmp_path / "shop.yaml"
    pods = pod("web", namespace="red", spec=spec) + pod("web", namespace="blue")
    deny = policy("deny", DENY_ALL, "red") + policy("deny", DENY_ALL, "blue")
    file.write_text(pods + deny + namespace("blue", ENFORCED))
    undeclared = run(file, "--from", "red", "--to", "blue")
    assert undeclared.exit_code == 3, undeclared.output
    assert run(add(file, namespace("red")), "--from", "red", "--to", "blue").exit_code == 1


def test_a_route_to_a_service_that_may_select_pods_is_a_possible_path(shop: Path) -> None:
    add(
        shop,
        """\
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: next, namespace: blue}
spec: {template: {metadata: {labels: {app: next}}, spec: {containers: [{name: main}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: next, namespace: blue}
spec: {selector: {app: next, rollouts-pod-template-hash: abc}, ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: next, namespace: red}
spec: {rules: [{backendRefs: [{name: next, namespace: blue, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: routes, namespace: blue}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: red}]
  to: [{group: "", kind: Service}]
""",
    )
    result = run(shop, "--from", "red", "--to", "blue")
    assert result.exit_code == 3, result.output
    assert "possible path, 1 step: manifests of red to traffic to blue/next\n" in result.stdout


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/", "leaves-container"),
        ("//var/lib", "leaves-container"),
        ("/etc", "leaves-container"),
        ("/var/lib/etcd/member/", "leaves-container"),
        ("/lib64", "leaves-container"),
        ("/data/", "shares-volume"),
        ("/data/./", "shares-volume"),
        ("/data/red", ""),
        ("/etcetera", ""),
    ],
)
def test_a_path_of_the_node_belongs_to_the_node_or_is_shared_however_it_is_written(
    tmp_path: Path, path: str, rule: str
) -> None:
    def on_host(folder: str) -> str:
        return f"volumes: [{{name: data, hostPath: {{path: {folder}}}}}]"

    file = tmp_path / "shop.yaml"
    file.write_text(
        namespace("red")
        + namespace("blue")
        + policy("deny", DENY_ALL, "red")
        + policy("deny", DENY_ALL, "blue")
        + pod("web", namespace="red", spec=f"{on_host(path)}, automountServiceAccountToken: false")
        + pod("web", namespace="blue", spec=f"{on_host('/data')}, automountServiceAccountToken: false")
    )
    result = run(file, "--from", "red", "--to", "blue")
    assert f" {rule}:" in result.stdout if rule else result.exit_code == 0, result.output


@pytest.mark.parametrize("capability", ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "ALL"])
def test_a_strong_capability_leads_to_the_node_however_it_is_written(tmp_path: Path, capability: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.replace(f"name: red, labels: {ENFORCED}", "name: red, labels: {}"))
    adds = f"[{{name: main, securityContext: {{capabilities: {{add: [{capability}]}}}}}}]"
    add(file, pod("own", namespace="red").replace("[{name: main, ports: []}]", adds))
    assert f"node: container main adds the capability {capability}" in run(file, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize("name", ["web", "web:80", "http:web:80", "https:web:"])
@pytest.mark.parametrize("resource", ["services/proxy", "pods/proxy"])
def test_the_name_of_a_proxy_may_have_a_scheme_and_a_port(shop: Path, resource: str, name: str) -> None:
    bound = binding("proxy", "Role", "proxy", "ServiceAccount", "web", "blue", subject_namespace="red")
    add(shop, role("proxy", "get", resource, "blue", more=f", resourceNames: ['{name}']") + bound)
    add(
        shop, "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: blue}\nspec: {selector: {app: x}}\n"
    )
    add(shop, pod("api", "{app: x}", namespace="blue"))
    reached = "web" if resource == "pods/proxy" else "api"
    assert f"account red/web to traffic to blue/{reached}\n" in run(shop, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize(("kind", "name"), [("User", "system:anonymous"), ("Group", "system:unauthenticated")])
def test_what_requests_without_credentials_may_do_everybody_may(shop: Path, kind: str, name: str) -> None:
    add(shop, READER + binding("all", "Role", "reader", kind, name, "blue"))
    result = run(shop, "--from", "red", "--to", "blue")
    assert "account red/web to Secrets of blue" in result.stdout
    unknown = add(shop, binding("more", "ClusterRole", "elsewhere", kind, name, "blue"))
    assert "unknown-role (not decided)" in run(unknown, "--from", "red", "--to", "blue").stdout


@pytest.mark.parametrize(("audience", "code"), [("", 1), (", audience: sts.example", 3)])
def test_a_token_for_another_audience_is_only_possibly_one_for_the_api(shop: Path, audience: str, code: int) -> None:
    token = f"[{{serviceAccountToken: {{path: token{audience}}}}}]"
    spec = f"automountServiceAccountToken: false, volumes: [{{name: t, projected: {{sources: {token}}}}}]"
    file = add(shop, namespace("tools", ENFORCED) + policy("deny", DENY_ALL, "tools"))
    add(file, pod("robot", namespace="tools", spec=f"serviceAccountName: robot, {spec}"))
    add(file, READER + binding("r", "Role", "reader", "ServiceAccount", "robot", "blue", subject_namespace="tools"))
    add(file, role("shell", "create", "pods/exec", "tools"))
    add(file, binding("shell", "Role", "shell", "ServiceAccount", "web", "tools", subject_namespace="red"))
    assert run(file, "--from", "red", "--to", "blue").exit_code == code


def test_a_network_to_which_no_policy_applies_is_not_known(shop: Path) -> None:
    text = shop.read_text().replace("namespace: red, labels: {}}", "namespace: red, annotations: {NETWORKS: far}}")
    shop.write_text(text.replace("NETWORKS", "k8s.v1.cni.cncf.io/networks"))
    assert "whom pods of Pod red/web reach in the network far" in run(shop, "--from", "red", "--to", "blue").stdout


def test_a_path_has_a_direction(shop: Path) -> None:
    assert run(add(shop, red_reads_secrets_of_blue()), "--from", "blue", "--to", "red").exit_code == 0


def test_the_same_path_to_several_tenants_is_one_entry(shop: Path) -> None:
    add(shop, namespace("green", ENFORCED) + policy("deny", DENY_ALL, "green"))
    add(
        shop,
        role("reader", "get", "secrets")
        + binding("all", "ClusterRole", "reader", "ServiceAccount", "web", subject_namespace="red"),
    )
    result = run(shop, "--from", "red")
    assert "red to blue, green: 1 path\n" in result.stdout
    assert "path, 1 step: account red/web to Secrets of blue, and 1 other alike\n" in result.stdout
    assert "  also: account red/web to Secrets of green\n" in result.stdout


def test_a_tenant_may_have_several_namespaces(shop: Path) -> None:
    add(shop, red_reads_secrets_of_blue())
    result = run(shop, "--from", "red", "--from", "blue")
    assert result.exit_code == 0, result.output


def test_json_follows_the_published_schema_and_names_every_step(shop: Path) -> None:
    add(shop, red_reads_secrets_of_blue())
    document = json.loads(run(shop, "--from", "red", "--to", "blue", "--format", "json").stdout)
    jsonschema.validate(document, json.loads((ROOT / "docs/audit.schema.json").read_text()))
    assert document["schema"] == "tenantry.dev/audit/paths/v1"
    assert document["result"] == "found"
    (path,) = document["paths"]
    assert path["steps"][0]["rule"] == "reads-secrets"
    assert path["steps"][0]["documentation"].startswith("https://")
    assert {each["file"] for each in path["steps"][0]["evidence"]} == {str(shop)}
    assert [each["name"] for each in document["planes"]][:2] == ["permissions", "pods"]


def test_the_picture_has_a_box_per_node_and_an_arrow_per_step(shop: Path) -> None:
    bound = binding("act", "ClusterRole", "act", "ServiceAccount", "web", subject_namespace="red")
    add(shop, role("act", "create", "serviceaccounts/token", more=", resourceNames: [helper]") + bound)
    add(
        shop,
        READER + binding("reader", "Role", "reader", "ServiceAccount", "helper", "blue", subject_namespace="green"),
    )
    add(shop, account("helper", "green"))
    root = ET.fromstring(run(shop, "--from", "red", "--to", "blue", "--format", "svg").stdout)  # noqa: S314 - ours
    boxes = [
        each.findtext("{*}title")
        for each in root.iter("{http://www.w3.org/2000/svg}rect")
        if each.find("{*}title") is not None
    ]
    assert boxes[-3:] == ["account red/web", "account green/helper", "Secrets of blue"]
    assert len(list(root.iter("{http://www.w3.org/2000/svg}line"))) == len(boxes) - root_rows(root)


def root_rows(root: ET.Element) -> int:
    """The number of paths of a picture: boxes in the colour of where a path ends."""
    rects = root.iter("{http://www.w3.org/2000/svg}rect")
    return sum(each.get("fill") == "#c62828" and each.find("{*}title") is not None for each in rects)


def test_markdown_has_one_row_per_step(shop: Path) -> None:
    add(shop, red_reads_secrets_of_blue())
    text = run(shop, "--from", "red", "--to", "blue", "--format", "markdown").stdout
    assert "| path, 1 step: account red/web to Secrets of blue | 1 | account red/web |" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "rd"], "namespace 'rd' is not in the input; did you mean red?"),
        (["--from", "red", "--to", "blu"], "namespace 'blu' is not in the input; did you mean blue?"),
        (["--from", "red", "--to", "red"], "--from and --to name the same namespace red"),
        (["--from", "red", "--format", "sarif"], "this report has no format sarif: choose one of text, json, markdown"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(shop: Path, arguments: list[str], message: str) -> None:
    result = run(shop, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_the_manifests_of_this_repository_have_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two tenants of platform.yaml, other than what its contract allows."""
    monkeypatch.chdir(ROOT)
    result = run("dist")
    assert result.exit_code == 0, result.output


CONTRACT = """\
apiVersion: tenantry.dev/v1alpha1
kind: IsolationContract
metadata: {name: shop}
spec:
  tenants:
    - name: red
      namespaces: [red, red-batch]
    - name: blue
"""
OPEN = "{podSelector: {}, ingress: [{}], egress: [{}]}"


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """The contract of two tenants, of which one has two namespaces."""
    file = tmp_path / "contract.yaml"
    file.write_text(CONTRACT)
    return file


def test_without_from_paths_between_all_tenants_of_the_contract_are_found(shop: Path, contract: Path) -> None:
    add(shop, namespace("red-batch", ENFORCED) + policy("deny", DENY_ALL, "red-batch"))
    result = run(shop, "--contract", contract)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("between red, red-batch, blue: no path\n")
    add(shop, role("own", "get", "secrets", "red-batch"))
    add(shop, binding("own", "Role", "own", "ServiceAccount", "web", "red-batch", subject_namespace="red"))
    assert run(shop, "--contract", contract).exit_code == 0
    assert run(add(shop, red_reads_secrets_of_blue()), "--contract", contract).exit_code == 1


def test_traffic_that_both_tenants_of_a_contract_allow_is_not_a_path(shop: Path, contract: Path) -> None:
    add(shop, policy("open", OPEN, "red") + policy("open", OPEN, "blue"))
    both = run(shop, "--contract", contract)
    assert both.stdout.startswith("between red, red-batch, blue: 1 path\n")
    assert "  also: pods blue/web to traffic to red/web\n" in both.stdout
    peers = "      %s: [{peer: {namespace: %s}}]\n"
    contract.write_text(
        CONTRACT.replace("red-batch]\n", "red-batch]\n" + peers % ("egress", "blue")) + peers % ("ingress", "red")
    )
    one = run(shop, "--contract", contract).stdout
    assert one.startswith("between red, red-batch, blue: 1 path\n\npath, 1 step: pods blue/web to traffic to red/web\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "blue"], "--to is for --from"),
        (["--from", "red", "--contract", "x.yaml"], "--contract names all tenants"),
    ],
)
def test_options_that_do_not_go_together_are_refused(shop: Path, arguments: list[str], message: str) -> None:
    result = run(shop, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_after_enough_paths_the_rest_of_the_tenants_is_not_searched_and_named(
    shop: Path, contract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shop, policy("open", OPEN, "red") + policy("open", OPEN, "blue"))
    monkeypatch.setattr("audit.reports.paths_report.ENOUGH", 1)
    for form in ("text", "markdown"):
        text = run(shop, "--contract", contract, "--format", form).stdout
        assert "\nnot searched from 1 tenant, because enough paths were found: blue\n" in text
        assert "blue/web to traffic" not in text
