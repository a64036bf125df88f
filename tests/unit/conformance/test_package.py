"""The kit is a package of its own."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "conformance"


def test_it_depends_on_httpx_alone() -> None:
    """It could be given to somebody else as it is; pytest is for those who use the plugin."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.name)
    foreign = {name: files for name, files in found.items() if name not in sys.stdlib_module_names}
    assert foreign.pop("pytest") == {"pytest_plugin.py"}
    assert foreign.keys() == {"conformance", "httpx"}


def test_the_plugin_costs_little_where_it_is_not_used() -> None:
    """It is loaded in every project that has the package: httpx must wait until a server is named."""
    program = "import sys, conformance.pytest_plugin; print('httpx' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
