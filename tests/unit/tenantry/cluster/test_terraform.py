"""Terraform is run as it wants to be, and what it does is told a line a thing."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tenantry.cluster import terraform
from tenantry.cluster.terraform import Narrator, Terraform
from tenantry.errors import CommandError, InputError, InterruptedByUserError
from tests.fake_programs import FakePrograms


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    monkeypatch.delenv("TERRAFORM", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "root").mkdir()
    return FakePrograms(folder, monkeypatch)


def _root(**variables: Any) -> Terraform:
    return Terraform(root=Path("root"), variables=variables, stop=threading.Event())


def _lines(*messages: dict[str, Any]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


PLAN = {"type": "change_summary", "changes": {"operation": "plan", "add": 2, "change": 0, "remove": 1}}
NOTHING = {"type": "change_summary", "changes": {"operation": "plan", "add": 0, "change": 0, "remove": 0}}
MADE = {"type": "apply_complete", "hook": {"action": "create", "resource": {"addr": "a.b"}, "elapsed_seconds": 3}}
ERROR = {
    "type": "diagnostic",
    "diagnostic": {"severity": "error", "summary": "no room", "detail": "the disk is full", "address": "a.c"},
}


@pytest.mark.parametrize(("present", "chosen"), [(["terraform", "tofu"], "terraform"), (["tofu"], "tofu"), ([], None)])
def test_whichever_program_is_there_is_run(programs: FakePrograms, present: list[str], chosen: str | None) -> None:
    for name in present:
        programs.add(name)
    assert terraform.program() == chosen


def test_the_variable_terraform_names_the_program(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.add("terraform")
    programs.add("tofu")
    monkeypatch.setenv("TERRAFORM", "tofu")
    assert terraform.program() == "tofu"


def test_apply_tells_what_was_made(programs: FakePrograms, capsys: pytest.CaptureFixture[str]) -> None:
    programs.add("terraform", {"apply": {"says": _lines(PLAN, MADE)}})
    assert _root(size=3, name="x").apply() is True
    assert [call.split()[2] for call in programs.asked] == ["init", "apply"]
    assert programs.asked[-1].endswith("-auto-approve -input=false -json -var=size=3 -var=name=x")
    said = capsys.readouterr().err
    assert "root: 2 to make, 1 to remove" in said
    assert "made a.b, 3 s" in said


def test_apply_says_when_nothing_had_to_change(programs: FakePrograms, capsys: pytest.CaptureFixture[str]) -> None:
    programs.add("terraform", {"apply": {"says": _lines(NOTHING)}})
    assert _root().apply() is False
    assert "root: nothing to change" in capsys.readouterr().err


def test_a_failed_apply_repeats_terraforms_reason(programs: FakePrograms) -> None:
    programs.add("terraform", {"apply": {"says": _lines(PLAN, ERROR), "code": 1}})
    with pytest.raises(CommandError, match=r"root: apply failed:\n  a\.c: no room\n  the disk is full"):
        _root().apply()


def test_a_failed_init_repeats_terraforms_reason(programs: FakePrograms) -> None:
    programs.add("terraform", {"init": {"complains": "registry away", "code": 1}})
    with pytest.raises(CommandError, match="providers could not be installed:\nregistry away"):
        _root().apply()
    assert not any(" apply" in call for call in programs.asked)


def test_outside_of_the_project_there_is_no_root(programs: FakePrograms) -> None:
    programs.add("terraform")
    with pytest.raises(InputError, match="no folder elsewhere here"):
        Terraform(root=Path("elsewhere"), variables={}, stop=threading.Event()).apply()
    assert programs.asked == []


SLOW = """#!{python}
import json, signal, sys
if "apply" not in sys.argv:
    sys.exit()
signal.signal(signal.SIGINT, lambda *_: [open("state", "w").close(), sys.exit(1)])
signal.signal(signal.SIGTERM, lambda *_: [open("killed", "w").close(), sys.exit(1)])
print(json.dumps({plan}), flush=True)
signal.pause()
"""


def test_an_interrupted_terraform_may_write_its_state(
    programs: FakePrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGINT, once, and time: a Terraform that is killed forgets what it made."""
    script = programs.folder / "terraform"
    script.write_text(SLOW.format(python=sys.executable, plan=PLAN))
    script.chmod(0o755)
    stop = threading.Event()
    monkeypatch.setattr(Narrator, "_plan", lambda *_: stop.set())  # as soon as it has said its plan
    with pytest.raises(InterruptedByUserError, match="what was made so far is in its state"):
        Terraform(root=Path("root"), variables={}, stop=stop).apply()
    assert (tmp_path / "state").exists()
    assert not (tmp_path / "killed").exists()


def test_outputs_are_plain_values(programs: FakePrograms) -> None:
    programs.add("terraform", {"output": {"says": '{"context": {"value": "kind-x", "type": "string"}}'}})
    assert _root().outputs() == {"context": "kind-x"}


def test_without_a_state_there_is_nothing(programs: FakePrograms) -> None:
    programs.add("terraform", {"state list": {"complains": "no state", "code": 1}, "output": {"code": 1}})
    assert _root().resources() == []
    assert _root().outputs() == {}


def test_forget_takes_all_out_of_the_state(programs: FakePrograms) -> None:
    programs.add("terraform", {"state list": {"says": "a.b\nc.d[0]\n"}})
    _root().forget()
    assert programs.asked[-1] == "terraform -chdir=root state rm a.b c.d[0]"


def test_a_state_with_something_in_it_is_never_discarded(programs: FakePrograms, tmp_path: Path) -> None:
    state = tmp_path / "root" / "terraform.tfstate"
    state.write_text("{}")
    programs.add("terraform", {"state list": {"says": "a.b\n"}})
    _root().discard_empty_state()
    assert state.exists()
    programs.add("terraform")
    _root().discard_empty_state()
    assert not state.exists()


def test_what_is_no_message_is_left_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(Path("root"))
    narrator.hear("not JSON")
    narrator.hear('{"type": "version"}')
    narrator.hear(json.dumps({**MADE, "hook": {**MADE["hook"], "action": "read"}}))  # type: ignore[dict-item]
    assert capsys.readouterr().err == ""
    assert narrator.problems() == ""
