"""`tenantry serve`: every tenant on this machine, until Ctrl-C."""

from typing import Final

from inference import contract
from tenantry.console import result, say
from tenantry.options import FIRST_PORT, MODEL, PLATFORM_FILE, FileOption, ModelOption, PortOption, TenantOption

WATCH_SECONDS: Final = 0.2


def serve(
    file: FileOption = PLATFORM_FILE,
    model: ModelOption = MODEL,
    port: PortOption = FIRST_PORT,
    tenant: TenantOption = None,
) -> None:
    """Serve every tenant of platform.yaml on this machine until Ctrl-C.

    Each tenant is a process of its own on a port of its own, 8001 and upward, reachable from this machine only.
    What a tenant prints goes to build/log/TENANT.log. When one of them ends by itself, all are stopped.

    Example: tenantry serve --tenant tenant-a --port 9000
    """
    from tenantry.local.servers import require_model, serving
    from tenantry.platform_file import tenant_names
    from tenantry.processes import stop_requested

    names = tenant_names(file, tenant or ())
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
