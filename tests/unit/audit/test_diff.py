"""What a change does, as a reviewer reads it."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from audit.changes.change import SECURITY, Area, Effect
from audit.model.finding import Severity
from audit.reports.diff_report import ChangeEntry, DiffReport
from audit.reports.diff_tables import MOST, markdown
from audit.reports.formats import schema
from tenantry.cli import app
from tests.example_platform import example_dist
from tests.unit.audit.manifests import admin, namespace, pod, policy
from tests.unit.audit.roles import binding, role

OPEN = ("- podSelector: {}", "- namespaceSelector: {}")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "diff", *map(str, arguments)])


def service(number: int, namespace: str) -> str:
    """A Service that stands for a host outside."""
    metadata = f"{{name: s{number}, namespace: {namespace}}}"
    return f"---\napiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{externalName: h{number}.org}}\n"


def edited(tmp_path: Path, *replacements: tuple[str, str], name: str = "tenant-a") -> Path:
    folder = tmp_path / "head"
    if not folder.exists():
        shutil.copytree(example_dist(), folder)
    file = folder / f"{name}.k8s.yaml"
    text = file.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return folder


def test_nothing_changes_between_equal_folders() -> None:
    result = run(example_dist(), example_dist())
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().endswith("nothing changes")


def test_the_worst_change_comes_first_with_who_and_which_line(tmp_path: Path) -> None:
    head = edited(tmp_path, OPEN, ("maxReplicas: 10", "maxReplicas: 20"), ("- configmaps", "- secrets"))
    text = run(example_dist(), head).stdout
    first, second, third = (
        text.index("let them be reached by all pods of every namespace on TCP 8000"),
        text.index("may get, list secrets in namespace tenant-a: reads-secrets"),
        text.index("spec.maxReplicas: 10 becomes 20"),
    )
    assert first < second < third
    line = next(
        number
        for number, each in enumerate((head / "tenant-a.k8s.yaml").read_text().splitlines(), 1)
        if "maxReplicas: 20" in each
    )
    assert f"{head}/tenant-a.k8s.yaml:{line}" in text
    assert "no longer: may get, list configmaps in namespace tenant-a" in text


def test_the_same_change_to_many_tenants_is_one_entry(tmp_path: Path) -> None:
    edited(tmp_path, OPEN)
    head = edited(tmp_path, OPEN, name="tenant-b")
    text = run(example_dist(), head, "--format", "markdown").stdout
    assert text.count("be reached by all pods of every namespace") == 1
    assert "all pods of namespace &#42; (2 namespaces)" in text


def test_a_threshold_of_an_alert_is_shown_where_it_differs(tmp_path: Path) -> None:
    text = run(example_dist(), edited(tmp_path, ("> 0.05", "> 0.07"))).stdout
    assert "alerts: PrometheusRule tenant-a/tenant-a-ml-inference" in text
    assert "> 0.05" in text
    assert "> 0.07" in text
    assert "nothing becomes more open" in text


def test_an_object_that_is_gone_is_left_behind_by_kubectl_apply(tmp_path: Path) -> None:
    head = edited(tmp_path)
    (head / "tenant-b.k8s.yaml").unlink()
    text = run(example_dist(), head).stdout
    assert (
        "kubectl apply does not delete it: run kubectl delete rolebinding tenant-b-ml-inference --namespace tenant-b"
        in text
    )
    assert "Left behind" in text


def test_narrower_addresses_are_not_an_opening_and_wider_ones_name_what_is_new(tmp_path: Path) -> None:
    narrower = edited(tmp_path / "one", ("- 10.0.0.0/8", "- 10.0.0.0/8\n              - 11.0.0.0/8"))
    assert "nothing becomes more open" in run(example_dist(), narrower).stdout
    wider = edited(tmp_path / "two", ("              - 10.0.0.0/8\n", ""))
    assert "(new: 10.0.0.0/8)" in run(example_dist(), wider).stdout


def test_a_value_that_names_another_tenant_is_security(tmp_path: Path) -> None:
    head = edited(tmp_path, ("s3://models/tenant-a/", "s3://models/tenant-b/"))
    assert "value names the namespace tenant-b: s3://models/tenant-b/spam" in run(example_dist(), head).stdout


def test_every_run_gives_the_same_bytes_and_valid_json(tmp_path: Path) -> None:
    head = edited(tmp_path, OPEN, ("- configmaps", "- secrets"))
    for form in ("text", "markdown", "json"):
        assert run(example_dist(), head, "--format", form).stdout == run(example_dist(), head, "--format", form).stdout
    jsonschema.validate(json.loads(run(example_dist(), head, "--format", "json").stdout), schema())


def test_markdown_stays_below_the_limit_and_keeps_every_change_to_security(tmp_path: Path) -> None:
    """300 objects that all change differently: other values are left out, the openings are not."""
    base, head = tmp_path / "base", tmp_path / "head"
    for folder, size in ((base, 1), (head, 2)):
        folder.mkdir()
        documents = [
            f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}, namespace: n{number}}}\n"
            f"data: {{text: '{'x' * 90}{number * size}', more{number}: '{'y' * 90}{number * size}'}}\n"
            for number in range(300)
        ]
        (folder / "all.yaml").write_text("".join(documents))
    with (head / "all.yaml").open("a") as file:
        file.writelines(service(number, f"n{number}") for number in range(150))
    text = run(base, head, "--format", "markdown").stdout
    assert len(text) <= 60_000
    assert all(f"it stands for h{number}.org" in text for number in range(150))
    assert "left out here because the comment is full" in text


def test_so_many_openings_that_no_table_holds_them_are_counted_by_risk(tmp_path: Path) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    head.write_text(base.read_text() + "".join(service(number, "shop") for number in range(2000)))
    text = run(base, head, "--format", "markdown").stdout
    assert len(text) <= 60_000
    assert "| high | network | 2,000 |" in text


def test_text_of_the_input_cannot_become_markup(tmp_path: Path) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    head.write_text(
        base.read_text()
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\n"
        + 'spec: {externalName: "</details><img src=x> @team | [x](y)"}\n'
    )
    text = run(base, head, "--format", "markdown").stdout
    row = next(line for line in text.splitlines() if "it stands for" in line)
    assert "<" not in row
    assert "@" not in row
    assert "\\|" in row


def test_a_git_revision_is_read_without_checking_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false"]
    shutil.copytree(example_dist(), tmp_path / "dist")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "A"]):
        subprocess.run(["git", *identity, *command], cwd=tmp_path, check=True)
    file = tmp_path / "dist/tenant-a.k8s.yaml"
    file.write_text(file.read_text().replace(*OPEN))
    monkeypatch.chdir(tmp_path)
    text = run("HEAD").stdout
    assert text.startswith("HEAD -> dist: 2 changes to security (2 critical)")
    assert "dist/tenant-a.k8s.yaml:" in text
    assert "nothing changes" in run("HEAD", "HEAD").stdout
    wrong = run("nowhere")
    assert wrong.exit_code == 2
    assert "'nowhere' is neither a file or folder nor a git revision" in wrong.stderr


def test_invalid_manifests_after_the_change_are_named_first(tmp_path: Path) -> None:
    head = edited(tmp_path, ("protocol: UDP", "protocol: XYZ"))
    assert "**Invalid:**" in run(example_dist(), head, "--format", "markdown").stdout.splitlines()[4]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_an_invalid_manifest_after_the_change_fails_and_limits_what_is_known(tmp_path: Path, form: str) -> None:
    head = edited(tmp_path, OPEN, ("protocol: UDP", "protocol: XYZ"))
    result = run(example_dist(), head, "--format", form)
    assert result.exit_code == 1, result.output
    assert "1 invalid object, so what becomes possible is known only in part" in result.stdout.splitlines()[0]
    assert "be reached by all pods of every namespace" in result.stdout
    assert "invalid: " in result.stderr
    assert "allow-dns" in result.stderr


def test_text_of_an_invalid_manifest_cannot_become_markup(tmp_path: Path) -> None:
    head = edited(tmp_path, ("protocol: UDP", 'protocol: "<img src=x> @team *x*"'))
    text = run(example_dist(), head, "--format", "markdown").stdout
    line = next(each for each in text.splitlines() if each.startswith("**Invalid:**"))
    assert "&lt;img src=x&gt; &#64;team &#42;x&#42;" in line


def test_a_long_text_of_an_invalid_manifest_is_cut_in_markdown(tmp_path: Path) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text(namespace("shop"))
    wrong = "{podSelector: {}, policyTypes: [Up]}"
    head.write_text(namespace("shop") + "".join(policy(f"p{number}{'x' * 5_000}", wrong) for number in range(25)))
    result = run(base, head, "--format", "markdown")
    assert len(result.stdout) <= MOST
    assert result.stdout.count("**Invalid:**") == 20
    assert result.stdout.startswith("### What this change does: 25 invalid objects")


def test_the_notes_about_what_is_left_out_fit_into_markdown() -> None:
    """The table of security fills the comment to its last characters, and four areas do not fit any more."""

    def entry(area: Area, text: str) -> ChangeEntry:
        return ChangeEntry(
            area=area,
            effect=Effect.CHANGED,
            risk=Severity.HIGH,
            subject="Service shop/web",
            text=text,
            namespaces=["shop"],
            places=["all.yaml:1"],
        )

    rest = [entry(area, "x" * MOST) for area in Area if area not in SECURITY]
    assert len(rest) == 4
    for size in range(MOST - 1_000, MOST, 20):
        security = [entry(Area.NETWORK, "x" * size)]
        text = markdown(DiffReport(base="a", head="b", security=security, rest=rest, problems=[]))
        assert len(text) <= MOST
        assert text.count("left out here because the comment is full") == 4


def test_a_binding_to_a_role_that_is_not_in_the_input_is_a_permission(tmp_path: Path) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text(namespace("shop"))
    head.write_text(namespace("shop") + binding("give", "ClusterRole", "absent", "User", "alice", "shop"))
    text = run(base, head).stdout
    expected = "it gives ClusterRole absent, which the input does not hold, to user alice"
    assert f"  high     permissions: RoleBinding shop/give: {expected}\n           {head}:9\n" in text


def test_a_subresource_is_written_as_kubectl_writes_it(tmp_path: Path) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text(namespace("shop"))
    scale = role("r", "patch", "deployments/scale, deployments", "shop", groups="[apps]")
    head.write_text(base.read_text() + scale + binding("b", "Role", "r", "User", "alice", "shop"))
    assert "may patch deployments.apps/scale in namespace shop" in run(base, head).stdout


CILIUM = (
    "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: deny, namespace: shop}\n"
    "spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [world]}]}\n"
)
DENY = admin("deny", 1, "subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]")


@pytest.mark.parametrize(
    ("policy_before", "policy_after", "expected"),
    [
        (DENY, "", "AdminNetworkPolicy deny: it is no longer declared"),
        (
            DENY,
            DENY.replace("from: [{namespaces: {}}]", "from: [{namespaces: {matchLabels: {team: x}}}]"),
            "AdminNetworkPolicy deny: spec.ingress[0].from[0].namespaces.matchLabels.team: x is added",
        ),
        (
            DENY,
            DENY.replace("action: Deny", "action: Pass"),
            "AdminNetworkPolicy deny: spec.ingress[0].action: Deny becomes Pass",
        ),
        (CILIUM, "", "CiliumNetworkPolicy shop/deny: it is no longer declared"),
        (
            CILIUM,
            CILIUM.replace("[world]", "[host]"),
            "CiliumNetworkPolicy shop/deny: spec.ingressDeny[0].fromEntities[0]: world becomes host",
        ),
    ],
    ids=["admin removed", "admin narrowed", "admin passes", "cilium removed", "cilium narrowed"],
)
def test_a_denial_that_is_lost_or_narrowed_is_high(
    tmp_path: Path, policy_before: str, policy_after: str, expected: str
) -> None:
    base, head = tmp_path / "base.yaml", tmp_path / "head.yaml"
    base.write_text(namespace("shop") + policy_before)
    head.write_text(namespace("shop") + policy_after)
    result = run(base, head)
    assert result.exit_code == 0, result.output
    security = result.stdout.partition("Becomes possible, or changes for security")[2]
    assert f"  high     network: {expected}" in security


KEY_OBJECT = """\
---
apiVersion: v1
kind: Secret
metadata:
  name: key
  namespace: shop
  labels: {team: red}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"old":"T2xkU2VjcmV0"}}'}
data: {old: T2xkU2VjcmV0, other: T2xkU2VjcmV0}
stringData: {plain: OldPlainSecret}
"""


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
@pytest.mark.parametrize("wrap", ["", "list"])
def test_the_content_of_a_secret_is_never_printed(tmp_path: Path, form: str, wrap: str) -> None:
    """Neither when it is added or removed nor when it changes or names a tenant; other fields are shown."""
    changed = (
        KEY_OBJECT.replace("old: T2xkU2VjcmV0", "old: TmV3U2VjcmV0, more: TmV3U2VjcmV0")
        .replace(", other: T2xkU2VjcmV0", "")
        .replace('"T2xkU2VjcmV0"', '"TmV3U2VjcmV0"')
        .replace("OldPlainSecret", "NewPlainSecret-of bank")
        .replace("red", "blue")
    )
    new = changed.replace("name: key", "name: new")
    texts = [KEY_OBJECT, changed + new]
    if wrap:
        lists = [{"kind": "List", "apiVersion": "v1", "items": list(yaml.safe_load_all(each[4:]))} for each in texts]
        texts = [yaml.safe_dump(each) for each in lists]
    bank = namespace("bank") + pod("teller", namespace="bank")
    files = [tmp_path / "base.yaml", tmp_path / "head.yaml", tmp_path / "none.yaml"]
    for file, text in zip(files, [*texts, ""], strict=True):
        file.write_text(bank + ("" if not text or text.startswith("---") else "---\n") + text)
    for base, head in ((files[0], files[1]), (files[2], files[1]), (files[1], files[2]), (files[1], files[0])):
        result = run(base, head, "--format", form)
        assert result.exit_code == 0, result.output
        for content in ("U2VjcmV0", "PlainSecret"):
            assert content not in result.output
    text = run(files[0], files[1]).stdout
    for expected in (
        "Secret shop/key: data.old changes",
        "Secret shop/key: data.more is added",
        "Secret shop/key: data.other is removed",
        "Secret shop/key: stringData.plain changes",
        "Secret shop/key: stringData.plain names the namespace bank\n",
        "Secret shop/key: metadata.labels.team: red becomes blue",
        "Secret shop/new: it is new",
    ):
        assert expected in text, expected
