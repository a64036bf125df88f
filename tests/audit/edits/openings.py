"""Ways to open a way between tenant-a and tenant-b by changing at most three lines of `dist/`."""

from typing import Final

from tests.audit.edits.edit import Edit

_PEER: Final = "- podSelector: {}"
_A: Final = "tenant-a.k8s.yaml"

OPENINGS: Final = (
    Edit("let in pods of every namespace", (("ingress:", _PEER, "- namespaceSelector: {}"),)),
    Edit("reach pods of every namespace", (("egress:", _PEER, "- namespaceSelector: {}"),), _A),
    Edit(
        "let in the other tenant by its name",
        (("ingress:", _PEER, "- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: tenant-a}}"),),
    ),
    Edit(
        "let in every namespace, by an expression",
        (
            (
                "ingress:",
                _PEER,
                "- namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]}",
            ),
        ),
    ),
    Edit(
        "let in everything: no peers",
        (("ingress:", "    - from:\n        - podSelector: {}\n      ports:", "    - ports:"),),
    ),
    Edit("let in everything: an empty rule", (("name: allow-prometheus", "  ingress:\n", "  ingress:\n    - {}\n"),)),
    Edit("reach everything: an empty rule", (("name: allow-dns", "  egress:\n", "  egress:\n    - {}\n"),), _A),
    Edit(
        "let the other tenant in instead of Prometheus",
        (
            ("name: allow-prometheus", "metadata.name: monitoring", "metadata.name: tenant-a"),
            ("name: allow-prometheus", "                  - prometheus\n", "                  - ml-inference\n"),
        ),
    ),
    Edit(
        "let in all pods that call themselves Prometheus",
        (
            (
                "name: allow-prometheus",
                "              kubernetes.io/metadata.name: monitoring\n",
                "              app.kubernetes.io/part-of: tenantry\n",
            ),
        ),
    ),
    Edit(
        "reach the other tenant instead of the store",
        (
            ("name: allow-model-store", "metadata.name: minio", "metadata.name: tenant-b"),
            ("name: allow-model-store", "                  - minio\n", "                  - ml-inference\n"),
            ("name: allow-model-store", "port: 9000", "port: 8000"),
        ),
        _A,
    ),
    Edit(
        "reach private addresses",
        (("name: allow-world-https", "              - 10.0.0.0/8\n", ""),),
        _A,
        at="        - ipBlock:",
    ),
    Edit("let in addresses", (("ingress:", _PEER, "- ipBlock: {cidr: 10.0.0.0/8}"),)),
    Edit("read Secrets", (("kind: Role\n", "- configmaps", "- secrets"),)),
    Edit(
        "run commands in pods",
        (("kind: Role\n", "- configmaps\n    verbs:\n      - get\n", "- pods/exec\n    verbs:\n      - create\n"),),
    ),
    Edit("do everything with pods", (("kind: Role\n", "      - get\n", '      - "*"\n'),)),
    Edit(
        "bind the account of the other tenant",
        (
            (
                "kind: RoleBinding",
                "    name: tenant-b-ml-inference\n    namespace: tenant-b",
                "    name: tenant-a-ml-inference\n    namespace: tenant-a",
            ),
        ),
    ),
    Edit(
        "bind all accounts",
        (
            (
                "kind: RoleBinding",
                "    kind: ServiceAccount\n    name: tenant-b-ml-inference\n    namespace: tenant-b",
                "    kind: Group\n    name: system:serviceaccounts",
            ),
        ),
    ),
    Edit(
        "bind the role admin",
        (("kind: RoleBinding", "  kind: Role\n  name: tenant-b-ml-inference", "  kind: ClusterRole\n  name: admin"),),
    ),
    Edit("enforce nothing", (("kind: Namespace", "/enforce: restricted", "/enforce: privileged"),)),
    Edit(
        "use the node's network",
        (
            (
                "kind: Deployment",
                "      enableServiceLinks: false\n",
                "      enableServiceLinks: false\n      hostNetwork: true\n",
            ),
        ),
    ),
    Edit(
        "mount the node",
        (
            (
                "kind: Deployment",
                "        - emptyDir:\n            sizeLimit: 64Mi\n",
                "        - hostPath:\n            path: /\n",
            ),
        ),
    ),
    Edit("run privileged", (("kind: Deployment", "allowPrivilegeEscalation: false", "privileged: true"),)),
    Edit("open a port on every node", (("kind: Service\n", "type: ClusterIP", "type: NodePort"),)),
    Edit(
        "take an external address",
        (("kind: Service\n", "  type: ClusterIP", "  externalIPs: [203.0.113.7]\n  type: ClusterIP"),),
    ),
    Edit(
        "scrape every namespace",
        (("kind: ServiceMonitor", "  selector:\n", "  namespaceSelector: {any: true}\n  selector:\n"),),
    ),
    Edit(
        "scrape the other tenant",
        (("kind: ServiceMonitor", "  selector:\n", "  namespaceSelector: {matchNames: [tenant-a]}\n  selector:\n"),),
    ),
    Edit("forge labels", (("kind: ServiceMonitor", "honorLabels: false", "honorLabels: true"),)),
    Edit(
        "serve the model of the other tenant", (("kind: Deployment", "s3://models/tenant-b/", "s3://models/tenant-a/"),)
    ),
    Edit(
        "move the workload to the other tenant",
        (("kind: Deployment", "  namespace: tenant-b\n", "  namespace: tenant-a\n"),),
        at="              value: s3://models/tenant-b/spam",
    ),
    Edit(
        "read the metrics of the other tenant in a rule",
        (("kind: PrometheusRule", 'namespace="tenant-b"', 'namespace="tenant-a"'),),
        rules_only=True,
    ),
    Edit(
        "alert in the name of the other tenant",
        (("kind: PrometheusRule", "            tenant: tenant-b\n", "            tenant: tenant-a\n"),),
        rules_only=True,
    ),
)
