"""`tenantry publish`, `models` and `rollback` against a real S3 server, as their user calls them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from constructs_lib.platform import Platform
from inference.model import artifact
from inference.model.artifact import Artifact
from inference.store.bucket import Bucket
from tenantry.cli import app
from tests.artifacts import sealed
from tests.store.conftest import ROOT, S3Server

PLATFORM = """\
# who the tenants are
apiVersion: tenantry.dev/v1alpha1
platform: {{image: "example/image:1"}}
tenants:
  - name: tenant-a # the first
    model: s3://models/tenant-a/{name}   # what it serves
  - name: tenant-b
    model: "s3://models/tenant-b/{name}"
"""


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A platform.yaml whose tenants serve a model that no other test publishes."""
    file = tmp_path / "platform.yaml"
    file.write_text(PLATFORM.format(name=request.node.originalname.replace("_", "-")))
    return file


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Artifact], str]:
    def write(model: Artifact) -> str:
        artifact.write(tmp_path / model.digest, model)
        return str(tmp_path / model.digest)

    return write


@pytest.fixture
def run(server: S3Server, file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls a verb as the publisher, on `file` and the server."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "publisher")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-publisher")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--file", str(file), "--endpoint", server.endpoint])

    return run


Run = Callable[..., Result]
Write = Callable[[Artifact], str]


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _model(file: Path, tenant: str = "tenant-a") -> str:
    return next(each.model for each in Platform.load(file).tenants if each.name == tenant)


def test_publish_says_the_digest_and_leaves_the_file_alone(run: Run, write: Write, file: Path) -> None:
    before, model = file.read_bytes(), sealed()
    result = run("publish", "tenant-a", "--model", write(model))
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{_model(file)}@sha256:{model.digest}\n"
    assert file.read_bytes() == before


def test_publish_with_write_pins_the_tenant_and_keeps_every_comment(run: Run, write: Write, file: Path) -> None:
    before, model = file.read_text(), sealed()
    document = _json(run("publish", "tenant-a", "--model", write(model), "--write", "--format", "json"))
    assert document["digest"] == f"sha256:{model.digest}"
    assert document["created"]
    assert document["uri"] == _model(file)
    assert file.read_text() == before.replace("   # what it serves", f"@sha256:{model.digest}   # what it serves")


def test_a_dry_run_of_publish_writes_nothing(run: Run, write: Write, file: Path) -> None:
    """It checks and compares, and prints the address that the model would have."""
    model = sealed()
    published = _json(run("models", "tenant-a", "--format", "json"))
    result = run("publish", "tenant-a", "--model", write(model), "--dry-run")
    assert result.stdout == f"would publish {_model(file)}@sha256:{model.digest}\n", result.output
    assert _json(run("models", "tenant-a", "--format", "json")) == published


def test_a_worse_model_is_refused_unless_forced(run: Run, write: Write, file: Path) -> None:
    run("publish", "tenant-a", "--model", write(sealed(macro_f1=0.95)), "--write")
    before, worse = file.read_bytes(), write(sealed(macro_f1=0.93))
    refused = run("publish", "tenant-a", "--model", worse, "--write")
    assert refused.exit_code == 1
    assert "macro_f1 0.9500 -> 0.9300" in refused.stderr
    assert file.read_bytes() == before
    assert len(_json(run("models", "tenant-a", "--format", "json"))) >= 1
    assert run("publish", "tenant-a", "--model", worse, "--tolerance", "0.03").exit_code == 0


def test_force_publishes_a_worse_model(run: Run, write: Write) -> None:
    run("publish", "tenant-a", "--model", write(sealed(macro_f1=0.95)))
    worse = sealed(macro_f1=0.5)
    assert run("publish", "tenant-a", "--model", write(worse)).exit_code == 1
    assert _json(run("publish", "tenant-a", "--model", write(worse), "--force", "--format", "json"))["created"]


def test_a_pin_that_an_empty_store_lacks_does_not_stop_the_first_publication(
    run: Run, write: Write, file: Path
) -> None:
    model = sealed()
    file.write_text(file.read_text().replace("   # what it serves", f"@sha256:{model.digest}"))
    result = run("publish", "tenant-a", "--model", write(model))
    assert result.exit_code == 0, result.output
    assert "there is nothing to compare with" in result.stderr


def test_models_says_when_nothing_is_published(run: Run, file: Path) -> None:
    """In words for people, as an empty list for programs."""
    file.write_text(file.read_text().replace("tenant-b", "tenant-c"))
    shown = run("models", "tenant-c")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "nothing is published yet" in shown.stderr
    assert _json(run("models", "tenant-c", "--format", "json")) == []


def test_models_says_who_serves_what_and_how_good_it_is(run: Run, write: Write, file: Path) -> None:
    old, new = sealed(macro_f1=0.9), sealed(macro_f1=0.95)
    for tenant in ("tenant-a", "tenant-b"):
        run("publish", tenant, "--model", write(old), "--write" if tenant == "tenant-a" else "--force")
        run("publish", tenant, "--model", write(new))
    name = _model(file, "tenant-b").rpartition("/")[2]
    rows = [row for row in _json(run("models", "--format", "json")) if row["model"] == name]
    assert [(row["tenant"], row["digest"], row["newest"], row["served"], row["macro_f1"]) for row in rows] == [
        ("tenant-a", f"sha256:{new.digest}", True, None, 0.95),
        ("tenant-a", f"sha256:{old.digest}", False, "pinned", 0.9),
        ("tenant-b", f"sha256:{new.digest}", True, "newest", 0.95),
        ("tenant-b", f"sha256:{old.digest}", False, None, 0.9),
    ]
    shown = run("models", "tenant-b").stdout
    assert [line.split()[:3] for line in shown.splitlines() if f"/{name} " in line] == [
        [f"tenant-b/{name}", new.digest[:12], "yes,"],
        [f"tenant-b/{name}", old.digest[:12], "no"],
    ]
    assert "tenant-a" not in shown


def test_rollback_goes_back_one_version_at_a_time(run: Run, write: Write, file: Path) -> None:
    first, second, third = (sealed(weights=text) for text in (b"first", b"second", b"third"))
    place = _model(file)
    for model in (first, second, third):
        run("publish", "tenant-a", "--model", write(model))
    for expected in (second, first):
        document = _json(run("rollback", "tenant-a", "--format", "json"))
        assert document["to"] == _model(file) == f"{place}@sha256:{expected.digest}"
    before = file.read_bytes()
    oldest = run("rollback", "tenant-a")
    assert oldest.exit_code == 1
    assert "is the oldest published version" in oldest.stderr
    assert file.read_bytes() == before


def test_rollback_never_pins_what_the_store_lost(run: Run, write: Write, file: Path, server: S3Server) -> None:
    old, new = sealed(weights=b"old"), sealed(weights=b"new")
    for model in (old, new):
        run("publish", "tenant-a", "--model", write(model))
    before = file.read_bytes()
    server.file("models", f"{_model(file).removeprefix('s3://models/')}/{old.digest}/weights.safetensors").unlink()
    result = run("rollback", "tenant-a")
    assert result.exit_code == 1
    assert "there is no such object" in result.stderr
    assert file.read_bytes() == before


def test_rollback_before_anything_is_published_says_so(run: Run) -> None:
    result = run("rollback", "tenant-a")
    assert result.exit_code == 1
    assert "nothing is published" in result.stderr


TEXTS = "text,label\n" + "".join(
    f"{text} {number},{label}\n"
    for text, label in (("win money", "spam"), ("lunch at noon", "ham"))
    for number in range(20)
)


def test_train_reads_its_data_from_the_datasets(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Bucket.open("datasets", server.settings(ROOT[0])).put("mails/week-1.csv", TEXTS.encode())
    _as_user(monkeypatch, server, ROOT[0])
    result = _train(tmp_path, "--data", "s3://datasets/mails/week-1.csv")
    assert result.exit_code == 0, result.output
    assert artifact.read_directory(tmp_path / "model").manifest.data.rows == 40


def test_a_tenant_may_keep_its_training_report(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mails.csv").write_text(TEXTS)
    _as_user(monkeypatch, server, "tenantry-tenant-a")
    data = ["--data", str(tmp_path / "mails.csv")]
    result = _train(tmp_path, *data, "--report", "s3://artifacts/tenant-a")
    assert result.exit_code == 0, result.output
    model = artifact.read_directory(tmp_path / "model")
    key = f"tenant-a/spam/{model.digest}/report.json"
    assert result.stdout.endswith(f"s3://artifacts/{key}\n")
    assert Bucket.open("artifacts", server.settings(ROOT[0])).get(key, max_bytes=2**20) == model.manifest_bytes
    assert "denied" in _train(tmp_path, *data, "--report", "s3://artifacts/tenant-b").stderr
    assert _train(tmp_path, *data, "--report", "s3://models/tenant-a").exit_code == 2


def _as_user(monkeypatch: pytest.MonkeyPatch, server: S3Server, user: str) -> None:
    settings = server.settings(user)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", user)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", settings.secret_access_key.get_secret_value())


def _train(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["train", "--output", str(folder / "model"), *options])


@pytest.mark.parametrize("verb", ["publish", "models", "rollback"])
def test_an_unknown_tenant_is_wrong_input(run: Run, verb: str) -> None:
    result = run(verb, "tenant-c")
    assert result.exit_code == 2
    assert "has no tenant 'tenant-c'; it has tenant-a, tenant-b" in result.stderr


def test_wrong_keys_are_said_in_one_line(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    result = run("publish", "tenant-a", "--model", write(sealed()))
    assert result.exit_code == 1
    assert "403 SignatureDoesNotMatch" in result.stderr
    assert result.stderr.count("\n") == 1
