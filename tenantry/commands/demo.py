"""`tenantry demo`: from platform.yaml to an answered question, on this machine."""

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from inference import contract
from tenantry.console import result, say
from tenantry.options import (
    FIRST_PORT,
    MODEL,
    PLATFORM_FILE,
    FileOption,
    Format,
    FormatOption,
    ModelOption,
    PortOption,
)

if TYPE_CHECKING:
    from tenantry.local.servers import TenantServer

QUESTIONS: Final = (
    "You have won a free prize! Click here to claim your cash.",
    "The patch is attached, could you review it before Thursday?",
)
"""What every tenant is asked."""
_TENANTRY: Final = (sys.executable, "-m", "tenantry")


def demo(
    file: FileOption = PLATFORM_FILE,
    model: ModelOption = MODEL,
    port: PortOption = FIRST_PORT,
    output: FormatOption = Format.TEXT,
) -> None:
    """Write dist/, train if no model is there, serve every tenant here, ask each a question, stop.

    The same as `tenantry synth`, `tenantry train`, `tenantry serve` and a POST to /predict of each tenant.

    Example: tenantry demo --format json
    """
    from tenantry.local.servers import require_model, serving
    from tenantry.platform_file import tenant_names
    from tenantry.processes import run, stop_requested

    names = tenant_names(file)
    if model != MODEL:
        require_model(model)
    bodies = [json.dumps({"text": text}) for text in QUESTIONS]
    with stop_requested() as stop:
        run([*_TENANTRY, "synth", "--file", str(file)], stop=stop, doing="writing dist/")
        if not (model / "manifest.json").is_file():
            run([*_TENANTRY, "train", "--output", str(model)], stop=stop, doing="training the model")
        with serving(names, model=model, first_port=port, stop=stop) as servers:
            exchanges = {server: [(body, server.ask(body)) for body in bodies] for server in servers}
    if output is Format.JSON:
        result(json.dumps([_as_record(server, asked) for server, asked in exchanges.items()], indent=2))
        return
    for server, asked in exchanges.items():
        result(f"\n{server.tenant}", bold=True)
        for body, answer in asked:
            result(f"  POST {server.url}{contract.PREDICT_PATH} {body}")
            result(f"  {answer}")
        for name, url in server.pages():
            result(f"  {name:8}{url}")
    say("\nEach tenant answered and was stopped; `tenantry serve` leaves them running.")


def _as_record(server: "TenantServer", asked: "list[tuple[str, str]]") -> dict[str, Any]:
    return {
        "tenant": server.tenant,
        "url": server.url,
        "docs": f"{server.url}{contract.DOCS_PATH}",
        "metrics": f"{server.url}{contract.METRICS_PATH}",
        "exchanges": [{"request": json.loads(body), "answer": json.loads(answer)} for body, answer in asked],
    }
