"""The real gateway of the suite: a Gateway that Envoy Gateway runs, and requests through it.

Without Envoy Gateway in the cluster the tests that need it do not run; `make e2e-gateway` installs it.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from constructs_lib.names import TENANT_LABEL
from tests.e2e import pods
from tests.e2e.access import DOMAIN, GATEWAY, GATEWAY_LABELS, GATEWAY_NAMESPACE, PROXY_NAMESPACE, host_name
from tests.e2e.cluster import LiveCluster, condition, workload
from tests.e2e.deployment import run
from tests.e2e.requirements import OTHER_NAMESPACE

CLASS: Final = "tenantry-e2e"
CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
DEPLOYMENT: Final = "envoy-gateway"
"""Of the controller, as the chart names it."""
EXTENSIONS: Final = "gateway.envoyproxy.io"
API: Final = "gateway.networking.k8s.io"
HTTP, HTTPS = 80, 443
IDLE_SECONDS: Final = 60
"""The proxies close an idle connection before the service does."""
Object = dict[str, Any]
_PROXIES: Final = ",".join(
    f"{key}={value}" for key, value in {**GATEWAY_LABELS, "app.kubernetes.io/component": "proxy"}.items()
)
"""Selects the proxies, and not the probe pod with the same labels."""


@dataclass(frozen=True)
class Answer:
    """What a client outside the cluster gets.

    Attributes:
        status: the HTTP status; 0 without an answer.
        kind: the media type; empty without a body.
        text: the first characters of the body, or the reason why there is no answer.
    """

    status: int
    kind: str
    text: str


@dataclass
class RealGateway:
    """A Gateway with its proxies.

    Attributes:
        address: address of the Gateway.
        authority: certificate that clients trust, as PEM.
    """

    cluster: LiveCluster
    address: str = ""
    authority: str = ""

    def why_not(self) -> str:
        """Why the tests of the gateway cannot run in this cluster; empty if they can."""
        if self.cluster.kubectl.serves(API) and self.cluster.exists("deployment", DEPLOYMENT, "-n", PROXY_NAMESPACE):
            return ""
        return f"Envoy Gateway does not run in {PROXY_NAMESPACE}: `make e2e-gateway` installs it"

    def start(self, tenants: Sequence[str]) -> None:
        """Create the Gateway, and wait until it has the routes of the tenants."""
        found = self.cluster.kubectl.try_run(
            "get", "secret", GATEWAY, "-n", GATEWAY_NAMESPACE, "-o", "jsonpath={.data.tls\\.crt}"
        )
        if found.returncode:
            self.authority, key = _certificate()
            self.cluster.apply(*_base(self.authority, key))
        else:
            self.authority = base64.b64decode(found.stdout).decode()
        self.cluster.apply(*objects())
        self.cluster.wait("the Gateway", self._not_programmed, seconds=180)
        self.address = self._status()["addresses"][0]["value"]
        self.cluster.wait("the routes", lambda: "; ".join(self._unrouted(tenants)), seconds=60)
        self.wait_for_proxies(tenants)

    def restart(self, tenants: Sequence[str]) -> None:
        """Replace the proxies. A policy engine may leave connections open that a changed policy does not allow."""
        self.cluster.delete("pods", "-n", PROXY_NAMESPACE, "-l", _PROXIES, "--grace-period=1")
        self.cluster.wait("the Gateway", self._not_programmed, seconds=180)
        self.wait_for_proxies(tenants)

    def stop(self) -> None:
        """Delete the Gateway with its proxies."""
        self.cluster.delete("namespace", GATEWAY_NAMESPACE)
        self.cluster.delete(f"gatewayclasses.{API}", CLASS)

    def ask(self, *requests: Mapping[str, Any], port: int = HTTPS) -> list[Answer]:
        """Send requests from a pod without policies, each on a connection of its own; TLS on port 443.

        Args:
            requests: of each `host` and `path`; `method`, `headers` and `body` if they differ from a plain GET.
            port: port of the Gateway.
        """
        place = {"address": self.address, "port": port, "authority": self.authority if port == HTTPS else ""}
        found = self.cluster.python(OTHER_NAMESPACE, "outside", "call", place, list(requests))
        return [Answer(**each) for each in found]

    def wait_for_proxies(self, tenants: Sequence[str]) -> None:
        """Wait until the proxies know every tenant's host name. 404 is their answer before they do."""
        asked = [{"host": host_name(tenant), "path": "/model"} for tenant in tenants]

        def reason() -> str:
            statuses = [each.status for each in self.ask(*asked)]
            return "" if not {0, 404} & set(statuses) else f"its answers are {statuses}"

        self.cluster.wait("the proxies", reason, seconds=60)

    def logs(self) -> str:
        """The access logs of the proxies."""
        return self.cluster.kubectl.run("logs", "-n", PROXY_NAMESPACE, "-l", _PROXIES, "-c", "envoy", "--tail=-1")

    def _status(self) -> Object:
        status: Object = self.cluster.kubectl.get(f"gateways.{API}", GATEWAY, "-n", GATEWAY_NAMESPACE)["status"]
        return status

    def _not_programmed(self) -> str:
        status = self._status()
        return "" if condition({"status": status}, "Programmed") == "True" else str(status.get("conditions", ""))[:300]

    def _unrouted(self, tenants: Sequence[str]) -> Iterator[str]:
        for tenant in tenants:
            route = self.cluster.kubectl.get(f"httproutes.{API}", workload(tenant), "-n", tenant)
            parents = route.get("status", {}).get("parents", [])
            for wanted in ("Accepted", "ResolvedRefs"):
                if not parents or any(condition({"status": each}, wanted) != "True" for each in parents):
                    yield f"the route of {tenant} is not {wanted}: {str(parents)[:300]}"


def _certificate() -> tuple[str, str]:
    """A certificate for the domain's host names that signs itself, and its key, as PEM."""
    with TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate"), Path(folder, "key")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "30", "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:*.{DOMAIN}"]
        run([*command, "-out", str(certificate), "-keyout", str(key)])
        return certificate.read_text("utf-8"), key.read_text("utf-8")


def _base(certificate: str, key: str) -> tuple[Object, ...]:
    return (
        pods.namespace(GATEWAY_NAMESPACE),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": certificate, "tls.key": key},
        },
    )


def objects() -> Iterator[Object]:
    """Everything of the Gateway, as docs/operations/existing-cluster.md describes it."""
    metadata = {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE}
    reference = {"group": EXTENSIONS, "kind": "EnvoyProxy", "name": GATEWAY}
    tenants = {"matchExpressions": [{"key": TENANT_LABEL, "operator": "Exists"}]}
    routes = {"namespaces": {"from": "Selector", "selector": tenants}}
    listener = {"hostname": f"*.{DOMAIN}", "allowedRoutes": routes}
    yield {
        "apiVersion": f"{API}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": CLASS},
        "spec": {"controllerName": CONTROLLER},
    }
    # The clients of the tests are pods, so no load balancer is needed. The rest is as the chart sets it.
    kubernetes = {
        "envoyService": {"type": "ClusterIP"},
        "envoyDeployment": {"container": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}}}},
    }
    yield {
        "apiVersion": f"{EXTENSIONS}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": metadata,
        "spec": {"mergeType": "StrategicMerge", "provider": {"type": "Kubernetes", "kubernetes": kubernetes}},
    }
    yield {
        "apiVersion": f"{API}/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": {
            "gatewayClassName": CLASS,
            "infrastructure": {"parametersRef": reference},
            "listeners": [
                {"name": "http", "protocol": "HTTP", "port": HTTP, **listener},
                {"name": "https", "protocol": "HTTPS", "port": HTTPS, **listener}
                | {"tls": {"certificateRefs": [{"name": GATEWAY}]}},
            ],
        },
    }
    yield {
        "apiVersion": f"{EXTENSIONS}/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": metadata,
        "spec": {
            "targetRefs": [{"group": API, "kind": "Gateway", "name": GATEWAY}],
            "timeout": {"http": {"connectionIdleTimeout": f"{IDLE_SECONDS}s"}},
        },
    }
