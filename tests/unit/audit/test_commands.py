"""`tenantry audit`, as its user calls it, with the mistakes that a person makes."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.example_platform import EXAMPLE, example_dist
from tests.fake_programs import FakePrograms
from tests.paths import ROOT
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tools.audit_examples import EXAMPLES, with_output

SHOP = (
    namespace("shop")
    + pod("web", "{app: web}", ports="[{name: http, containerPort: 8080}]")
    + pod("db", "{app: db}")
    + policy("deny", DENY_ALL)
    + policy(
        "allow",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: http}], "
        "from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {team: red}}}]}]}",
    )
    + policy(
        "out", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 8080}]}]}"
    )
    + pod("far", "{app: far}", "other")
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_reach_lists_what_each_group_reaches_and_what_is_missing_for_an_unknown(shop: Path) -> None:
    result = run("reach", shop)
    assert result.exit_code == 0, result.output
    web = result.stdout.split("\n\n")[2]
    assert web.splitlines()[0] == "shop/db"
    assert "allowed  TCP 8080   shop/web" in web
    far = result.stdout.split("\n\n")[3]
    assert "unknown  TCP 8080   shop/web" in far
    assert "namespace other is not declared in the input, so its labels (team) are not known" in far
    assert "allowed  all ports  all addresses" in far


def test_reach_narrows_to_source_destination_port_and_namespace(shop: Path) -> None:
    assert "shop/web" not in run("reach", shop, "--from", "shop/db", "--to", "other/far").stdout
    one = run("reach", shop, "--from", "shop/db", "--to", "shop/web", "--port", "8080").stdout
    assert "allowed  TCP 8080  shop/web" in one
    assert "allowed" not in run("reach", shop, "--to", "shop/web", "--port", "UDP/8080", "--from", "shop/db").stdout
    outside = run("reach", shop, "--to", "192.0.2.0/24").stdout
    assert "all ports  addresses 192.0.2.0/24" in outside
    assert "shop/db" not in outside
    assert "shop/db" not in run("reach", shop, "--namespace", "other").stdout


def test_reach_shows_pods_that_do_not_exist_yet_where_asked(shop: Path) -> None:
    assert "shop/*" not in run("reach", shop).stdout
    assert "\nshop/*\n" in run("reach", shop, "--new-pods").stdout
    assert "\nshop/*\n" in run("reach", shop, "--from", "shop/*").stdout


def test_explain_shows_the_deciding_lines_of_the_file(shop: Path) -> None:
    result = run("explain", "shop/db", "shop/web", "http", shop)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("allowed: shop/db -> shop/web, TCP 8080\n")
    number = next(n for n, line in enumerate(SHOP.splitlines(), 1) if "port: http" in line)
    assert f"{shop}:{number}: spec: {{podSelector" in result.stdout


def test_explain_says_what_a_denial_needs_and_which_rule_is_nearest(shop: Path) -> None:
    text = run("explain", "shop/db", "shop/web", "9090", shop).stdout
    assert text.startswith("denied: ")
    assert (
        "needed: an egress rule, in a NetworkPolicy in namespace shop that selects shop/db, that allows TCP 9090"
        in text
    )
    assert "nearest: NetworkPolicy shop/out" in text
    assert "matches shop/web, but allows TCP 8080 only" in text


def test_explain_says_what_is_missing_for_an_unknown(shop: Path) -> None:
    text = run("explain", "other/far", "shop/web", "8080", shop).stdout
    assert text.startswith("unknown: ")
    assert "not known: namespace other is not declared in the input, so its labels (team) are not known" in text


def test_exposure_lists_what_reaches_beyond_the_namespace_and_what_no_policy_restricts(shop: Path) -> None:
    text = run("exposure", shop).stdout
    assert "allowed  cluster, all ports: any pod of any namespace" in text
    assert "unknown  cluster, TCP 8080: other/far" in text
    assert "allowed  unrestricted-ingress, all ports: no policy restricts its ingress" in text
    assert (
        "other/far" not in run("exposure", shop, "--namespace", "shop").stdout.split("\n\n", 1)[1].split("shop/web")[0]
    )


@pytest.mark.parametrize("command", [["reach"], ["exposure"], ["explain", "shop/db", "shop/web", "8080"]])
def test_json_follows_the_published_schema(command: list[str], shop: Path) -> None:
    published = json.loads((ROOT / "docs/audit.schema.json").read_text())
    document = json.loads(run(*command, shop, "--format", "json").stdout)
    jsonschema.validate(document, published)
    assert document["schema"] == f"tenantry.dev/audit/{command[0]}/v1"


def test_the_published_schema_is_what_the_command_prints() -> None:
    assert run("schema").stdout == (ROOT / "docs/audit.schema.json").read_text()


def test_the_examples_of_the_document_are_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make audit-examples` writes them."""
    (tmp_path / "dist").symlink_to(example_dist())
    (tmp_path / "platform.yaml").symlink_to(EXAMPLE)
    (tmp_path / "terraform").symlink_to(ROOT / "terraform")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/audit.md").read_text()
    assert text.count("$ tenantry audit") == len(EXAMPLES.findall(text)) > 8
    assert with_output(text) == text


def test_csv_and_markdown_have_one_row_per_line(shop: Path) -> None:
    rows = list(csv.DictReader(run("reach", shop, "--format", "csv").stdout.splitlines()))
    assert {
        "source": "shop/db",
        "verdict": "allowed",
        "ports": "TCP 8080",
        "destination": "shop/web",
        "missing": "",
    } in rows
    table = run("exposure", shop, "--format", "markdown").stdout.splitlines()
    assert table[0].startswith("| workloads | exposure | verdict |")
    assert all(line.count(" | ") == table[0].count(" | ") for line in table[2:])


def test_sarif_points_at_the_file_and_names_its_rules(shop: Path) -> None:
    document: Any = json.loads(run("exposure", shop, "--format", "sarif").stdout)
    (one,) = document["runs"]
    rules = {rule["id"] for rule in one["tool"]["driver"]["rules"]}
    assert one["results"]
    for result in one["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in {"warning", "note"}
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == str(shop)
        assert 1 <= location["region"]["startLine"] <= len(SHOP.splitlines())


@pytest.mark.parametrize("count", [2, 20, 200])
def test_the_matrix_has_a_cell_for_every_pair_of_groups(tmp_path: Path, count: int) -> None:
    text = "".join(pod(f"app-{n}", f"{{app: app-{n}}}") for n in range(count))
    rules = (
        "{podSelector: {matchLabels: {app: app-%d}}, ingress: [{from: [{podSelector: {matchLabels: {app: app-%d}}}]}]}"
    )
    text += "".join(policy(f"p-{n}", rules % (n, (n + 1) % count)) for n in range(count))
    (tmp_path / "many.yaml").write_text(text)
    root = ET.fromstring(run("reach", tmp_path, "--format", "svg").stdout)  # noqa: S314 - our own output
    cells = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.find("{*}title") is not None]
    assert len(cells) == count * (count + 1)
    allowed = [each for each in cells if "allowed" in (each.findtext("{*}title") or "")]
    assert len(allowed) == count * 3  # itself, its neighbour, addresses outside


def test_the_graph_has_dashed_edges_for_what_is_unknown(shop: Path) -> None:
    lines = run("reach", shop, "--format", "dot").stdout.splitlines()
    assert '  "other/far" -> "shop/web" [label="unknown TCP 8080", style=dashed];' in lines
    assert '  "shop/db" -> "shop/web" [label="allowed TCP 8080", style=solid];' in lines


MISTAKES = {
    ("reach", "nothing.yaml"): "nothing.yaml: no such file or folder",
    (
        "reach",
        "SHOP",
        "--from",
        "shop/wep",
    ): "workload or pod 'shop/wep' is not in the input; did you mean shop/web",
    ("reach", "SHOP", "--from", "web"): "'web' is not a reference: write NAMESPACE/NAME",
    ("reach", "SHOP", "--namespace", "shpo"): "namespace 'shpo' is not in the input; did you mean shop?",
    ("reach", "SHOP", "--port", "http"): "--port http: give a number",
    ("reach", "SHOP", "--port", "70000"): "the port '70000' does not exist",
    ("reach", "SHOP", "--pod-cidr", "10.0.0"): "--pod-cidr '10.0.0' is not a CIDR",
    (
        "reach",
        "SHOP",
        "--format",
        "sarif",
    ): "this report has no format sarif: choose one of text, json, csv, markdown, dot, svg",
    ("reach", "SHOP", "--context", "kind"): "--context reads a cluster: leave the files out",
    ("reach", "SHOP", "--kubeconfig", "x"): "--kubeconfig is for --context",
    (
        "explain",
        "shop/db",
        "shop/web",
        "https",
        "SHOP",
    ): "shop/web has no TCP port named 'https'; its named ports are http",
    ("explain", "shop/db", "shop/web", "0", "SHOP"): "the port '0' does not exist",
    ("explain", "shop/db", "shop/service/web", "80", "SHOP"): "Service 'shop/service/web' is not in the input",
    ("explain", "db", "shop/web", "80", "SHOP"): "'db' is not a reference",
    ("explain", "shop/db", "shop/web", "ICMP/1", "SHOP"): "the port 'ICMP/1' is not one",
    ("exposure", "SHOP", "--namespace", "x"): "namespace 'x' is not in the input; it has other, shop",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_named_with_what_to_do(arguments: tuple[str, ...], shop: Path) -> None:
    result = run(*(str(shop) if each == "SHOP" else each for each in arguments))
    assert result.exit_code == 2, result.output
    assert MISTAKES[arguments] in result.stderr
    assert result.stdout == ""


def test_invalid_input_is_an_error_and_keep_going_reports_the_rest(shop: Path) -> None:
    shop.write_text(SHOP + policy("typo", "{policyTypes: [ingress]}"))
    refused = run("reach", shop)
    assert refused.exit_code == 2
    assert f"{shop}:{len(SHOP.splitlines()) + 5}: NetworkPolicy shop/typo: the policy type 'ingress'" in refused.stderr
    kept = run("reach", shop, "--keep-going")
    assert kept.exit_code == 1
    assert "NetworkPolicy shop/typo: it is invalid" in kept.stdout
    assert "invalid: " in kept.stderr


def test_standard_input_is_read(shop: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "reach", "-"], input=shop.read_text())
    assert result.exit_code == 0
    assert "shop/web" in result.stdout


def test_a_cluster_is_read_through_kubectl_and_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [each for each in yaml.safe_load_all(SHOP) if each]
    metadata = {"name": "odd", "namespace": "other"}
    odd = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata}
    listed = {"kind": "List", "apiVersion": "v1"}
    programs = FakePrograms(tmp_path, monkeypatch)
    programs.add(
        "kubectl",
        {
            "api-resources": {"says": "pods\nciliumnetworkpolicies.cilium.io\nciliumnodes.example.com\n"},
            "get ciliumnetworkpolicies.cilium.io": {"says": json.dumps({**listed, "items": [odd]})},
            "get namespaces": {"says": json.dumps({**listed, "items": items})},
        },
    )
    result = run("explain", "shop/db", "shop/web", "http", "--context", "kind")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("allowed: ")
    assert "\n    context kind: spec.ingress[0].from[0]\n" in result.stdout
    assert "CiliumNetworkPolicy other/odd" in run("explain", "other/far", "node", "80", "--context", "kind").stdout
    verbs = {line.split("--context kind ")[1].split()[0] for line in programs.asked}
    assert verbs == {"get", "api-resources"}


def test_a_cluster_that_does_not_answer_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = FakePrograms(tmp_path, monkeypatch)
    missing = run("reach", "--context", "kind")
    assert missing.exit_code == 1
    assert "--context needs kubectl on PATH" in missing.stderr
    programs.add("kubectl", {"get": {"complains": "connection refused", "code": 1}})
    refused = run("reach", "--context", "kind")
    assert refused.exit_code == 1
    assert "connection refused" in refused.stderr


def test_help_imports_neither_the_constructs_nor_the_audit() -> None:
    heavy = "{'audit', 'jsii', 'yaml', 'msgspec'}"
    code = f"import sys, tenantry.cli; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
