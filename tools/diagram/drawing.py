"""The picture: the outside, the cluster, its namespaces, the legend."""

import hashlib
from io import BytesIO
from itertools import pairwise

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tools.diagram.facts import Architecture, DrawnTenant
from tools.diagram.layout import (
    ALERTMANAGER,
    CLUSTER,
    CONSOLE,
    DNS,
    GITHUB,
    GRAFANA,
    HEIGHT,
    HUB,
    INTERNET,
    LEGEND,
    METRICS,
    MONITORING,
    PROMETHEUS,
    STORE,
    STORE_API,
    TENANTS,
    WIDTH,
    WORKSTATION,
    bucket,
    deployment,
    monitor,
    scaler,
    service,
)
from tools.diagram.lines import draw_lines, spaced
from tools.diagram.shapes import BLUE, FAINT, GREEN, GREY, ORANGE, RED, WHITE, Area, Canvas


def svg_and_png(architecture: Architecture) -> tuple[bytes, bytes]:
    """Draw the picture, as SVG (the same bytes every time) and as PNG."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tenantry", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), facecolor=WHITE)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(HEIGHT, 0)
        axes.set_axis_off()
        _draw(Canvas(axes), architecture)
        svg, png = BytesIO(), BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Title": "Tenantry's architecture"})
        fonts = b"'DejaVu Sans', Verdana, Arial, sans-serif"
        vector = svg.getvalue().replace(b"'DejaVu Sans'", fonts)
        # So that a picture that was not drawn anew gives itself away.
        source = {"Source": f"sha256:{hashlib.sha256(vector).hexdigest()}"}
        figure.savefig(png, format="png", dpi=125, metadata=source)
    return vector, png.getvalue()


def _draw(canvas: Canvas, architecture: Architecture) -> None:
    _outside(canvas, architecture)
    _cluster(canvas, architecture)
    _monitoring(canvas, architecture)
    _store(canvas, architecture)
    for tenant, area in zip(architecture.tenants, TENANTS, strict=False):
        _tenant(canvas, tenant, area)
    draw_lines(canvas, architecture)
    _legend(canvas)


def _outside(canvas: Canvas, architecture: Architecture) -> None:
    canvas.text(30, 34, "Tenantry", size=21, weight="bold")
    canvas.text(32, 62, "drawn from dist/ and terraform/ by make diagram", size=9, color=FAINT)
    canvas.cloud(GITHUB, GREY)
    canvas.text(GITHUB.center[0], 158, "GitHub Actions", size=12, weight="bold", ha="center")
    canvas.text(GITHUB.center[0], 180, "on a push to main", size=8.5, color=FAINT, ha="center")
    boxes = [Area(x=GITHUB.x + 62 + 72 * index, y=202, width=58, height=34) for index in range(3)]
    for step, area in zip(("build", "scan", "push"), boxes, strict=True):
        canvas.labelled(area, GREY, step, size=8.5)
    for before, after in pairwise(boxes):
        canvas.line((before.right, before.center[1]), (after.x, after.center[1]), ink=GREY)
    canvas.cloud(HUB, GREY)
    canvas.stack(HUB, "Docker Hub", [architecture.image], 9.5)
    canvas.labelled(
        WORKSTATION,
        GREY,
        "A developer's workstation",
        "platform.yaml  →  make synth  →  dist/",
        "make up: Terraform makes the cluster,",
        "applies dist/ and publishes the models",
        "kubectl port-forward, POST /predict",
        fill=GREY.fill,
        size=9.5,
    )
    canvas.cloud(INTERNET, GREY)
    canvas.stack(INTERNET, "The internet", ["public addresses, 443"], 9)
    push = boxes[-1].center[0]
    canvas.line((push, boxes[-1].bottom), (push, HUB.y + 14), ink=GREY)
    canvas.label(push, 345, "by commit, latest", GREY)
    canvas.line((66, WORKSTATION.y), (66, 272), ink=GREY)
    canvas.label(66, 560, "git push", GREY)
    canvas.line((HUB.right + 4, HUB.center[1]), (CLUSTER.x, HUB.center[1]), ink=GREY)
    canvas.label(390, HUB.center[1] - 15, "pull", GREY)


def _cluster(canvas: Canvas, architecture: Architecture) -> None:
    canvas.box(CLUSTER, BLUE, line=2)
    canvas.text(CLUSTER.x + 20, CLUSTER.y + 27, "Kubernetes cluster", size=13, weight="bold", color=BLUE.line)
    nodes = f"made by Terraform (Kind: 1 control plane, {architecture.workers} workers)"
    canvas.text(CLUSTER.x + 232, CLUSTER.y + 28, nodes, size=9, color=BLUE.line)
    canvas.line((WORKSTATION.right, 775), (CLUSTER.x, 775), ink=BLUE, dashed=True)
    canvas.label(382, 760, "apply", BLUE)
    for area, namespace, name, line in (
        (
            METRICS,
            architecture.metrics_namespace,
            "Metrics Server",
            f"CPU, memory: every {spaced(architecture.metrics_interval)}",
        ),
        (DNS, architecture.dns_namespace, "DNS", "names of Services"),
    ):
        canvas.box(area, BLUE, fill="#dfeafb")
        canvas.text(area.x + 14, area.y + 20, f"namespace {namespace}", size=9, weight="bold", color=BLUE.line)
        canvas.labelled(Area(x=area.x + 18, y=area.y + 42, width=area.width - 36, height=62), BLUE, name, line)


def _monitoring(canvas: Canvas, architecture: Architecture) -> None:
    canvas.box(MONITORING, GREEN, line=1.8)
    canvas.text(
        MONITORING.x + 16,
        MONITORING.y + 22,
        f"namespace {architecture.monitoring}",
        size=10.5,
        weight="bold",
        color=GREEN.line,
    )
    canvas.text(MONITORING.x + 210, MONITORING.y + 23, "kube-prometheus-stack, by Helm", size=8.5, color=GREEN.line)
    canvas.cylinder(PROMETHEUS, GREEN, "Prometheus", "scrapes, stores,", "evaluates alerts")
    canvas.labelled(ALERTMANAGER, GREEN, "Alertmanager", "notifies, silences")
    canvas.labelled(
        GRAFANA,
        GREEN,
        "Grafana",
        f"one dashboard, {architecture.panels} panels",
        f"NodePort {architecture.grafana_port}",
    )
    middle = ALERTMANAGER.center[1] + 10
    canvas.line((PROMETHEUS.right, middle), (ALERTMANAGER.x, middle), ink=GREEN)
    canvas.line((GRAFANA.x, GRAFANA.center[1]), (PROMETHEUS.right, GRAFANA.center[1]), ink=GREEN)


def _tenant(canvas: Canvas, tenant: DrawnTenant, area: Area) -> None:
    canvas.box(
        Area(x=area.x - 9, y=area.y - 9, width=area.width + 18, height=area.height + 18),
        RED,
        fill="none",
        dashed=True,
        line=2.2,
    )
    canvas.box(area, ORANGE, line=1.8)
    canvas.text(area.x + 48, area.y + 22, f"namespace {tenant.name}", size=10.5, weight="bold", color=ORANGE.line)
    canvas.label(area.x + 122, area.bottom + 10, tenant.isolation, RED, size=8.5, paper=BLUE.fill)
    canvas.labelled(monitor(area), GREEN, "ServiceMonitor", f"{tenant.alerts} alert rules")
    low, high = tenant.pods
    canvas.labelled(scaler(area), ORANGE, f"HPA: {low} to {high} pods", f"target {tenant.cpu_percent} % CPU")
    canvas.labelled(service(area), ORANGE, "Service", tenant.service, f"ClusterIP, port {tenant.port}", size=8.5)
    box = deployment(area)
    canvas.box(box, ORANGE, fill=WHITE)
    canvas.text(box.center[0], box.y + 17, "Pods: FastAPI, model in memory", size=8.8, weight="bold", ha="center")
    for index in range(high):
        across, down = index % 5, index // 5
        pod = Area(x=box.x + 16 + across * 44, y=box.y + 32 + down * 27, width=36, height=20)
        canvas.box(pod, ORANGE, fill=ORANGE.fill if index < low else WHITE, dashed=index >= low, line=1.1)
    cpu, memory = tenant.limits
    canvas.text(box.center[0], box.bottom - 33, f"at most {cpu} CPU, {memory} a pod", size=8, color=FAINT, ha="center")
    canvas.text(box.center[0], box.bottom - 16, tenant.container, size=7.4, color=FAINT, ha="center")
    canvas.line((service(area).right, service(area).center[1]), (box.x, service(area).center[1]), ink=ORANGE)
    canvas.line((scaler(area).center[0], scaler(area).bottom), (scaler(area).center[0], box.y), ink=ORANGE, dashed=True)
    account = Area(x=area.x + 18, y=area.y + 284, width=214, height=58)
    canvas.labelled(account, ORANGE, "ServiceAccount, Role", f"{tenant.rights}: in this namespace alone", size=8.5)
    secret = Area(x=area.x + 258, y=area.y + 284, width=214, height=58)
    canvas.labelled(secret, ORANGE, f"Secret {tenant.secret}", "reads its own models alone", size=8.5)


def _store(canvas: Canvas, architecture: Architecture) -> None:
    canvas.box(STORE, BLUE, fill="#dfeafb", line=1.8)
    canvas.text(
        STORE.x + 255,
        STORE.y + 22,
        f"namespace {architecture.store_namespace}",
        size=10.5,
        weight="bold",
        color=BLUE.line,
    )
    canvas.text(STORE.x + 403, STORE.y + 23, "MinIO, S3-compatible, by Terraform", size=8.5, color=BLUE.line)
    canvas.labelled(STORE_API, BLUE, architecture.store_service, f"S3 API, port {architecture.store_port}")
    canvas.labelled(CONSOLE, BLUE, architecture.console_service, f"console, port {architecture.console_port}")
    for index, (name, right) in enumerate(architecture.buckets):
        canvas.cylinder(bucket(index), BLUE, name, right)
    canvas.line((STORE_API.right, STORE_API.center[1]), (bucket(0).x, STORE_API.center[1]), ink=BLUE)


def _legend(canvas: Canvas) -> None:
    canvas.box(LEGEND, GREY, fill=WHITE, line=1)
    x, y = LEGEND.x + 18, LEGEND.y + 26
    for number, (ink, name) in enumerate(
        (
            (BLUE, "Kubernetes"),
            (GREEN, "monitoring"),
            (ORANGE, "inference"),
            (GREY, "outside"),
            (RED, "security boundary"),
        )
    ):
        top = y + number * 26
        canvas.box(Area(x=x, y=top - 8, width=30, height=16), ink, dashed=ink is RED)
        canvas.text(x + 44, top, name, size=9)
    canvas.line((x + 150, y), (x + 195, y), ink=GREY)
    canvas.text(x + 205, y, "traffic", size=9)
    canvas.line((x + 150, y + 26), (x + 195, y + 26), ink=GREY, dashed=True)
    canvas.text(x + 205, y + 26, "logical", size=9)
    canvas.line((x + 150, y + 70), (x + 195, y + 70), ink=RED, dashed=True)
    canvas.cross(x + 172, y + 70)
    canvas.text(x + 205, y + 70, "blocked", size=9)
    canvas.cylinder(Area(x=x, y=y + 140, width=34, height=40), GREY, "")
    canvas.text(x + 44, y + 160, "store", size=9)
    canvas.box(Area(x=x + 120, y=y + 145, width=34, height=26), GREY)
    canvas.text(x + 164, y + 151, "namespace, pod,", size=9)
    canvas.text(x + 164, y + 167, "service", size=9)
    canvas.cloud(Area(x=x - 4, y=y + 190, width=52, height=34), GREY)
    canvas.text(x + 56, y + 208, "outside", size=9)
