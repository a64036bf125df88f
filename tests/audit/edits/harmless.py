"""Changes of `dist/` that open nothing."""

from typing import Final

from tests.audit.edits.edit import Edit

HARMLESS: Final = (
    Edit("a comment", (("kind: Namespace", "spec: {}", "# nothing to set\nspec: {}"),)),
    Edit("more replicas at most", (("kind: HorizontalPodAutoscaler", "maxReplicas: 10", "maxReplicas: 9"),)),
    Edit("more replicas at least", (("kind: HorizontalPodAutoscaler", "minReplicas: 2", "minReplicas: 3"),)),
    Edit("a higher target", (("kind: HorizontalPodAutoscaler", "averageUtilization: 50", "averageUtilization: 60"),)),
    Edit("another image", (("kind: Deployment", "ml-inference-service:0.1.0", "ml-inference-service:0.1.1"),)),
    Edit("less memory requested", (("kind: Deployment", "memory: 256Mi", "memory: 200Mi"),)),
    Edit("a slower probe", (("readinessProbe", "periodSeconds: 2", "periodSeconds: 3"),)),
    Edit(
        "more time to stop",
        (("kind: Deployment", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 40"),),
    ),
    Edit("another user", (("kind: Deployment", "runAsUser: 1000", "runAsUser: 1001"),)),
    Edit(
        "an annotation",
        (("kind: Deployment", "      annotations:\n", '      annotations:\n        example.org/note: "yes"\n'),),
    ),
    Edit("a variable", (("kind: Deployment", '              value: "20"', '              value: "25"'),)),
    Edit("a smaller volume", (("kind: Deployment", "sizeLimit: 64Mi", "sizeLimit: 32Mi"),)),
    Edit("a higher alert threshold", (("alert: InferenceRequestsShed", "> 0.05", "> 0.06"),)),
    Edit("a longer alert", (("alert: InferenceRequestsShed", "for: 10m", "for: 15m"),)),
    Edit("a slower scrape", (("kind: ServiceMonitor", "interval: 30s", "interval: 60s"),)),
    Edit("fewer permissions", (("kind: Role\n", "      - get\n      - list\n---", "      - get\n---"),)),
    Edit("verbs in another order", (("kind: Role\n", "      - get\n      - list\n", "      - list\n      - get\n"),)),
    Edit(
        "a smaller quota of storage",
        (("kind: ResourceQuota", "requests.ephemeral-storage: 3200Mi", "requests.ephemeral-storage: 3100Mi"),),
    ),
    Edit(
        "one more exception",
        (
            (
                "name: allow-world-https",
                "              - 10.0.0.0/8\n",
                "              - 10.0.0.0/8\n              - 11.0.0.0/8\n",
            ),
        ),
    ),
    Edit(
        "ports in another order",
        (
            ("name: allow-dns", "        - port: 53\n          protocol: UDP\n", ""),
            (
                "name: allow-dns",
                "          protocol: TCP\n",
                "          protocol: TCP\n        - port: 53\n          protocol: UDP\n",
            ),
        ),
    ),
    Edit(
        "a label of the account", (("kind: ServiceAccount\n", "  labels:\n", "  labels:\n    example.org/team: one\n"),)
    ),
    Edit(
        "a service port with a protocol of the application",
        (("kind: Service\n", "      protocol: TCP\n", "      protocol: TCP\n      appProtocol: http\n"),),
    ),
)
