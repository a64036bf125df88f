"""Where a Go program comes from: PATH, a test cluster's folder, or its own source, built once."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.paths import ROOT

SCRIPT = ROOT / "tools" / "go-program"
MODULE = "example.com/tool/cmd/tool@v1.2.3"
GO = """#!/bin/sh
echo "$*" >>"$GO_LOG"
printf '#!/bin/sh\\n' >"$GOBIN/tool" && chmod +x "$GOBIN/tool"
"""


def _program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return file


def _run(folder: Path, *path: Path, tools: Path | None = None) -> "subprocess.CompletedProcess[str]":
    basics = folder / "basics"  # what the script needs, and no Go that the machine may have
    basics.mkdir(exist_ok=True)
    for name in ("bash", "chmod", "dirname", "mkdir"):
        (basics / name).unlink(missing_ok=True)
        (basics / name).symlink_to(str(shutil.which(name)))
    environment = {
        "PATH": os.pathsep.join(map(str, [*path, basics])),
        "TENANTRY_CLUSTER_TOOLS": str(tools or ""),
        "GO_LOG": str(folder / "go.log"),
    }
    command = [str(SCRIPT), "tool", MODULE]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_one_on_path_is_taken(tmp_path: Path) -> None:
    found = _program(tmp_path / "bin", "tool").parent
    assert _run(tmp_path, found).stdout == f"{found}\n"


def test_one_of_a_test_cluster_is_taken(tmp_path: Path) -> None:
    assets = _program(tmp_path / "assets", "tool").parent
    tools = _program(tmp_path / "tools", "cluster", f"#!/bin/sh\necho {assets}\n").parent
    assert _run(tmp_path, tools=tools).stdout == f"{assets}\n"


def test_else_it_is_built_once(tmp_path: Path) -> None:
    go = _program(tmp_path / "go", "go", GO.replace("printf", 'mkdir -p "$GOBIN"; printf')).parent
    for _ in range(2):
        assert _run(tmp_path, go).stdout == f"{tmp_path}/build/tools/tool-v1.2.3\n"
    assert (tmp_path / "go.log").read_text() == f"install {MODULE}\n"


def test_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 1
    assert "tool is not on PATH, and Go, which would build" in done.stderr
