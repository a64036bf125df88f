"""The contract that a command compares with: a file, or what platform.yaml means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.audit.options import Given
from tenantry.console import say
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


def contract_and_text(file: Path | None, given: Given) -> "tuple[Contract, str]":
    """The contract and its text.

    Args:
        file: The contract; None for the contract of platform.yaml. If it lists clusters, only the tenants of the
            cluster that `given` names, or whose folder contains all files of `given`, count; otherwise all do.
        given: What is compared with the contract.

    Raises:
        InputError: No file is named, and there is no platform.yaml; or it does not list the cluster.
    """
    import yaml

    from audit.contract import load, loaded

    if file is not None:
        if given.cluster is not None:
            raise InputError(f"--cluster is for {PLATFORM_FILE}: leave it out, or leave --contract out")
        return load(file)
    if not PLATFORM_FILE.is_file():
        raise InputError(f"no contract: give --contract FILE, or run this where {PLATFORM_FILE} is")
    from constructs_lib.platform import Platform
    from tenantry.clusters import cluster_of, part_of
    from tenantry.isolation import contract_of

    platform = Platform.load(PLATFORM_FILE)
    considered = given.cluster or cluster_of(given.files, platform.clusters)
    if platform.clusters and not considered:
        listed = ", ".join(platform.clusters)
        say(f"the tenants of all clusters ({listed}) are considered; --cluster NAME selects one")
    data = contract_of(part_of(platform, considered))
    return loaded(data, str(PLATFORM_FILE)), yaml.safe_dump(data, sort_keys=False)
