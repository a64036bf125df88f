"""The checks of the version of Kubernetes and of the kinds that it serves."""

import pytest

from tenantry.preflight.finding import Status
from tests.unit.tenantry.preflight.checks.difference import OPERATOR, RECEIVER, Case, answer, check

CASES: list[Case] = [
    ("version", answer("/version", {"gitVersion": "v1.29.9"}), {}, {}, Status.BLOCKING, "v1.29.9", {}),
    ("version", answer("/version", {"gitVersion": "v1.30.0"}), {}, {}, Status.OK, "v1.30.0", {}),
    ("version", answer("/version", {"gitVersion": "new"}), {}, {}, Status.UNKNOWN, "'new'", {}),
    ("version", answer("/version", {"error": "Forbidden"}), {}, {}, Status.UNKNOWN, "Forbidden", {}),
    (
        "crds",
        answer(OPERATOR, {"resources": [{"kind": "ServiceMonitor"}]}),
        {},
        {},
        Status.BLOCKING,
        "PrometheusR",
        {},
    ),
    ("crds", answer(f"{OPERATOR}alpha1", {"error": "NotFound"}), {}, {}, Status.OK, "all", {}),
    (
        "crds",
        answer(f"{OPERATOR}alpha1", {"error": "NotFound"}),
        {},
        {"receiver": RECEIVER},
        Status.BLOCKING,
        "AlertmanagerConfig",
        {},
    ),
    (
        "gateway",
        lambda _: None,
        {"gateway": {"name": "g", "namespace": "gw", "podLabels": {"a": "b"}, "domain": "models.example.com"}},
        {},
        Status.BLOCKING,
        "HTTPRoute",
        {},
    ),
    ("baseline", lambda _: None, {}, {}, Status.OK, "not served", {}),
    ("baseline", lambda _: None, {"baseline": True}, {}, Status.BLOCKING, "not served", {}),
    (
        "baseline",
        answer("/apis/policy.networking.k8s.io/v1alpha2", {"resources": [{"kind": "ClusterNetworkPolicy"}]}),
        {"baseline": True},
        {},
        Status.OK,
        "is served; whether the network plugin enforces it is not tested",
        {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)
