"""The contract that a command compares with: a file, or what platform.yaml means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE

if TYPE_CHECKING:
    from audit import Contract

UNDECIDED = 3
"""The exit code where the input is not sufficient to decide."""
ContractOption = Annotated[
    Path | None,
    typer.Option("--contract", help=f"An IsolationContract. Default: what {PLATFORM_FILE} means.", show_default=False),
]


def contract_and_text(file: Path | None) -> "tuple[Contract, str]":
    """The contract and its text.

    Raises:
        InputError: No file is named, and there is no platform.yaml.
    """
    import yaml

    from audit.contract import load, loaded

    if file is not None:
        return load(file)
    if not PLATFORM_FILE.is_file():
        raise InputError(f"no contract: give --contract FILE, or run this where {PLATFORM_FILE} is")
    from constructs_lib.platform import Platform
    from tenantry.isolation import contract_of

    data = contract_of(Platform.load(PLATFORM_FILE))
    return loaded(data, str(PLATFORM_FILE)), yaml.safe_dump(data, sort_keys=False)
