"""`tenantry conformance`: what it prints and how it ends."""

import json

import pytest
from typer.testing import CliRunner

from tenantry.cli import app
from tests.unit.conformance.protocol_server import MODEL, ProtocolServer
from tests.unit.conformance.serving import Handler, listening


def ask(handler: Handler, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command."""
    with listening(handler) as url:
        done = CliRunner().invoke(app, ["conformance", url, "--model", MODEL, *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_conforming_server_ends_with_0() -> None:
    """The last line is the verdict."""
    code, out, _ = ask(ProtocolServer(), "--case", "server.*", "--case", "id.echoed")
    assert code == 0
    assert out.splitlines()[-1].startswith("conforms: ")


def test_a_failed_must_ends_with_1() -> None:
    """The report is printed all the same."""
    code, out, error = ask(ProtocolServer(accepts={"outputs.unknown"}), "--case", "outputs.*")
    assert code == 1
    assert "FAILED (must) outputs.unknown" in out
    assert "does not conform: 1 cases of level must failed" in error


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_a_failed_should_ends_with_1_where_strict(options: list[str], code: int) -> None:
    """A should alone does not make a server fail."""
    assert ask(ProtocolServer(accepts={"shape.ragged"}), "--case", "shape.ragged", *options)[0] == code


@pytest.mark.parametrize(
    ("form", "begins"), [("json", "{"), ("junit", "<?xml"), ("markdown", "# Open"), ("text", "Open Inference")]
)
def test_standard_output_is_the_report_alone(form: str, begins: str) -> None:
    """A program may read it."""
    _, out, _ = ask(ProtocolServer(), "--case", "server.*", "--format", form)
    assert out.startswith(begins)
    if form == "json":
        assert json.loads(out)["model"] == MODEL


def test_a_server_that_does_not_answer_ends_with_1() -> None:
    """One line."""
    done = CliRunner().invoke(app, ["conformance", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("connection refused; is the server running?")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["localhost:80"], "not the address of a server"),
        (["http://127.0.0.1:9", "--case", "nothing.*"], "no case has an id like"),
        (["http://127.0.0.1:9", "--header", "no colon"], "is not NAME:VALUE"),
    ],
)
def test_wrong_input_ends_with_2(arguments: list[str], words: str) -> None:
    """The message names the option and how to give it."""
    done = CliRunner().invoke(app, ["conformance", *arguments])
    assert done.exit_code == 2
    assert words in done.stderr


def test_headers_and_the_server_without_a_model_are_passed_on() -> None:
    """Both reach the cases."""
    with listening(ProtocolServer(loading=True)) as loading:
        code, out, _ = ask(
            ProtocolServer(), "--loading-url", loading, "--header", "A: b", "--case", "loading.*", "--format", "json"
        )
    assert code == 0
    assert {result["outcome"] for result in json.loads(out)["results"]} == {"passed"}
