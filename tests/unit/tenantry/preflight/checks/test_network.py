"""The check of network plugins."""

import pytest

from tenantry.preflight.finding import Status
from tests.unit.tenantry.preflight.checks.difference import DAEMONSETS, Case, answer, check, findings

CASES: list[Case] = [
    ("network", answer(DAEMONSETS, {"error": "Forbidden"}), {}, {}, Status.WARNING, "not known", {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[4]}")
def test_a_difference_is_found(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    ("arguments", "mode", "statuses"),
    [
        (["--enable-network-policy=false"], "strict", [Status.BLOCKING]),
        (["--enable-network-policy=true"], "standard", [Status.WARNING, Status.SKIPPED]),
        (["--enable-network-policy=true"], "strict", [Status.SKIPPED]),
    ],
)
def test_the_switches_of_the_vpc_cni_are_read(arguments: list[str], mode: str, statuses: list[Status]) -> None:
    containers = [
        {"name": "aws-node", "env": [{"name": "NETWORK_POLICY_ENFORCING_MODE", "value": mode}]},
        {"name": "aws-eks-nodeagent", "args": arguments},
    ]
    plugin = {
        "metadata": {"name": "aws-node", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": containers}}},
    }
    found = findings("network", answer(DAEMONSETS, {"items": [plugin]}))
    assert [each.status for each in found] == statuses
