"""The check of permissions."""

import pytest

from tenantry.preflight.finding import Status
from tests.unit.tenantry.preflight.checks.difference import Case, check

CASES: list[Case] = [
    ("rights", lambda cluster: cluster["denied"].append("namespaces"), {}, {}, Status.BLOCKING, "cluster-wide", {}),
    ("rights", lambda cluster: cluster["denied"].append("services"), {}, {}, Status.BLOCKING, "in tenant-a", {}),
    (
        "rights",
        lambda cluster: cluster["denied"].append("configmaps"),
        {},
        {},
        Status.BLOCKING,
        "configmaps in observability",
        {},
    ),
    (
        "rights",
        lambda cluster: cluster["denied"].append("validatingadmissionpolicies"),
        {},
        {},
        Status.BLOCKING,
        "may not: list validatingadmissionpolicies cluster-wide",
        {},
    ),
    ("rights", lambda cluster: cluster["denied"].append("patch services"), {}, {}, Status.OK, "", {}),
    (
        "rights",
        lambda cluster: cluster["denied"].append("list services"),
        {},
        {},
        Status.BLOCKING,
        "may not: list services cluster-wide",
        {},
    ),
    ("rights", lambda cluster: cluster["denied"].append("httproutes"), {}, {}, Status.OK, "", {}),
    (
        "rights",
        lambda cluster: [
            cluster["denied"].append("httproutes"),
            cluster["get"].update({"/apis/gateway.networking.k8s.io/v1": {"resources": [{"kind": "HTTPRoute"}]}}),
        ],
        {},
        {},
        Status.BLOCKING,
        "may not: list httproutes cluster-wide",
        {},
    ),
    (
        "rights",
        lambda cluster: cluster["denied"].append("httproutes"),
        {"gateway": {"name": "g", "namespace": "gw", "podLabels": {"a": "b"}, "domain": "models.example.com"}},
        {},
        Status.BLOCKING,
        "get, create, patch, delete httproutes in tenant-a",
        {},
    ),
    (
        "rights",
        lambda cluster: cluster["denied"].append("validatingadmissionpolicies"),
        {"guard": True},
        {},
        Status.BLOCKING,
        "validatingadmissionpolicies",
        {},
    ),
    (
        "rights",
        lambda cluster: cluster["denied"].append("clusternetworkpolicies"),
        {"baseline": True},
        {},
        Status.BLOCKING,
        "clusternetworkpolicies cluster-wide",
        {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)
