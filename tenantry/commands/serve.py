"""`tenantry serve`: every tenant on this machine, until Ctrl-C."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from inference import contract
from tenantry.console import result, say
from tenantry.errors import InputError

if TYPE_CHECKING:
    from tenantry.local.servers import Server

PLATFORM_FILE: Final = Path("platform.yaml")
MODEL: Final = Path("build/models/spam")
"""Where `tenantry train` puts the demo's model."""
WATCH_SECONDS: Final = 0.2

FileOption = Annotated[Path, typer.Option("--file", "-f", help="The file that lists the tenants.")]
ModelOption = Annotated[Path, typer.Option("--model", "-m", help="Folder of the model that each tenant serves.")]
PortOption = Annotated[int, typer.Option("--port", "-p", min=1, max=65535, help="First port; one taken is left out.")]
TenantOption = Annotated[list[str] | None, typer.Option("--tenant", "-t", help="Only this tenant; may be repeated.")]


def serve(
    file: FileOption = PLATFORM_FILE,
    model: ModelOption = MODEL,
    port: PortOption = 8001,
    tenant: TenantOption = None,
) -> None:
    """Serve every tenant of platform.yaml on this machine until Ctrl-C.

    Each tenant is a process of its own on a port of its own, 8001 and upward, reachable from this machine only.
    What a tenant prints goes to build/log/TENANT.log. When one of them ends by itself, all are stopped.

    Example: tenantry serve --tenant tenant-a --port 9000
    """
    from tenantry.local.servers import serving
    from tenantry.processes import stop_requested

    names = chosen(file, tenant or ())
    require_model(model)
    with stop_requested() as stop, serving(names, model=model, first_port=port, stop=stop) as servers:
        for server in servers:
            result(server.tenant, bold=True)
            result(f"  POST {server.url}{contract.PREDICT_PATH}")
            describe(server)
        say("Ctrl-C stops them")
        while not stop.wait(WATCH_SECONDS):
            for server in servers:
                server.check()
    say("stopped")


def describe(server: "Server") -> None:
    """Print where a person looks at a tenant."""
    for name, path in (("page", contract.ROOT_PATH), ("docs", contract.DOCS_PATH), ("metrics", contract.METRICS_PATH)):
        result(f"  {name:8}{server.url}{path}")


def chosen(file: Path, only: Sequence[str]) -> tuple[str, ...]:
    """Names of the file's tenants, all or `only` those.

    Raises:
        InputError: `only` names one that the file does not have.
    """
    from constructs_lib.platform import Platform

    names = tuple(tenant.name for tenant in Platform.load(file).tenants)
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise InputError(f"--tenant {unknown[0]}: {file} has no such tenant; it has {', '.join(names)}")
    return tuple(name for name in names if name in only or not only)


def require_model(folder: Path) -> None:
    """Raise InputError unless there is a model artifact in the folder."""
    if not (folder / "manifest.json").is_file():
        raise InputError(
            f"--model {folder}: no model there (no manifest.json); make one with: tenantry train --output {folder}"
        )
