"""The HTTPRoute of MonitoredInference: which paths of the service a gateway serves."""

import pytest

from inference.settings import Settings
from tests.kube import Object, by_kind
from tests.unit.constructs_lib.inferences import BEHIND_GATEWAY, synth


@pytest.fixture(scope="module")
def minimal() -> list[Object]:
    return synth()


@pytest.fixture(scope="module")
def route() -> Object:
    found: Object = by_kind(synth(BEHIND_GATEWAY, hostname="tenant-a.models.example.com"), "HTTPRoute")["spec"]
    return found


def test_the_route_lets_every_method_through_so_that_the_service_answers_preflights(route: Object) -> None:
    (rule,) = route["rules"]
    assert {tuple(match) for match in rule["matches"]} == {("path",)}
    assert "filters" not in rule


def test_the_route_leads_from_the_gateways_listener_to_the_service(route: Object) -> None:
    assert route["parentRefs"] == [{"name": "public", "namespace": "gateway", "sectionName": "https"}]
    (rule,) = route["rules"]
    assert rule["backendRefs"] == [{"name": "tenant-a-ml-inference-svc", "port": 8000}]


def test_the_route_waits_longer_than_the_service(route: Object) -> None:
    """The service ends a slow request first, with an answer that gives the reason."""
    service = Settings(model_uri="file:m")
    longest = service.header_timeout_seconds + 2 * service.body_timeout_seconds
    assert route["rules"][0]["timeouts"] == {"request": f"{longest:g}s"}
    assert service.keep_alive_seconds > longest


ROUTED = ("/", "/predict", "/model", "/v2", "/v2/", "/v2/models/m/infer", "/page/page.js", "/docs", "/openapi.json")
PROBES = ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/predict/metrics", "/healthz", "/readyz")


@pytest.mark.parametrize("path", ROUTED)
def test_what_callers_need_is_routed(route: Object, path: str) -> None:
    assert _is_routed(route, path)


@pytest.mark.parametrize("path", [*PROBES, "/v2metrics", "/v3", "/anything"])
def test_metrics_probes_and_unknown_paths_are_never_routed(route: Object, path: str) -> None:
    assert not _is_routed(route, path)


def _is_routed(route: Object, path: str) -> bool:
    """Whether a path matches, as Gateway API defines `Exact` and `PathPrefix`."""
    return any(
        path == match["path"]["value"] or (is_prefix and path.startswith(match["path"]["value"].rstrip("/") + "/"))
        for rule in route["rules"]
        for match in rule["matches"]
        for is_prefix in [match["path"]["type"] == "PathPrefix"]
    )


def test_a_gateway_may_use_all_of_the_service(minimal: list[Object]) -> None:
    """Callers of a gateway have its address, so the service must not limit the share of one address."""
    found = synth(BEHIND_GATEWAY, hostname="tenant-a.models.example.com")
    for objects, value in ((minimal, None), (found, "1")):
        environment = by_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {each["name"]: each.get("value") for each in environment}.get("INFERENCE_MAX_PEER_SHARE") == value


def test_without_a_host_name_the_tenant_has_no_http_route(minimal: list[Object]) -> None:
    assert not [each for each in [*minimal, *synth(BEHIND_GATEWAY)] if each["kind"] == "HTTPRoute"]
