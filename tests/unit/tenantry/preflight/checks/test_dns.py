"""The check of DNS."""

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.preflight.finding import Status
from tests.recorded_cluster import Document
from tests.unit.tenantry.preflight.checks.difference import DAEMONSETS, RIGHT, Case, answer, check

CONFIGZ = "/api/v1/nodes/gke-pool-1/proxy/configz"


def _cache(**fields: Any) -> Callable[[Document], object]:
    return lambda cluster: cluster["get"][DAEMONSETS]["items"][1]["spec"]["template"]["spec"].update(fields)


CASES: list[Case] = [
    ("dns", lambda _: None, {}, {}, Status.OK, "169.254.20.10", {}),
    (
        "dns",
        answer("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", {"items": []}),
        {},
        {},
        Status.FAILED,
        "none is ready",
        {},
    ),
    (
        "dns",
        answer(
            "/api/v1/namespaces/kube-system/pods",
            {"items": [{"spec": {"hostNetwork": True}, "status": {"hostIP": "10.1.0.4"}}, {"spec": {}, "status": {}}]},
        ),
        {},
        {},
        Status.BLOCKING,
        "on the host network of 10.1.0.4",
        {"dns.addresses": ["169.254.20.10/32", "34.118.224.10/32", "10.1.0.4/32"]},
    ),
    ("dns", lambda _: None, {"dns": {"addresses": ["169.254.20.0/24", "34.118.224.0/20"]}}, {}, Status.OK, "", {}),
    (
        "dns",
        _cache(hostNetwork=False),
        {"dns": {"addresses": [], "cachePodLabels": {"k8s-app": "mine"}}},
        {},
        Status.BLOCKING,
        "k8s-app=node-local-dns",
        {"dns.cachePodLabels": {"k8s-app": "node-local-dns"}},
    ),
    ("dns", _cache(hostNetwork=False), {"dns": {"addresses": []}}, {}, Status.OK, "", {}),
    (
        "dns",
        _cache(containers=[{"args": ["--localip=169.254.25.10"]}]),
        {"dns": {"addresses": []}},
        {},
        Status.BLOCKING,
        "169.254.25.10",
        {"dns.addresses": ["169.254.25.10/32"]},
    ),
    (
        "dns",
        answer(CONFIGZ, {"kubeletconfig": {"clusterDNS": ["169.254.169.254"]}}),
        {},
        {},
        Status.BLOCKING,
        "not a Service",
        {"dns.addresses": ["169.254.20.10/32", "34.118.224.10/32", "169.254.169.254/32"]},
    ),
    ("dns", answer(CONFIGZ, {"error": "Forbidden"}), {}, {}, Status.OK, "kube-system/kube-dns", {}),
    (
        "dns",
        lambda cluster: cluster["get"].update({CONFIGZ: {"error": "Forbidden"}, "/api/v1/services": {"items": []}}),
        {},
        {},
        Status.UNKNOWN,
        "no Service",
        {},
    ),
    (
        "dns",
        lambda _: None,
        {"dns": {**RIGHT["dns"], "namespace": "dns", "podLabels": {"k8s-app": "coredns"}, "port": 1053}},
        {},
        Status.BLOCKING,
        "k8s-app=kube-dns",
        {"dns.namespace": "kube-system", "dns.podLabels": {"k8s-app": "kube-dns"}, "dns.port": 53},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)
