"""Runs Terraform or OpenTofu in one of the two root modules and prints one line per resource that changes."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tenantry import processes
from tenantry.console import say
from tenantry.errors import CommandError, InputError, InterruptedByUserError

CLUSTER: Final = Path("terraform/cluster")
PLATFORM: Final = Path("terraform/platform")
PROGRAMS: Final = ("terraform", "tofu")
LOGS: Final = Path("build/log")
GRACE_SECONDS: Final = 180.0
"""How long Terraform may take, once interrupted, to finish the operations in progress and to write its state."""
_DONE: Final = {"create": "created", "update": "changed", "delete": "removed", "replace": "replaced"}


def program() -> str | None:
    """The program to run: what the variable TERRAFORM names, else the first of PROGRAMS on PATH, else None."""
    named = os.environ.get("TERRAFORM")
    return next((name for name in ([named] if named else PROGRAMS) if shutil.which(name)), None)


@dataclass(frozen=True, kw_only=True)
class State:
    """What a root's state holds; both are empty before the first apply.

    Attributes:
        outputs: The root's outputs, as plain values.
        resources: Addresses of the resources.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the output of `terraform show -json`.

        Raises:
            ValueError, KeyError: It is something else.
        """
        document = json.loads(text)
        if "format_version" not in document:
            raise ValueError("not a state")  # which must not be taken for an empty one
        values = document.get("values", {})
        outputs = {name: output["value"] for name, output in values.get("outputs", {}).items()}
        return cls(outputs=outputs, resources=tuple(_addresses(values.get("root_module", {}))))


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """One root module, with its variables.

    Attributes:
        root: Its folder.
        variables: Values of its input variables; values other than text are passed as JSON.
        stop: Interrupts Terraform, which finishes the operations in progress.
    """

    root: Path
    variables: Mapping[str, Any]
    stop: threading.Event

    def apply(self) -> bool:
        """Create and change everything that the root describes.

        Returns:
            Whether anything had to change.

        Raises:
            CommandError: Terraform failed; the message is its own.
            InterruptedByUserError: `stop` was set.
        """
        self._init()
        return self._change("apply", "-auto-approve")

    def plan(self) -> bool:
        """Print what `apply` would do, and change nothing; returns whether anything would change.

        Raises:
            CommandError, InterruptedByUserError: As `apply`.
        """
        self._init()
        return self._change("plan", "-lock=false")

    def destroy(self) -> None:
        """Remove everything that the root created.

        Raises:
            CommandError, InterruptedByUserError: As `apply`.
        """
        self._init()
        self._change("destroy", "-auto-approve")

    def state(self) -> State:
        """Read the state.

        Raises:
            InputError: The folder does not exist.
            CommandError: The state cannot be read. A state that cannot be read is never taken for an empty one.
        """
        self._require_folder()
        done = self._run("show", "-json", "-no-color")
        if done.returncode:  # the backend or the providers may not be initialized yet
            self._init()
            done = self._run("show", "-json", "-no-color")
        try:
            done.check_returncode()
            return State.parse(done.stdout)
        except (subprocess.CalledProcessError, ValueError, LookupError) as error:
            reason = done.stderr.strip() or f"unexpected output of `terraform show -json`: {done.stdout[:200]!r}"
            raise CommandError(f"{self.root}: its state cannot be read; nothing was changed:\n{reason}") from error

    def forget(self) -> None:
        """Take everything out of the state without touching it, for what no longer exists.

        Raises:
            CommandError: The state cannot be read, or Terraform refused.
        """
        addresses = self.state().resources
        if not addresses:
            return
        done = self._run("state", "rm", *addresses)
        if done.returncode:
            raise CommandError(f"{self.root}: its state could not be cleared: {done.stderr.strip()}")

    def discard_empty_state(self) -> None:
        """Delete the state's files and their backups, which hold passwords, if the state holds nothing.

        Raises:
            CommandError: The state cannot be read; its files are kept.
        """
        if not self.state().resources:
            for file in self.root.glob("terraform.tfstate*"):
                if file.is_file():
                    file.unlink()

    def _command(self, *arguments: str) -> list[str]:
        name = program()
        if name is None:
            raise CommandError("neither terraform nor tofu is on PATH")
        return [name, f"-chdir={self.root}", *arguments]

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(*arguments), capture_output=True, text=True, check=False)

    def _require_folder(self) -> None:
        if not self.root.is_dir():
            raise InputError(
                f"there is no folder {self.root} here: run this in a clone, or run `tenantry init --terraform`"
            )

    def _init(self) -> None:
        self._require_folder()
        done = self._run("init", "-input=false", "-no-color")
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).replace("\n\n", "\n")
            raise CommandError(f"{self.root}: terraform init failed:\n{reason}")

    def _change(self, verb: str, *flags: str) -> bool:
        options = [f"-var={name}={_as_text(value)}" for name, value in self.variables.items()]
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"terraform-{self.root.name}.jsonl"
        process = processes.start(
            self._command(verb, *flags, "-input=false", "-json", *options),
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
            raise InterruptedByUserError(f"{self.root}: stopped; its state records what was created so far")
        if process.returncode:
            raise CommandError(f"{self.root}: {verb} failed:\n{narrator.problems() or f'see {log}'}")
        return narrator.changes > 0

    def _interrupt_on_stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask Terraform to stop and wait: killed, it would not record in its state what it created."""
        while process.poll() is None and not self.stop.wait(processes.POLL_SECONDS):
            pass
        if process.poll() is None:
            say(f"stopping: Terraform finishes the operations in progress, within {GRACE_SECONDS:.0f} s")
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            processes.end([process])


class Narrator:
    """Turns Terraform's messages, one JSON object per line, into lines for people."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._errors: list[str] = []
        self.changes = 0

    def hear(self, line: str) -> None:
        """Take one line of Terraform's output; lines of other kinds are kept in the log only."""
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
            say(f"  still working on {hook['resource']['addr']}, {hook['elapsed_seconds']:.0f} s")
        elif kind == "diagnostic" and message["diagnostic"]["severity"] == "error":
            self._errors.append(_as_problem(message["diagnostic"]))

    def problems(self) -> str:
        """The errors, one per paragraph."""
        return "\n".join(self._errors)

    def _plan(self, changes: Mapping[str, Any]) -> None:
        counts = {"add": "to create", "change": "to change", "remove": "to remove"}
        self.changes = sum(changes.get(name, 0) for name in counts)
        planned = ", ".join(f"{changes[name]} {text}" for name, text in counts.items() if changes.get(name))
        say(f"{self._root}: {planned or 'nothing to change'}")


def _addresses(module: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of a module's resources and of its child modules' resources."""
    for resource in module.get("resources", ()):
        yield resource["address"]
    for child in module.get("child_modules", ()):
        yield from _addresses(child)


def _as_problem(diagnostic: Mapping[str, Any]) -> str:
    place = diagnostic.get("address") or ""
    detail = diagnostic.get("detail") or ""
    return "  " + "\n  ".join(line for line in (f"{place}: " * bool(place) + diagnostic["summary"], detail) if line)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
