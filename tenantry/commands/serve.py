"""`tenantry serve`: every tenant on this machine, until Ctrl-C."""

from pathlib import Path
from typing import Annotated, Final

import typer

from inference import contract
from tenantry.console import result, say
from tenantry.options import FIRST_PORT, MODEL, PLATFORM_FILE, FileOption, PortOption, TenantOption

WATCH_SECONDS: Final = 0.2


def serve(
    file: FileOption = PLATFORM_FILE,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help=f"Folder of the model to serve. Default: {MODEL}.")
    ] = None,
    port: PortOption = FIRST_PORT,
    tenant: TenantOption = None,
) -> None:
    """Serve every tenant of platform.yaml on this machine until Ctrl-C.

    Each tenant is a separate process with its own port, from 8001 upward, reachable from this machine only. Its output
    goes to build/log/TENANT.log. If one process ends by itself, all are stopped. With --model, and without a
    platform.yaml in this folder, that model alone is served.

    Example: tenantry serve --tenant tenant-a --port 9000
    """
    from tenantry.local.servers import require_model, serving
    from tenantry.platform_file import tenant_names
    from tenantry.processes import stop_requested

    alone = model is not None and file == PLATFORM_FILE and not file.exists() and not tenant
    names = (model.resolve().name,) if model is not None and alone else tenant_names(file, tenant or ())
    model = model or MODEL
    require_model(model)
    with stop_requested() as stop, serving(names, model=model, first_port=port, stop=stop) as servers:
        for server in servers:
            result(server.tenant, bold=True)
            result(f"  POST {server.url}{contract.PREDICT_PATH}")
            for name, url in server.pages():
                result(f"  {name:8}{url}")
        say("Ctrl-C stops them")
        while not stop.wait(WATCH_SECONDS):
            for server in servers:
                server.check()
    say("stopped")
