"""A value of the wrong type or form, anywhere in an object, is an error of the input or ignored, never a traceback."""

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from audit import AuditError, read
from audit.changes import changes
from audit.contract import contract_findings
from audit.pods import pod_findings
from audit.reading.documents import TextDocument
from audit.reports import diff_tables, formats
from audit.reports.diff_report import diff_report
from audit.reports.exposure_report import exposure_report
from audit.reports.permissions_report import permissions_report
from audit.wiring import broken_references
from tests.example_platform import example_dist
from tests.unit.audit.contracts import contract
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
DETAILS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all, labels: {part: "yes"}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
rules: [{verbs: [get], nonResourceURLs: [/metrics]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{kind: Group, name: ops}, {kind: User, name: alice}, {kind: ServiceAccount, name: a, namespace: tenant-a}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: unsafe, namespace: tenant-a, annotations: {a: b}}
spec:
  jobTemplate:
    spec:
      template:
        metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}}
        spec:
          os: {name: linux}
          automountServiceAccountToken: true
          serviceAccountName: a
          securityContext:
            runAsUser: 0
            sysctls: [{name: kernel.msgmax, value: "1"}]
            seccompProfile: {type: Unconfined}
            appArmorProfile: {type: Unconfined}
            seLinuxOptions: {type: spc_t, user: root, role: r}
            windowsOptions: {hostProcess: true}
          volumes: [{name: v, hostPath: {path: /}}]
          initContainers: [{name: i, restartPolicy: Always, image: "i:latest"}]
          containers:
            - name: c
              image: tenant-b/c
              env: [{name: A, value: tenant-b}]
              ports: [{containerPort: 80, hostPort: 80}]
              resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}}
              livenessProbe: {httpGet: {host: 10.0.0.1, port: 80}}
              lifecycle: {preStop: {tcpSocket: {host: 10.0.0.1, port: 80}}}
              securityContext:
                privileged: true
                procMount: Unmasked
                runAsNonRoot: false
                capabilities: {add: [NET_RAW], drop: [ALL]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: m, namespace: tenant-a, labels: {a: b}}
spec:
  namespaceSelector: {matchNames: [tenant-b]}
  selector: {matchLabels: {app.kubernetes.io/name: ml-inference}}
  podMetricsEndpoints:
    - {port: http, honorLabels: true, relabelings: [{targetLabel: tenant}], metricRelabelings: [{targetLabel: job}]}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: p, namespace: tenant-a}
spec:
  serviceMonitorSelector: {matchLabels: {a: b}}
  serviceMonitorNamespaceSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}
  podMonitorSelector: {}
  ruleSelector: {}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: tenant-a}
data: {a: Yg==}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: tenant-a}
spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [world]}]}
"""
KINDS = {"Namespace", "Deployment", "Service", "NetworkPolicy"}
TENANT = list(yaml.safe_load_all((example_dist() / "tenant-a.k8s.yaml").read_text()))
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


def _wrong(data: dict[str, Any], every: int) -> Iterator[dict[str, Any]]:
    """The object with one wrong value, at each path; of the wrong values, one in `every` per path."""
    for number, path in enumerate(_paths(data)):
        for wrong in WRONG[number % every :: every]:
            changed = copy.deepcopy(data)
            inner = changed
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = wrong
            yield changed


def _id(data: dict[str, Any]) -> str:
    return f"{data['kind']}-{data['metadata']['name']}"


@pytest.mark.parametrize("data", OBJECTS, ids=_id)
def test_a_wrong_value_anywhere_is_an_error_of_the_input(data: dict[str, Any]) -> None:
    for changed in _wrong(data, 2):
        with contextlib.suppress(AuditError):
            exposure_report(read.objects([changed, ANCHOR]))


DETAILED = [*TENANT, *yaml.safe_load_all(DETAILS), *yaml.safe_load_all(INGRESS[4:]), *yaml.safe_load_all(ROUTE[4:])]
CONTRACT = contract(tenants=[{"name": "tenant-a"}, {"name": "tenant-b"}])
REST = [each for each in TENANT if each["kind"] in {"Namespace", "Deployment", "Service", "ResourceQuota"}]


def _document(data: dict[str, Any]) -> TextDocument:
    return TextDocument("all.yaml", 1, json.dumps(data))


@pytest.mark.parametrize("data", DETAILED, ids=_id)
def test_a_wrong_value_anywhere_stops_no_report(data: dict[str, Any]) -> None:
    """Pods, references, permissions, the contract and the differences, with the rest of a tenant beside the object."""
    rest = [_document(each) for each in REST if each is not data]
    before = [_document(data), *rest]
    base = read.documents(before)
    for changed in _wrong(data, 13):
        after = [_document(changed), *rest]
        head = read.documents(after)
        assert list(pod_findings(head.inventory)) is not None
        assert list(broken_references(head.inventory)) is not None
        assert list(contract_findings(CONTRACT, head)) is not None
        assert formats.printed(permissions_report(head), formats.Format.TEXT)
        for sides, documents in (((base, head), (before, after)), ((head, base), (after, before))):
            problems = [str(each) for each in sides[1].problems]
            assert diff_tables.markdown(diff_report("a", "b", changes(*sides, documents, "default"), problems))
