"""How Terraform is run, and the one line that is printed per change."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tenantry.cluster import terraform
from tenantry.cluster.terraform import Narrator, State, Terraform
from tenantry.errors import CommandError, InputError, InterruptedByUserError
from tests.fake_programs import FakePrograms, shown


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


EMPTY = '{"format_version": "1.0"}'
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
    assert "root: 2 to create, 1 to remove" in said
    assert "created a.b, 3 s" in said


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
    with pytest.raises(CommandError, match="terraform init failed:\nregistry away"):
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
    with pytest.raises(InterruptedByUserError, match="its state records what was created so far"):
        Terraform(root=Path("root"), variables={}, stop=stop).apply()
    assert (tmp_path / "state").exists()
    assert not (tmp_path / "killed").exists()


def test_the_state_has_outputs_as_plain_values_and_every_address(programs: FakePrograms) -> None:
    document = json.loads(shown(["a.b"], {"context": "kind-x"}))
    document["values"]["root_module"]["child_modules"] = [{"resources": [{"address": "module.m.c.d[0]"}]}]
    programs.add("terraform", {"show": {"says": json.dumps(document)}})
    assert _root().state() == State(outputs={"context": "kind-x"}, resources=("a.b", "module.m.c.d[0]"))


def test_before_the_first_apply_the_state_is_empty(programs: FakePrograms) -> None:
    programs.add("terraform", {"show": {"says": EMPTY}})
    assert _root().state() == State()
    assert not any(" init" in call for call in programs.asked)


NEEDS_INIT = """\
if "init" in asked:
    (folder / "ready").touch()
elif not (folder / "ready").exists():
    sys.exit("Backend initialization required")
"""


NEEDS_INIT = """\
if "init" in asked:
    (folder / "ready").touch()
elif not (folder / "ready").exists():
    sys.exit("Backend initialization required")
"""


def test_a_state_that_needs_init_is_read_after_it(programs: FakePrograms) -> None:
    """With a remote backend, `show` fails until `init` has run."""
    programs.add("terraform", {"show": {"says": shown(["a.b"])}})
    script = programs.folder / "terraform"
    script.write_text(script.read_text().replace("for key", NEEDS_INIT + "for key"))
    assert _root().state().resources == ("a.b",)


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 1, "complains": "Error: Unsupported state file format"},
        {"says": ""},
        {"says": "[]"},
        {"says": "{}"},
        {"says": "not JSON"},
    ],
    ids=["fails", "silent", "list", "object", "text"],
)
def test_a_state_that_cannot_be_read_is_never_an_empty_one(
    programs: FakePrograms, tmp_path: Path, answer: dict[str, Any]
) -> None:
    """Its files are kept, nothing is forgotten, and Terraform's reason is repeated."""
    file = tmp_path / "root" / "terraform.tfstate"
    file.write_text("{}")
    programs.add("terraform", {"show": answer})
    for act in (_root().state, _root().forget, _root().discard_empty_state):
        with pytest.raises(CommandError, match="root: its state cannot be read; nothing was changed") as caught:
            act()
        assert str(answer.get("complains", "unexpected output")) in str(caught.value)
    assert file.exists()
    assert not any(" state rm" in call for call in programs.asked)


def test_forget_takes_all_out_of_the_state(programs: FakePrograms) -> None:
    programs.add("terraform", {"show": {"says": shown(["a.b", "c.d[0]"])}})
    _root().forget()
    assert programs.asked[-1] == "terraform -chdir=root state rm a.b c.d[0]"


def test_a_state_with_something_in_it_is_never_discarded(programs: FakePrograms, tmp_path: Path) -> None:
    state = tmp_path / "root" / "terraform.tfstate"
    state.write_text("{}")
    programs.add("terraform", {"show": {"says": shown(["a.b"])}})
    _root().discard_empty_state()
    assert state.exists()
    programs.add("terraform", {"show": {"says": EMPTY}})
    _root().discard_empty_state()
    assert not state.exists()


def test_a_plan_changes_nothing(programs: FakePrograms) -> None:
    programs.add("terraform", {"plan": {"says": _lines(PLAN)}})
    assert _root().plan() is True
    assert not any(" apply" in call or "-auto-approve" in call for call in programs.asked)


def test_what_is_no_message_is_left_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(Path("root"))
    narrator.hear("not JSON")
    narrator.hear('{"type": "version"}')
    narrator.hear(json.dumps({**MADE, "hook": {**MADE["hook"], "action": "read"}}))  # type: ignore[dict-item]
    assert capsys.readouterr().err == ""
    assert narrator.problems() == ""
