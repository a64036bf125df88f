"""A value of the wrong type or form, anywhere in an object, is an error of the input and never a traceback."""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from audit import AuditError, read
from audit.reports.exposure_report import exposure_report
from tests.example_platform import example_dist
from tests.unit.audit.test_exposure import INGRESS, ROUTE

OTHERS = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: a}
spec:
  priority: 1
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}}
  ingress: [{name: x, action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 1}}]}]
  egress: [{action: Pass, to: [{networks: [10.0.0.0/8]}]}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: a}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {matchExpressions: [{key: a, operator: In, values: [b]}]}}
  ingress:
    - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 1, end: 5}}}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: e, labels: {kubernetes.io/service-name: svc}}
addressType: IPv4
ports: [{name: a, port: 80}]
endpoints: [{addresses: [192.0.2.1], targetRef: {kind: Pod, name: x}}]
---
apiVersion: v1
kind: Pod
metadata: {name: p, ownerReferences: [{kind: ReplicaSet, name: x, controller: true}]}
spec: {hostNetwork: true, initContainers: [{name: a, ports: [{containerPort: 80}]}], containers: [{name: b}]}
status: {podIP: 192.0.2.1, podIPs: [{ip: 192.0.2.1}], hostIP: 192.0.2.2, phase: Running}
---
apiVersion: v1
kind: Node
metadata: {name: n, labels: {a: b}}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}
"""
KINDS = {"Namespace", "Deployment", "Service", "NetworkPolicy"}
TENANT = yaml.safe_load_all((example_dist() / "tenant-a.k8s.yaml").read_text())
DIST = [each for each in TENANT if each["kind"] in KINDS]
OBJECTS = [*DIST, *yaml.safe_load_all(OTHERS), *yaml.safe_load_all(INGRESS[4:]), *yaml.safe_load_all(ROUTE[4:])]
WRONG: list[Any] = [None, True, -1, 1.5, "", "a/b/c", "::1", [], {}, [None], ["x"], {"x": 1}, [[]], 2**70]
ANCHOR = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "z"}, "spec": {"containers": []}}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _paths(each, (*path, key))


@pytest.mark.parametrize("data", OBJECTS, ids=lambda data: f"{data['kind']}-{data['metadata']['name']}")
def test_a_wrong_value_anywhere_is_an_error_of_the_input(data: dict[str, Any]) -> None:
    for number, path in enumerate(_paths(data)):
        for wrong in WRONG[number % 2 :: 2]:
            changed = copy.deepcopy(data)
            inner = changed
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = wrong
            with contextlib.suppress(AuditError):
                exposure_report(read.objects([changed, ANCHOR]))
