"""Where the monitoring stack's programs are found."""

import subprocess
import sys
from pathlib import Path

import pytest

from tenantry import programs
from tenantry.errors import CommandError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; nothing was unpacked either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "UNPACKED", tmp_path / "unpacked")
    return tmp_path


def program(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_path_comes_first(folder: Path) -> None:
    """What the user has wins over what was unpacked."""
    program(folder / "unpacked" / "promtool")
    there = program(folder / "promtool")
    assert programs.find("promtool") == there


def test_unpacked_serves_where_path_has_none(folder: Path) -> None:
    """What `make monitoring-tools` unpacked needs no PATH."""
    there = program(folder / "unpacked" / "promtool")
    assert programs.find("promtool") == there


def test_debians_name_is_known(folder: Path) -> None:
    """Debian calls alertmanager otherwise."""
    there = program(folder / "prometheus-alertmanager")
    assert programs.find("alertmanager") == there


def test_a_missing_program_says_how_to_get_it(folder: Path) -> None:
    """The message names the program and the target."""
    assert folder.is_dir()
    with pytest.raises(CommandError, match="amtool is not on PATH: `make monitoring-tools`"):
        programs.find("amtool")


def test_module_prints_where_a_program_is() -> None:
    """As tools/monitoring-tools asks it."""
    asked = [sys.executable, "-m", "tenantry.programs", "sh"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().endswith("/sh")
