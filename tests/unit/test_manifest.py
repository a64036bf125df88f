"""The sdist contains what a wheel is built from; `make wheel-test` builds both."""

import ast

from tests.paths import ROOT


def test_the_sdist_has_every_file_that_setup_puts_into_the_wheel() -> None:
    """The files that setup.py copies, apart from setup.py itself, which setuptools adds."""
    values: dict[str, tuple[str, ...]] = {}
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"LOCKS", "IMAGE", "SHIPPED"}:
            exec(compile(ast.Module([node], []), "setup.py", "exec"), values)  # noqa: S102 - our own constants
    lines = (ROOT / "MANIFEST.in").read_text().splitlines()
    included = {name for line in lines if line.startswith("include ") for name in line.split()[1:]}
    assert included == {*values["IMAGE"], *values["SHIPPED"]} - {"setup.py"}
    assert all((ROOT / name).is_file() for name in included)
