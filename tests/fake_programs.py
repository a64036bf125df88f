"""Programs that stand in for Docker, Terraform and kubectl: they answer as told and keep what they were asked."""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tenantry.cluster.components import COMPONENTS

_SCRIPT = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
asked = " ".join(sys.argv[1:])
with (folder / "asked").open("a") as log:
    log.write(pathlib.Path(sys.argv[0]).name + " " + asked + "\\n")
for key, answer in json.loads((folder / (pathlib.Path(sys.argv[0]).name + ".json")).read_text()).items():
    if key in asked:
        sys.stdout.write(answer.get("says", ""))
        sys.stderr.write(answer.get("complains", ""))
        sys.exit(answer.get("code", 0))
"""


def shown(resources: Sequence[str], outputs: Mapping[str, object] | None = None) -> str:
    """What `terraform show -json` prints for a state with these resources and outputs."""
    values = {
        "outputs": {name: {"value": value, "sensitive": False} for name, value in (outputs or {}).items()},
        "root_module": {"resources": [{"address": address, "mode": "managed"} for address in resources]},
    }
    return json.dumps({"format_version": "1.0", "values": values})


def evaluated(*enabled: str) -> str:
    """What `terraform console` prints for the components of terraform/platform, of which these are installed."""
    return f"a warning\n{json.dumps(json.dumps({name: name in enabled for name in COMPONENTS}))}\n"


class FakePrograms:
    """A PATH with nothing else on it.

    Attributes:
        folder: Where they are.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setenv("PATH", str(folder))

    def add(self, name: str, answers: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Put a program on PATH.

        Args:
            name: Its name.
            answers: What it does (`says`, `complains`, `code`) when its arguments contain the key; the first key that
                fits counts, and without one it is silent and succeeds.
        """
        (self.folder / f"{name}.json").write_text(json.dumps(answers or {}))
        script = self.folder / name
        script.write_text(_SCRIPT.format(python=sys.executable, folder=os.fspath(self.folder)))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    @property
    def asked(self) -> list[str]:
        """Every call so far: the program's name and its arguments."""
        log = self.folder / "asked"
        return log.read_text().splitlines() if log.exists() else []
