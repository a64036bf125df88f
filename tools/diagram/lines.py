"""The lines of the picture: traffic, and crosses where policies deny it."""

from tools.diagram.facts import Architecture, DrawnTenant
from tools.diagram.layout import (
    CONSOLE,
    DNS,
    INTERNET,
    METRICS,
    PROMETHEUS,
    STORE_API,
    TENANTS,
    WORKSTATION,
    deployment,
    monitor,
    scaler,
    service,
)
from tools.diagram.shapes import BLUE, GREEN, ORANGE, RED, Area, Canvas

BOUNDARY = 9
"""Distance of the security boundary from the namespace."""


def draw_lines(canvas: Canvas, architecture: Architecture) -> None:
    """Draw the lines of each tenant and the boundaries between tenants."""
    for number, (tenant, area) in enumerate(zip(architecture.tenants, TENANTS, strict=False)):
        for draw in (_request, _monitoring, _scaling, _names, _models, _world):
            draw(canvas, architecture, tenant, area, first=number == 0)
    _walls(canvas, architecture)


def spaced(duration: str) -> str:
    """`30s` as a person writes it."""
    return f"{duration[:-1]} {duration[-1]}"


def _request(canvas: Canvas, _: Architecture, __: DrawnTenant, area: Area, *, first: bool) -> None:
    """From the workstation through the API server, to which the policies of pods do not apply."""
    entry = service(area)
    middle = entry.center[1]
    if first:
        canvas.line((WORKSTATION.right, middle), (entry.x, middle), ink=ORANGE)
        canvas.label(387, middle - 15, "port-forward", ORANGE, size=7.5)
        return
    start, under, left = WORKSTATION.bottom - 18, TENANTS[0].bottom + 26, entry.x - 73
    points = ((WORKSTATION.right, start), (383, start), (383, under), (left, under), (left, middle), (entry.x, middle))
    canvas.line(*points, ink=ORANGE)


def _monitoring(canvas: Canvas, architecture: Architecture, tenant: DrawnTenant, area: Area, *, first: bool) -> None:
    pods, found = deployment(area), monitor(area)
    x, bottom = pods.x + 22, PROMETHEUS.bottom - 5
    if ("prometheus", tenant.name) in architecture.open:
        if first:
            canvas.line((x, bottom), (x, pods.y), ink=GREEN)
            said = f"GET {tenant.metrics_path}, every {spaced(tenant.metrics_interval)}"
            canvas.label(x, 462, said, GREEN, paper=BLUE.fill)
        else:
            canvas.line((765, bottom), (765, 415), (x, 415), (x, pods.y), ink=GREEN)
    top = (found.x + 14, found.y)
    if first:
        canvas.line(top, (top[0], 255), (PROMETHEUS.x, 255), ink=GREEN, dashed=True)
        canvas.label(top[0], 430, "discovers", GREEN, paper=BLUE.fill)
    else:
        points = (top, (top[0], 488), (570, 488), (570, 285), (PROMETHEUS.x, 285))
        canvas.line(*points, ink=GREEN, dashed=True)


def _scaling(canvas: Canvas, _: Architecture, __: DrawnTenant, area: Area, *, first: bool) -> None:
    x, trunk = scaler(area).center[0], METRICS.center[0] + 60
    canvas.line((trunk, METRICS.bottom), (trunk, 440), (x, 440), (x, scaler(area).y), ink=BLUE, dashed=True)
    if first:
        canvas.label(trunk, 345, "figures", BLUE, paper=BLUE.fill)


def _names(canvas: Canvas, architecture: Architecture, tenant: DrawnTenant, area: Area, *, first: bool) -> None:
    if (tenant.name, "dns") not in architecture.open:
        return
    top = area.y - BOUNDARY
    if first:
        x, entry = area.right - 12, DNS.x + 60
        canvas.line((x, top), (x, 466), (entry, 466), (entry, DNS.bottom), ink=ORANGE)
    else:
        x = DNS.right - 45
        canvas.line((x, top), (x, DNS.bottom), ink=ORANGE)
        canvas.label(x, 345, "lookups", ORANGE, paper=BLUE.fill)


def _models(canvas: Canvas, architecture: Architecture, tenant: DrawnTenant, area: Area, *, first: bool) -> None:
    if (tenant.name, "store") not in architecture.open:
        return
    start = area.x + 245, deployment(area).bottom
    if first:
        canvas.line(start, (start[0], STORE_API.y), ink=ORANGE)
        return
    entry = STORE_API.right - 25
    canvas.line(start, (start[0], 941), (entry, 941), (entry, STORE_API.y), ink=ORANGE)
    canvas.label(1000, 941, "loads its model", ORANGE, paper=BLUE.fill)


def _world(canvas: Canvas, architecture: Architecture, tenant: DrawnTenant, area: Area, *, first: bool) -> None:
    if (tenant.name, "world") not in architecture.open:
        return
    if first:
        x, bottom, right = area.right - 30, area.bottom, 1578
        points = ((x, bottom + BOUNDARY), (x, bottom + 43), (right, bottom + 43), (right, 735), (INTERNET.x + 3, 735))
        canvas.line(*points, ink=ORANGE)
    else:
        canvas.line((area.right + BOUNDARY, 700), (INTERNET.x - 8, 700), ink=ORANGE)


def _walls(canvas: Canvas, architecture: Architecture) -> None:
    """Between tenants, and to the console: crossed out if policies deny it, a red line if they do not."""
    names = [tenant.name for tenant in architecture.tenants[: len(TENANTS)]]
    if len(names) > 1:
        left, right = TENANTS[0].right + BOUNDARY, TENANTS[1].x - BOUNDARY
        canvas.line((left, 590), (right, 590), ink=RED, dashed=True, both=True, width=2)
        if not {(names[0], names[1]), (names[1], names[0])} & architecture.open:
            canvas.cross((left + right) / 2, 590)
            canvas.label((left + right) / 2, 622, "blocked", RED, paper=BLUE.fill)
    x = CONSOLE.right - 40
    canvas.line((x, TENANTS[-1].bottom + BOUNDARY), (x, CONSOLE.y), ink=RED, dashed=True, width=2)
    if not any((name, "console") in architecture.open for name in names):
        canvas.cross(x, 993)
