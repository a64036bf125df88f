"""The page of `tenantry monitor`: the dashboard's panels, drawn in the browser from a local Prometheus."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from constructs_lib.monitoring.panels import PANELS
from tenantry.local.alerts import alerts
from tenantry.local.panel_data import lines
from tenantry.local.servers import HOST
from tenantry.local.stack import Stack

PAGE: Final = Path(__file__).with_suffix(".html")
WINDOW_SECONDS: Final = 900
LEAD_SECONDS: Final = 60
"""How much of the time before its start the page shows."""
STEP_SECONDS: Final = 5
RATE_INTERVAL: Final = "30s"
_POLL_SECONDS: Final = 0.1


@contextmanager
def serving_page(stack: Stack, tenants: Sequence[str]) -> Iterator[str]:
    """Serve the page on a free port of the loopback until the block ends; yields its address."""
    began = time.time()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer("text/html; charset=utf-8", PAGE.read_bytes())
            elif self.path == "/panels.json":
                self._answer("application/json", json.dumps(panels(stack, tenants, began)).encode())
            else:
                self.send_error(404)

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            del format, arguments  # the page polls; a line per request would flood the terminal

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def panels(stack: Stack, tenants: Sequence[str], began: float) -> dict[str, Any]:
    """Panels with their series since `began` (at most the last 15 minutes), and pending and firing alerts."""
    end = time.time()
    start = max(began - LEAD_SECONDS, end - WINDOW_SECONDS)
    shown = [
        {
            "title": panel.title,
            "description": panel.description,
            "unit": panel.unit,
            "lines": [
                asdict(line)
                for line in lines(
                    stack, panel, tenants, start=start, end=end, step=STEP_SECONDS, rate_interval=RATE_INTERVAL
                )
            ],
        }
        for panel in PANELS
    ]
    active = [asdict(each) for each in alerts(stack) if each.state in {"pending", "firing"}]
    return {"start": start, "end": end, "panels": shown, "alerts": active}
