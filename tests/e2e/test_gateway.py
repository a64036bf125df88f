"""Requests from outside, through a real gateway: which paths of which tenant are answered, and which are not."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

import pytest

from inference import contract
from tests.e2e.access import DOMAIN, GATEWAY, GATEWAY_NAMESPACE, host_name
from tests.e2e.cluster import LiveCluster, service
from tests.e2e.deployment import PlatformUnderTest
from tests.e2e.evidence import Evidence
from tests.e2e.gateway import API, HTTP, Answer, RealGateway
from tests.e2e.probes import Probes
from tests.e2e.requirements import OTHER_NAMESPACE
from tests.paths import ROOT

pytestmark = pytest.mark.promise("gateway")
JSON: Final = {"Content-Type": "application/json"}
MODEL: Final = "spam"
TENSOR: Final = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["Win a free prize now"]}
LISTED: Final[dict[str, dict[str, Any]]] = {
    contract.PREDICT_PATH: {"method": "POST", "headers": JSON, "body": json.dumps({"text": "Win a free prize now"})},
    "/v2": {},
    "/v2/health/ready": {},
    f"/v2/models/{MODEL}": {},
    f"/v2/models/{MODEL}/infer": {"method": "POST", "headers": JSON, "body": json.dumps({"inputs": [TENSOR]})},
    contract.MODEL_PATH: {},
    contract.ROOT_PATH: {},
    contract.DOCS_PATH: {},
    contract.OPENAPI_PATH: {},
}
"""A request per path that callers may use."""
PAGE: Final = ROOT / "inference" / "serving" / "page"
OF_THE_PAGE: Final = (".css", ".js", ".svg")
INTERNAL: Final = (contract.METRICS_PATH, contract.LIVENESS_PATH, contract.READINESS_PATH)
NOT_LISTED: Final = (
    *INTERNAL,
    *(f"{path}/" for path in INTERNAL),
    "//metrics",
    "/%6detrics",
    "/predict/../metrics",
    "/v2/../metrics",
    "/v2/%2e%2e/metrics",
    "/v2/..%2fmetrics",
    "/page/../metrics",
    "/METRICS",
    "/predict/metrics",
    "/no-such-path",
)


@pytest.fixture(scope="module")
def tenant(platform: PlatformUnderTest) -> str:
    return platform.tenants[0]


@pytest.fixture(scope="module")
def answers(gateway: RealGateway, tenant: str, evidence: Evidence) -> Mapping[str, Answer]:
    """The answers to a request per path, under the tenant's host name."""
    requests = [{"host": host_name(tenant), "path": path, **rest} for path, rest in LISTED.items()]
    requests += [{"host": host_name(tenant), "path": path} for path in NOT_LISTED]
    evidence.count("gateway", "requests over TLS", len(requests))
    return dict(zip([*LISTED, *NOT_LISTED], gateway.ask(*requests), strict=True))


@pytest.mark.parametrize("path", LISTED)
def test_a_listed_path_is_answered(path: str, answers: Mapping[str, Answer]) -> None:
    """Over TLS, with the certificate of the Gateway."""
    assert answers[path].status == 200, answers[path]
    assert answers[path].text


def test_every_file_of_the_page_is_answered(gateway: RealGateway, tenant: str, evidence: Evidence) -> None:
    """Styles, scripts and icon of the page for texts."""
    files = [f"{contract.PAGE_PATH}/{each.name}" for each in sorted(PAGE.iterdir()) if each.suffix in OF_THE_PAGE]
    files = [each for each in files if not each.endswith("onnx.js")]
    found = gateway.ask(*({"host": host_name(tenant), "path": path} for path in files))
    evidence.count("gateway", "requests over TLS", len(files))
    assert len(files) > 2
    assert {path: answer.status for path, answer in zip(files, found, strict=True)} == dict.fromkeys(files, 200)


@pytest.mark.parametrize("path", NOT_LISTED)
def test_a_path_that_is_not_listed_is_not_routed(path: str, answers: Mapping[str, Answer]) -> None:
    """The gateway refuses it itself, without a body, or redirects to a path that it refuses; no pod answers."""
    answer = answers[path]
    assert (answer.status, answer.text) == (404, "") or (answer.status, answer.text) in {(307, ""), (400, "")}, answer


@pytest.mark.parametrize("path", INTERNAL)
def test_an_internal_path_is_served_where_it_is_not_routed(path: str, cluster: LiveCluster, tenant: str) -> None:
    """The control: the same pod answers the same path inside the tenant's namespace."""
    place = {"host": f"{service(tenant)}.{tenant}.svc", "path": path, "port": contract.PORT}
    pod = cluster.ready_pods(tenant)[0]["metadata"]["name"]
    assert cluster.python(tenant, pod, "ask", place, [{}], container="inference") == [200]


def test_a_host_name_leads_to_its_own_tenant(
    gateway: RealGateway, cluster: LiveCluster, platform: PlatformUnderTest, evidence: Evidence
) -> None:
    """The gateway logs the pod that answered: it is always one of the tenant with this host name."""
    mark = uuid.uuid4().hex
    asked = [
        {"host": host_name(tenant), "path": f"{contract.MODEL_PATH}?{mark}-{tenant}-{number}"}
        for tenant in platform.tenants
        for number in range(10)
    ]
    assert {each.status for each in gateway.ask(*asked)} == {200}
    evidence.count("gateway", "requests over TLS", len(asked))
    lines: list[dict[str, str]] = []

    def logged() -> str:
        lines[:] = [json.loads(line) for line in gateway.logs().splitlines() if mark in line]
        return "" if len(lines) == len(asked) else f"{len(lines)} of {len(asked)} requests are in the access log"

    cluster.wait("the access log", logged, seconds=60)
    for tenant in platform.tenants:
        own = {f"{pod['status']['podIP']}:{contract.PORT}" for pod in cluster.ready_pods(tenant)}
        answered = {line["upstream_host"] for line in lines if f"-{tenant}-" in line["x-envoy-origin-path"]}
        assert answered, tenant
        assert answered <= own, tenant


@pytest.mark.parametrize("name", [f"other.{DOMAIN}", "tenant-a.example.com", DOMAIN, "localhost"])
def test_an_unknown_host_name_leads_nowhere(name: str, gateway: RealGateway) -> None:
    """There is no default tenant. Without TLS, because the certificate does not have these names."""
    (answer,) = gateway.ask({"host": name, "path": contract.MODEL_PATH}, port=HTTP)
    assert (answer.status, answer.text) == (404, "")


def test_a_pod_with_the_gateways_labels_elsewhere_is_refused_while_the_gateway_is_answered(
    gateway: RealGateway, cluster: LiveCluster, probes: Probes, tenant: str
) -> None:
    """The pods of the Gateway have these labels in their namespace only."""
    del probes
    imitation = {"host": f"{service(tenant)}.{tenant}.svc", "path": contract.MODEL_PATH, "port": contract.PORT}
    asked = {"host": host_name(tenant), "path": contract.MODEL_PATH}
    before = gateway.ask(asked)
    refused = cluster.python(OTHER_NAMESPACE, "gateway-labels", "ask", imitation, [{}, {}])
    assert [each.status for each in (*before, *gateway.ask(asked))] == [200, 200]
    assert refused == [0, 0]


def test_a_route_of_another_namespace_is_not_attached(gateway: RealGateway, cluster: LiveCluster, tenant: str) -> None:
    """A namespace without the platform's label cannot use the Gateway to reach a tenant."""
    name = f"stolen.{DOMAIN}"
    route = {
        "apiVersion": f"{API}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "e2e-stolen", "namespace": OTHER_NAMESPACE},
        "spec": {
            "parentRefs": [{"name": GATEWAY, "namespace": GATEWAY_NAMESPACE}],
            "hostnames": [name],
            "rules": [{"backendRefs": [{"name": service(tenant), "namespace": tenant, "port": contract.PORT}]}],
        },
    }
    cluster.apply(route)
    seen: list[str] = []

    def reason() -> str:
        status = cluster.kubectl.get(f"httproutes.{API}", "e2e-stolen", "-n", OTHER_NAMESPACE).get("status", {})
        conditions = [each for parent in status.get("parents", []) for each in parent["conditions"]]
        seen[:] = [each["reason"] for each in conditions if each["status"] == "False"]
        return "" if conditions else "it has no status yet"

    try:
        cluster.wait("the status of the route", reason, seconds=60)
        assert "NotAllowedByListeners" in seen
        (answer,) = gateway.ask({"host": name, "path": contract.METRICS_PATH})
        assert (answer.status, answer.text) == (404, "")
    finally:
        cluster.delete(f"httproutes.{API}", "e2e-stolen", "-n", OTHER_NAMESPACE)
