"""What a change does, as a reviewer reads it."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from audit.reports.formats import schema
from tenantry.cli import app
from tests.example_platform import example_dist

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
        "kubectl apply does not delete it; kubectl delete rolebinding tenant-b-ml-inference --namespace tenant-b does"
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
