"""`tenantry init`: a first platform.yaml, with its schema beside it."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import typer

from tenantry.console import result
from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE

SCHEMA_NAME: Final = "platform.schema.json"


def init(
    file: Annotated[Path, typer.Option("--file", "-f", help="The file to write.")] = PLATFORM_FILE,
) -> None:
    """Write a commented first platform.yaml and its schema; a file that exists is never overwritten.

    Example: tenantry init --file fleet/platform.yaml
    """
    from constructs_lib.platform.schema import platform_schema_text

    if file.exists():
        raise InputError(f"--file {file}: exists already and was not changed; edit it, or name another file")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name(SCHEMA_NAME).write_text(platform_schema_text(), encoding="utf-8")
    template = resources.files("tenantry") / "template" / "platform.yaml"
    file.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    result(f"wrote {file} and {file.with_name(SCHEMA_NAME)}; next: edit it, then run `tenantry synth --file {file}`")
