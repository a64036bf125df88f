"""The checks of the kind of cluster, Pod Security, UIDs, storage classes and the image."""

import pytest

from tenantry.preflight.finding import Status
from tests.unit.tenantry.preflight.checks.difference import Case, answer, check

CASES: list[Case] = [
    ("profile", lambda _: None, {"cluster": {"profile": "eks"}}, {}, Status.WARNING, "gke", {"cluster.profile": "gke"}),
    (
        "profile",
        lambda cluster: cluster["get"].update({"/version": {"gitVersion": "v1.34.1"}}),
        {"cluster": {"profile": "openshift"}},
        {},
        Status.WARNING,
        "gke (nodes have the label cloud.google.com/gke-nodepool)",
        {"cluster.profile": "gke"},
    ),
    ("podSecurity", lambda cluster: cluster["warnings"].clear(), {}, {}, Status.WARNING, "not answered", {}),
    (
        "user",
        answer("/apis/security.openshift.io/v1", {"resources": []}),
        {},
        {},
        Status.BLOCKING,
        "UID",
        {"pods.fixedUser": False},
    ),
    (
        "user",
        answer("/apis/security.openshift.io/v1", {"resources": []}),
        {"pods": {"fixedUser": False}},
        {},
        Status.OK,
        "UID",
        {},
    ),
    ("storage", answer("/apis/storage.k8s.io/v1/storageclasses", {"items": []}), {}, {}, Status.WARNING, "no sto", {}),
    ("image", lambda _: None, {}, {}, Status.SKIPPED, "not tested", {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)
