"""Which store a command means, where the user does not say it or says it wrong."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tests.example_platform import EXAMPLE
from tests.models import write_tiny_model

PLATFORM = EXAMPLE


@pytest.mark.parametrize("verb", [["models"], ["rollback", "tenant-a"], ["publish", "tenant-a"]])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "the address of the object store is unknown"),
        (["--endpoint", "minio:9000"], "endpoint 'minio:9000'"),
        (["--endpoint", "http://minio:9000", "--port-forward"], "exclude each other"),
    ],
)
def test_wrong_input_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: list[str], options: list[str], message: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if verb[0] == "publish":
        verb = [*verb, "--model", str(write_tiny_model(tmp_path / "model"))]
    result = CliRunner().invoke(app, [*verb, *options, "--file", str(PLATFORM)])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "pydantic" not in result.stderr
