"""Changes that operators make every day, in up to three lines of `dist/`, and that open nothing."""

from typing import Final

from tests.audit.edits.edit import Edit

_D: Final = "kind: Deployment"
_SPEC: Final = "      enableServiceLinks: false\n"

ROUTINE: Final = (
    Edit(
        "a label of the pods",
        (
            (
                _D,
                "        app.kubernetes.io/part-of: tenantry\n        app",
                "        example.org/tier: two\n        app.kubernetes.io/part-of: tenantry\n        app",
            ),
        ),
    ),
    Edit("another region", ((_D, "us-east-1", "eu-west-1"),)),
    Edit("more time to deploy", ((_D, "progressDeadlineSeconds: 300", "progressDeadlineSeconds: 600"),)),
    Edit("more pods at a time", ((_D, "maxSurge: 1", "maxSurge: 2"),)),
    Edit("another group", ((_D, "runAsGroup: 1000", "runAsGroup: 2000"),)),
    Edit("a node pool", ((_D, _SPEC, f"{_SPEC}      nodeSelector: {{pool: models}}\n"),)),
    Edit("a priority", ((_D, _SPEC, f"{_SPEC}      priorityClassName: models\n"),)),
    Edit("a toleration", ((_D, _SPEC, f"{_SPEC}      tolerations: [{{key: models, operator: Exists}}]\n"),)),
    Edit("a Secret for pulling images", ((_D, _SPEC, f"{_SPEC}      imagePullSecrets: [{{name: registry}}]\n"),)),
    Edit("a slower start", (("startupProbe", "failureThreshold: 60", "failureThreshold: 120"),)),
    Edit("a longer wait before the stop", ((_D, "seconds: 5", "seconds: 8"),)),
    Edit("less CPU requested", ((_D, "cpu: 250m", "cpu: 200m"),)),
    Edit("a stricter spread", ((_D, "ScheduleAnyway", "DoNotSchedule"),)),
    Edit("a slower scale-down", (("kind: HorizontalPodAutoscaler", "Seconds: 300", "Seconds: 600"),)),
    Edit("a budget in percent", (("kind: PodDisruptionBudget", "maxUnavailable: 1", "maxUnavailable: 50%"),)),
    Edit("a smaller quota of pods", (("kind: ResourceQuota", 'pods: "25"', 'pods: "24"'),)),
    Edit("a shorter scrape", (("kind: ServiceMonitor", "scrapeTimeout: 10s", "scrapeTimeout: 5s"),)),
    Edit("no DNS over TCP", (("name: allow-dns", "        - port: 53\n          protocol: TCP\n", ""),)),
    Edit(
        "an exception for more IPv6 addresses",
        (("name: allow-world-https", "              - ::/80\n", "              - ::/64\n"),),
    ),
    Edit(
        "session affinity",
        (("kind: Service\n", "  type: ClusterIP", "  sessionAffinity: ClientIP\n  type: ClusterIP"),),
    ),
    Edit(
        "no API group of a subject",
        (
            (
                "kind: RoleBinding",
                'subjects:\n  - apiGroup: ""\n    kind: ServiceAccount\n',
                "subjects:\n  - kind: ServiceAccount\n",
            ),
        ),
    ),
    Edit("the level of a later version", (("kind: Namespace", "enforce-version: v1.30", "enforce-version: v1.34"),)),
)
