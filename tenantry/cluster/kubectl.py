"""kubectl, for one context of one kubeconfig: commands, port-forwards, and the question before dangerous actions."""

import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import typer

from tenantry import processes
from tenantry.console import say
from tenantry.errors import CommandError, InputError
from tenantry.options import KUBECONFIG

_NO_CONTEXT: Final = re.compile(r'context "?.*"? does not exist|context was not found')
FORWARD_SECONDS: Final = 20.0
"""How long a port-forward may take until it listens."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """Runs kubectl against one cluster.

    Attributes:
        kubeconfig: The file, absolute, or None for what kubectl finds by itself.
        context: Name of the context.
    """

    kubeconfig: Path | None
    context: str

    @classmethod
    def find(cls, kubeconfig: Path | None = None, context: str | None = None) -> Self:
        """The cluster that the options, the environment or `tenantry up` name.

        Raises:
            InputError: kubectl, the file or the context is missing.
        """
        if shutil.which("kubectl") is None:
            raise InputError("this command needs kubectl on PATH: https://kubernetes.io/docs/tasks/tools/")
        if kubeconfig is None and "KUBECONFIG" not in os.environ and KUBECONFIG.is_file():
            kubeconfig = KUBECONFIG
        if kubeconfig is not None and not kubeconfig.is_file():
            raise InputError(f"--kubeconfig {kubeconfig}: no such file")
        base = cls(kubeconfig=kubeconfig and kubeconfig.absolute(), context=context or "")
        name = context or base._current_context()
        return cls(kubeconfig=base.kubeconfig, context=name)

    def _current_context(self) -> str:
        done = self.try_run("config", "current-context")
        name = done.stdout.strip()
        if done.returncode or not name:
            where = self.kubeconfig or os.environ.get("KUBECONFIG", "~/.kube/config")
            reason = f" ({done.stderr.strip()})" if done.returncode else ""
            raise InputError(f"no cluster: {where} has no current context{reason}; name one with --context")
        return name

    def command(self, *arguments: str) -> list[str]:
        """The program and its arguments, for callers that start it themselves."""
        kubeconfig = ("--kubeconfig", str(self.kubeconfig)) if self.kubeconfig else ()
        context = ("--context", self.context) if self.context else ()
        return ["kubectl", *kubeconfig, *context, *arguments]

    def environment(self) -> dict[str, str]:
        """The environment for a program that finds this cluster by itself."""
        found = {**os.environ, "CONTEXT": self.context}
        return {**found, "KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else found

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and return its exit code and output."""
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, check=False)

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command and return its output.

        Raises:
            CommandError: It failed; the message is kubectl's own.
        """
        done = self.try_run(*arguments, stdin=stdin)
        if done.returncode:
            reason = done.stderr.strip() or done.stdout.strip()
            raise CommandError(f"kubectl {' '.join(arguments[:4])} failed in context {self.context}: {reason}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """The objects of `kubectl get ... --output json`, as plain values."""
        return json.loads(self.run("get", *arguments, "--output", "json"))

    def differs(self, manifests: Path) -> bool:
        """Whether the cluster differs from a folder of manifests.

        Raises:
            CommandError: It could not be compared.
        """
        done = self.try_run("diff", "--filename", str(manifests))
        if done.returncode > 1 and "(NotFound): namespaces" in done.stderr:
            return True  # kubectl cannot compare objects in a namespace that does not exist yet
        if done.returncode > 1:
            raise CommandError(f"kubectl diff failed in context {self.context}: {done.stderr.strip()}")
        return done.returncode == 1

    def serves(self, group: str) -> bool:
        """Whether the API server has an API group, such as one of a CRD."""
        groups = json.loads(self.run("get", "--raw", "/apis"))["groups"]
        return any(each["name"] == group for each in groups)

    def server(self) -> str:
        """Address of the API server."""
        return self.run("config", "view", "--minify", "--output", "jsonpath={.clusters[0].cluster.server}")

    def require_reachable(self) -> None:
        """Raise CommandError unless the API server answers, and InputError if the kubeconfig lacks the context."""
        done = self.try_run("get", "--raw", "/readyz", "--request-timeout", "10s")
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            if _NO_CONTEXT.search("".join(reason)):
                known = self._contexts()
                raise InputError(f"--context {self.context}: the kubeconfig has no such context; it has {known}")
            raise CommandError(f"the cluster of context {self.context} does not answer: {''.join(reason)}")

    def _contexts(self) -> str:
        base = type(self)(kubeconfig=self.kubeconfig, context="")
        return ", ".join(base.try_run("config", "get-contexts", "--output", "name").stdout.split()) or "none"

    @contextmanager
    def port_forward(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """Forward a free port of this machine's loopback until the block ends.

        Args:
            namespace: Of the target.
            target: As kubectl names it, as in `service/minio-api`.
            port: The target's.

        Yields:
            The local port.

        Raises:
            CommandError: Nothing listened within FORWARD_SECONDS; the message is kubectl's own.
        """
        command = self.command("port-forward", "--address", "127.0.0.1", "--namespace", namespace, target, f":{port}")
        process = processes.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield _forwarded_port(process, f"{namespace} {target}")
        finally:
            processes.end([process])
            if process.stdout:
                process.stdout.close()


def _forwarded_port(process: "subprocess.Popen[bytes]", target: str) -> int:
    """Read the local port from the line that kubectl prints once it listens."""
    output, said = process.stdout, b""
    if output is None:
        raise AssertionError("started without a pipe")
    deadline = time.monotonic() + FORWARD_SECONDS
    while time.monotonic() < deadline:
        readable, _, _ = select.select([output], [], [], 0.2)
        chunk = os.read(output.fileno(), 4096) if readable else b""
        said += chunk
        if found := re.search(rb"Forwarding from 127\.0\.0\.1:(\d+)", said):
            return int(found[1])
        if readable and not chunk:
            break
    raise CommandError(f"the port-forward to {target} did not start: {said.decode(errors='replace').strip()}")


def confirm(kubectl: Kubectl, doing: str) -> None:
    """Show the cluster and ask for confirmation, unless the variable CONFIRM names its context.

    Args:
        kubectl: The cluster.
        doing: What is about to be done, as in "put load on tenant-a".

    Raises:
        InputError: The answer is no, or standard input is not a terminal.
    """
    say(f"about to {doing}\n  context {kubectl.context}\n  server  {kubectl.server()}")
    if confirmed(kubectl.context):
        return
    if not os.isatty(0):
        raise InputError(f"standard input is not a terminal: set CONFIRM={kubectl.context} to confirm this cluster")
    if not typer.confirm("Continue?", err=True):
        raise InputError("not confirmed; nothing was changed")


def confirmed(name: str) -> bool:
    """Whether the variable CONFIRM names it: a context or, for `tenantry apply`, a tenant to delete."""
    return name in os.environ.get("CONFIRM", "").replace(",", " ").split()
