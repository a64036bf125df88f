"""Paths between tenants: what the command prints, and between which tenants it searches."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from tests.paths import ROOT
from tests.unit.audit.manifests import DENY_ALL, namespace, policy
from tests.unit.audit.roles import account, binding, role
from tests.unit.audit.shop import ENFORCED, READER, add, red_reads_secrets_of_blue, run


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
