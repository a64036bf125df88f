"""Runs Terraform or OpenTofu in one of the two roots and shows what it does, a line for each thing that it makes."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenantry import processes
from tenantry.console import say
from tenantry.errors import CommandError, InputError, InterruptedByUserError

CLUSTER: Final = Path("terraform/cluster")
PLATFORM: Final = Path("terraform/platform")
PROGRAMS: Final = ("terraform", "tofu")
LOGS: Final = Path("build/log")
GRACE_SECONDS: Final = 180.0
"""How long Terraform may take, once interrupted, to finish what it has begun and to write its state."""
_DONE: Final = {"create": "made", "update": "changed", "delete": "removed", "replace": "replaced"}


def program() -> str | None:
    """The program to run: what the variable TERRAFORM names, else the first of PROGRAMS on PATH, else None."""
    named = os.environ.get("TERRAFORM")
    return next((name for name in ([named] if named else PROGRAMS) if shutil.which(name)), None)


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """One root, with its variables.

    Attributes:
        root: Its folder.
        variables: Values of its input variables; what is not text is passed as JSON.
        stop: Interrupts Terraform, which finishes what it has begun.
    """

    root: Path
    variables: Mapping[str, Any]
    stop: threading.Event

    def apply(self) -> bool:
        """Make everything as the root says; returns whether anything had to change.

        Raises:
            CommandError: Terraform failed; the message is its own.
            InterruptedByUserError: `stop` was set.
        """
        self._init()
        return self._change("apply")

    def destroy(self) -> None:
        """Remove everything that the root made.

        Raises:
            CommandError, InterruptedByUserError: as `apply`.
        """
        self._init()
        self._change("destroy")

    def outputs(self) -> dict[str, Any]:
        """The root's outputs, plain; empty before the first apply."""
        text = self._read("output", "-json")
        return {name: output["value"] for name, output in json.loads(text or "{}").items()}

    def resources(self) -> list[str]:
        """Addresses of what the state holds; none where there is no state."""
        return self._read("state", "list").split()

    def forget(self) -> None:
        """Take everything out of the state without touching it: for what is gone already.

        Raises:
            CommandError: Terraform refused.
        """
        addresses = self.resources()
        if not addresses:
            return
        done = subprocess.run(self._command("state", "rm", *addresses), capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandError(f"{self.root}: its state could not be cleared: {done.stderr.strip()}")

    def discard_empty_state(self) -> None:
        """Remove the state's files and their backups, which hold passwords, once nothing is in the state."""
        if not self.resources():
            for file in self.root.glob("terraform.tfstate*"):
                if file.is_file():
                    file.unlink()

    def _command(self, *arguments: str) -> list[str]:
        name = program()
        if name is None:
            raise CommandError("neither terraform nor tofu is on PATH")
        return [name, f"-chdir={self.root}", *arguments]

    def _read(self, *arguments: str) -> str:
        """What a command that changes nothing in the world says; nothing where there is no state yet."""
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def _init(self) -> None:
        if not self.root.is_dir():
            raise InputError(f"there is no folder {self.root} here: run this in a clone of the project")
        done = subprocess.run(
            self._command("init", "-input=false", "-no-color"), capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).replace("\n\n", "\n")
            raise CommandError(f"{self.root}: the providers could not be installed:\n{reason}")

    def _change(self, verb: str) -> bool:
        options = [f"-var={name}={_as_text(value)}" for name, value in self.variables.items()]
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"terraform-{self.root.name}.jsonl"
        process = processes.start(
            self._command(verb, "-auto-approve", "-input=false", "-json", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        watcher = threading.Thread(target=self._interrupt_on_stop, args=[process], daemon=True)
        watcher.start()
        narrator = Narrator(self.root)
        with log.open("wb") as record:
            for line in process.stdout or ():
                record.write(line)
                narrator.hear(line.decode(errors="replace"))
        process.wait()
        if process.stdout:
            process.stdout.close()
        if self.stop.is_set():
            raise InterruptedByUserError(f"{self.root}: stopped; what was made so far is in its state")
        if process.returncode:
            raise CommandError(f"{self.root}: {verb} failed:\n{narrator.problems() or f'see {log}'}")
        return narrator.changes > 0

    def _interrupt_on_stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask Terraform to stop: it needs its time, or its state would not know what it made."""
        while process.poll() is None and not self.stop.wait(processes.POLL_SECONDS):
            pass
        if process.poll() is None:
            say(f"stopping: Terraform finishes what it has begun, for {GRACE_SECONDS:.0f} s at most")
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            processes.end([process])


class Narrator:
    """Turns Terraform's messages, a JSON object a line, into lines for people."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._errors: list[str] = []
        self.changes = 0

    def hear(self, line: str) -> None:
        """Take one line of Terraform's output; what is no message of the known kinds is kept in the log only."""
        try:
            message = json.loads(line)
        except ValueError:
            return
        kind = message.get("type")
        if kind == "change_summary" and message["changes"].get("operation") == "plan":
            self._plan(message["changes"])
        elif kind == "apply_complete" and message["hook"]["action"] in _DONE:
            hook = message["hook"]
            say(f"  {_DONE[hook['action']]} {hook['resource']['addr']}, {hook.get('elapsed_seconds', 0):.0f} s")
        elif kind == "apply_progress" and message["hook"].get("elapsed_seconds", 0) % 60 == 0:
            hook = message["hook"]
            say(f"  still at {hook['resource']['addr']}, {hook['elapsed_seconds']:.0f} s")
        elif kind == "diagnostic" and message["diagnostic"]["severity"] == "error":
            self._errors.append(_as_problem(message["diagnostic"]))

    def problems(self) -> str:
        """The errors, one a paragraph."""
        return "\n".join(self._errors)

    def _plan(self, changes: Mapping[str, Any]) -> None:
        counts = {"add": "to make", "change": "to change", "remove": "to remove"}
        self.changes = sum(changes.get(name, 0) for name in counts)
        planned = ", ".join(f"{changes[name]} {text}" for name, text in counts.items() if changes.get(name))
        say(f"{self._root}: {planned or 'nothing to change'}")


def _as_problem(diagnostic: Mapping[str, Any]) -> str:
    place = diagnostic.get("address") or ""
    detail = diagnostic.get("detail") or ""
    return "  " + "\n  ".join(line for line in (f"{place}: " * bool(place) + diagnostic["summary"], detail) if line)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
