"""The same picture as text that GitHub and many editors draw themselves."""

from collections.abc import Iterator

from tenantry.diagram.facts import Architecture, Tenant
from tenantry.diagram.shapes import BLUE, GREEN, GREY, ORANGE, RED


def mermaid(architecture: Architecture) -> str:
    """A Mermaid flow chart: cylinders for stores, dashed lines without traffic, a cross where traffic is blocked."""
    return "\n".join(_lines(architecture)) + "\n"


def _lines(architecture: Architecture) -> Iterator[str]:
    yield "%% Written by make diagram from dist/ and terraform/; not to be edited."
    yield "flowchart TB"
    yield '  github("GitHub Actions<br>build, scan, push")'
    yield f'  hub("Docker Hub<br>{architecture.image}")'
    yield '  developer["A developer\'s workstation<br>make synth, make up, POST /predict"]'
    yield '  world("The internet<br>public addresses, 443")'
    yield f'  subgraph cluster["Kubernetes cluster: 1 control plane, {architecture.workers} workers"]'
    yield f'    subgraph monitoring["namespace {architecture.monitoring}"]'
    yield '      prometheus[("Prometheus")]'
    yield '      alertmanager["Alertmanager"]'
    yield f'      grafana["Grafana<br>{architecture.panels} panels, NodePort {architecture.grafana_port}"]'
    yield "    end"
    yield f'    subgraph metrics["namespace {architecture.metrics_namespace}"]'
    yield f'      metricsserver["Metrics Server<br>every {architecture.metrics_interval}"]'
    yield "    end"
    yield f'    subgraph system["namespace {architecture.dns_namespace}"]'
    yield '      dns["DNS"]'
    yield "    end"
    for number, tenant in enumerate(architecture.tenants):
        yield from _tenant(tenant, number)
    yield f'    subgraph store["namespace {architecture.store_namespace}"]'
    yield f'      api["{architecture.store_service}<br>port {architecture.store_port}"]'
    yield f'      console["{architecture.console_service}<br>port {architecture.console_port}"]'
    for name, right in architecture.buckets:
        yield f'      bucket-{name}[("{name}<br>{right}")]'
    yield "    end"
    yield "  end"
    yield "  developer -->|git push| github -->|by commit, latest| hub -->|pull| cluster"
    yield "  developer -.->|apply| cluster"
    yield "  prometheus -->|alerts| alertmanager"
    yield "  grafana -->|queries| prometheus"
    yield from (f"  api --> bucket-{name}" for name, _ in architecture.buckets)
    for number, tenant in enumerate(architecture.tenants):
        yield from _traffic(architecture, tenant, number)
    yield from _styles(architecture)


def _tenant(tenant: Tenant, number: int) -> Iterator[str]:
    low, high = tenant.pods
    cpu, memory = tenant.limits
    yield f'    subgraph tenant{number}["namespace {tenant.name}<br>{tenant.walls}"]'
    yield f'      service{number}["Service<br>{tenant.service}:{tenant.port}"]'
    yield f'      pods{number}["Pods: FastAPI, model in memory<br>{cpu} CPU, {memory}; {tenant.container}"]'
    yield f'      hpa{number}["HPA: {low} to {high} pods<br>{tenant.cpu_percent} % CPU"]'
    yield f'      monitor{number}["ServiceMonitor<br>{tenant.alerts} alert rules"]'
    yield f'      account{number}["ServiceAccount, Role<br>{tenant.rights}"]'
    yield f'      secret{number}["Secret {tenant.secret}"]'
    yield "    end"


def _traffic(architecture: Architecture, tenant: Tenant, number: int) -> Iterator[str]:
    pods = f"pods{number}"
    yield f"  developer -->|port-forward| service{number} --> {pods}"
    yield f"  hpa{number} -.->|scales| {pods}"
    yield f"  metricsserver -.->|figures| hpa{number}"
    yield f"  monitor{number} -.->|discovers| prometheus"
    scrape = f"GET {tenant.metrics_path}, every {tenant.metrics_interval}"
    yield _line(architecture, ("prometheus", tenant.name), f"prometheus -->|{scrape}| {pods}", f"prometheus --x {pods}")
    yield _line(architecture, ("other", tenant.name), f"grafana --> {pods}", f"grafana --x|blocked| {pods}")
    for to, node in (("store", "api"), ("dns", "dns"), ("world", "world"), ("console", "console")):
        yield _line(architecture, (tenant.name, to), f"{pods} --> {node}", f"{pods} --x|blocked| {node}")
    for other, neighbour in enumerate(architecture.tenants):
        if other != number:
            target = f"pods{other}"
            between = (tenant.name, neighbour.name)
            yield _line(architecture, between, f"{pods} --> {target}", f"{pods} --x|blocked| {target}")


def _line(architecture: Architecture, pair: tuple[str, str], open_line: str, blocked: str) -> str:
    return f"  {open_line if pair in architecture.open else blocked}"


def _styles(architecture: Architecture) -> Iterator[str]:
    numbers = range(len(architecture.tenants))
    parts = ("service", "pods", "hpa", "account", "secret")
    inference = ",".join(f"{part}{number}" for number in numbers for part in parts)
    green = ",".join(
        ["monitoring", "prometheus", "alertmanager", "grafana", *(f"monitor{number}" for number in numbers)]
    )
    buckets = ",".join(f"bucket-{name}" for name, _ in architecture.buckets)
    for name, ink, nodes in (
        ("blue", BLUE, f"cluster,metrics,metricsserver,system,dns,store,api,console,{buckets}"),
        ("green", GREEN, green),
        ("orange", ORANGE, inference),
        ("grey", GREY, "github,hub,developer,world"),
    ):
        yield f"  classDef {name} stroke:{ink.line},fill:{ink.fill},color:#1c2430"
        yield f"  class {nodes} {name}"
    wall = f"stroke:{RED.line},fill:{ORANGE.fill},stroke-width:2px,stroke-dasharray:6 4"
    yield f"  classDef boundary {wall},color:#1c2430"
    yield f"  class {','.join(f'tenant{number}' for number in numbers)} boundary"
