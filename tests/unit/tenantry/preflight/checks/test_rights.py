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
    ("rights", lambda cluster: cluster["denied"].append("validatingadmissionpolicies"), {}, {}, Status.OK, "", {}),
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
