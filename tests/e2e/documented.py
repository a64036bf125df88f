"""Runs printed shell lines as they are, on a cluster, without changing it."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from tests.documents import DOCUMENTS, printed_in_blocks
from tests.paths import ROOT

LEFT_OUT: Final = ("helm ", "terraform ", "T=", "promql()", "kubectl -n monitoring port-forward ")
"""Lines that need the network or a state, and the first ones of the runbook, on which the others depend."""
PROGRAMS: Final = re.compile(r"\b(?:kubectl|curl|promql)\b")
EXPECTED: Final = ("no rollout history found", "previous terminated container", '"model-store" already exists')
"""Answers of a healthy tenant: nothing to undo, no pod that ended before, the keys are there."""
_WARNING: Final = re.compile(r"Warning: |W\d{4} ")
_GREP: Final = re.compile(r"\bgrep (?!-c)")  # one that counts shows a fault by finding nothing
SHELL: Final = """\
set -o pipefail
kubectl() {
  case " $* " in
    *" apply "* | *" create "* | *" delete "* | *" label "* | *" patch "* | *" undo "*)
      command kubectl "$@" --dry-run=server ;;
    *) command kubectl "$@" ;;
  esac
}
tenantry() { cat >/dev/null; } # of a pipe, or of /dev/null
make() { :; }
until_open() { # wait until a port of this machine is open, as long as the last background process runs
  until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do kill -0 $! || return 1; done
}
"""
"""Changes are sent to the API server as dry runs. `tests/unit/docs` runs the commands `tenantry` and `make`."""
TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True)
class Line:
    """A printed line and its place."""

    document: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.number}"


def lines() -> list[Line]:
    """The lines of all documents that call kubectl, curl or the runbook's `promql`."""
    return [
        Line(document, number, text)
        for document in DOCUMENTS
        for number, text in printed_in_blocks(document)
        if PROGRAMS.search(text) and not text.strip().startswith(LEFT_OUT)
    ]


def filled(text: str, values: Mapping[str, str], ports: Mapping[str, int]) -> str:
    """A line with values for its placeholders, and with free ports of this machine for the printed ones."""
    for placeholder, value in values.items():
        text = re.sub(rf"(?<![\w-]){re.escape(placeholder)}(?![\w])", value, text)
    for printed, port in ports.items():
        text = text.replace(f"localhost:{printed}", f"localhost:{port}")
        text = re.sub(rf"(port-forward \S+) {printed}\b", rf"\1 {port}:{printed}", text)
        text = re.sub(rf"(port-forward \S+ {port}:.* &)$", rf"\1 until_open {port}", text)
    return text


def run(line: str, *, folder: Path, environment: Mapping[str, str], functions: str = "") -> str:
    """Run a line in bash; end what it left in the background.

    Args:
        line: The line, with its placeholders filled.
        folder: Where it runs; contains `dist/`.
        environment: Variables, as KUBECONFIG and T.
        functions: Functions that an earlier line of the document defines.

    Returns:
        An empty string, or the reason why the line failed.
    """
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(
            ["bash", "-c", f"{SHELL}\n{functions}\n{line}"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            code = process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with suppress(ProcessLookupError):  # nothing was left in the background
                os.killpg(process.pid, signal.SIGTERM)
        said.seek(0)
        errors = [each for each in said.read().splitlines() if not _WARNING.match(each)]
    if any(each in error for each in EXPECTED for error in errors):
        return ""
    no_match = code == 1 and _GREP.search(line) is not None and not errors
    refused = any(error.lower().startswith("error") for error in errors)  # in $(...) the exit code is lost
    return "" if (code == 0 and not refused) or no_match else f"exit code {code}: {' '.join(errors)[-400:]}"
