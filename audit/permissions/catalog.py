"""The consequences of permissions: named rules, each with a sentence and the documentation that says so."""

from typing import Final

from audit.model.consequence import Consequence
from audit.model.finding import Severity

_GOOD_PRACTICES: Final = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "update", "patch")
_CHANGE: Final = (*_WRITE, "delete", "deletecollection")
_RBAC: Final = "rbac.authorization.k8s.io"
_ADMISSION: Final = "admissionregistration.k8s.io"
_CERTIFICATES: Final = "certificates.k8s.io"
_GATEWAY: Final = "gateway.networking.k8s.io"
_MONITORING: Final = "monitoring.coreos.com"


def _on(verbs: tuple[str, ...], *resources: str) -> tuple[tuple[tuple[str, ...], str, str, str], ...]:
    """Requests for resources as kubectl writes them: pods/exec, deployments.apps."""
    found = []
    for each in resources:
        name, _, part = each.partition("/")
        resource, _, group = name.partition(".")
        found.append((verbs, group, resource, part))
    return tuple(found)


CONSEQUENCES: Final = (
    Consequence(
        "reads-secrets",
        Severity.HIGH,
        "reads Secrets: passwords, keys and the tokens of ServiceAccounts; list and watch show their content, too",
        f"{_GOOD_PRACTICES}#listing-secrets",
        _on(_READ, "secrets"),
    ),
    Consequence(
        "reads-stores",
        Severity.MEDIUM,
        "writes ExternalSecrets, and so reads what the stores of the whole cluster hold for every namespace",
        "https://external-secrets.io/latest/guides/multi-tenancy/",
        _on(_WRITE, "externalsecrets.external-secrets.io"),
    ),
    Consequence(
        "creates-tokens",
        Severity.HIGH,
        "creates tokens of ServiceAccounts and so acts as them",
        f"{_GOOD_PRACTICES}#token-request",
        _on(("create",), "serviceaccounts/token"),
    ),
    Consequence(
        "writes-secrets",
        Severity.HIGH,
        "writes Secrets: replaces credentials, and obtains a token of any ServiceAccount of the namespace",
        "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"
        "#manual-secret-management-for-serviceaccounts",
        _on(_WRITE, "secrets"),
    ),
    Consequence(
        "runs-commands-in-pods",
        Severity.HIGH,
        "runs commands in pods, and so has their tokens, Secrets and network",
        "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/",
        _on(("get", "create"), "pods/exec", "pods/attach"),
    ),
    Consequence(
        "debugs-pods",
        Severity.HIGH,
        "adds ephemeral containers to pods, which share their network, volumes and identity",
        "https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/",
        _on(("update", "patch"), "pods/ephemeralcontainers"),
    ),
    Consequence(
        "connects-to-pods",
        Severity.MEDIUM,
        "connects to pods and Services through the API server, past every network policy",
        "https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/",
        _on(("get", "create"), "pods/portforward", "pods/proxy", "services/proxy"),
    ),
    Consequence(
        "runs-pods",
        Severity.HIGH,
        "runs pods: with any ServiceAccount, Secret and volume claim of the namespace",
        f"{_GOOD_PRACTICES}#workload-creation",
        (
            *_on(("create",), "pods"),
            *_on(_WRITE, "replicationcontrollers", "podtemplates", "jobs.batch", "cronjobs.batch"),
            *_on(_WRITE, "deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps"),
        ),
    ),
    Consequence(
        "binds-roles",
        Severity.CRITICAL,
        "binds roles: with the verb bind roles that it does not have, otherwise its own to others",
        f"{_GOOD_PRACTICES}#bind-verb",
        (
            *_on(_WRITE, f"rolebindings.{_RBAC}", f"clusterrolebindings.{_RBAC}"),
            *_on(("bind",), f"roles.{_RBAC}", f"clusterroles.{_RBAC}"),
        ),
    ),
    Consequence(
        "escalates-roles",
        Severity.CRITICAL,
        "changes roles: with the verb escalate beyond what it may do itself",
        f"{_GOOD_PRACTICES}#escalate-verb",
        _on((*_WRITE, "escalate"), f"roles.{_RBAC}", f"clusterroles.{_RBAC}"),
    ),
    Consequence(
        "impersonates",
        Severity.CRITICAL,
        "acts as other users, groups or ServiceAccounts",
        f"{_GOOD_PRACTICES}#impersonate-verb",
        (
            *_on(("impersonate",), "users", "groups", "serviceaccounts"),
            *_on(("impersonate",), "uids.authentication.k8s.io", "userextras.authentication.k8s.io"),
        ),
    ),
    Consequence(
        "reaches-kubelets",
        Severity.CRITICAL,
        "uses the kubelet's API on nodes: runs commands in every pod there, past admission and the audit log",
        f"{_GOOD_PRACTICES}#access-to-proxy-subresource-of-nodes",
        _on(("get", "create", "update", "patch", "delete"), "nodes/proxy"),
    ),
    Consequence(
        "approves-certificates",
        Severity.CRITICAL,
        "approves or signs certificates, and so becomes any user",
        f"{_GOOD_PRACTICES}#csrs-and-certificate-issuing",
        (
            *_on(("update", "patch"), f"certificatesigningrequests.{_CERTIFICATES}/approval"),
            *_on(("update", "patch"), f"certificatesigningrequests.{_CERTIFICATES}/status"),
            *_on(("approve", "sign"), f"signers.{_CERTIFICATES}"),
        ),
    ),
    Consequence(
        "changes-admission",
        Severity.CRITICAL,
        "changes admission: reads or alters every object that is written, Secrets and pods included",
        f"{_GOOD_PRACTICES}#control-admission-webhooks",
        _on(
            _CHANGE,
            f"mutatingwebhookconfigurations.{_ADMISSION}",
            f"validatingwebhookconfigurations.{_ADMISSION}",
            f"validatingadmissionpolicies.{_ADMISSION}",
            f"validatingadmissionpolicybindings.{_ADMISSION}",
            f"mutatingadmissionpolicies.{_ADMISSION}",
            f"mutatingadmissionpolicybindings.{_ADMISSION}",
        ),
    ),
    Consequence(
        "redirects-the-api",
        Severity.CRITICAL,
        "registers API servers or conversion webhooks, which then see the requests and tokens of others",
        "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/",
        _on(_WRITE, "apiservices.apiregistration.k8s.io", "customresourcedefinitions.apiextensions.k8s.io"),
    ),
    Consequence(
        "makes-volumes",
        Severity.CRITICAL,
        "makes persistent volumes, of a hostPath too, and so has the files of nodes and of other namespaces",
        f"{_GOOD_PRACTICES}#persistent-volume-creation",
        _on(_WRITE, "persistentvolumes"),
    ),
    Consequence(
        "labels-namespaces",
        Severity.HIGH,
        "labels namespaces: turns Pod Security off, and makes policies take a namespace for another",
        f"{_GOOD_PRACTICES}#namespace-modification",
        _on(("update", "patch"), "namespaces"),
    ),
    Consequence(
        "changes-network-policies",
        Severity.HIGH,
        "changes network policies, and so opens the network of the namespace",
        "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        _on(
            _CHANGE,
            "networkpolicies.networking.k8s.io",
            "adminnetworkpolicies.policy.networking.k8s.io",
            "baselineadminnetworkpolicies.policy.networking.k8s.io",
            "clusternetworkpolicies.policy.networking.k8s.io",
        ),
    ),
    Consequence(
        "redirects-services",
        Severity.MEDIUM,
        "writes endpoints, and so sends the traffic of Services to addresses of its choice",
        "https://github.com/kubernetes/kubernetes/issues/103675",
        _on(_WRITE, "endpoints", "endpointslices.discovery.k8s.io"),
    ),
    Consequence(
        "takes-addresses",
        Severity.MEDIUM,
        "writes Services: with external addresses it takes over traffic to them, with node ports it opens the node",
        "https://github.com/kubernetes/kubernetes/issues/97076",
        (*_on(_WRITE, "services"), *_on(("update", "patch"), "services/status")),
    ),
    Consequence(
        "routes-traffic",
        Severity.MEDIUM,
        "writes routes, and so makes Services public or takes the host names of others",
        "https://kubernetes.io/docs/concepts/services-networking/ingress/",
        _on(
            _WRITE,
            "ingresses.networking.k8s.io",
            *(f"{kind}routes.{_GATEWAY}" for kind in ("http", "grpc", "tls", "tcp", "udp")),
            f"gateways.{_GATEWAY}",
            f"referencegrants.{_GATEWAY}",
        ),
    ),
    Consequence(
        "applies-manifests",
        Severity.HIGH,
        "writes objects from which a GitOps controller applies manifests, with the permissions of the controller",
        "https://fluxcd.io/flux/security/",
        _on(
            _WRITE,
            "kustomizations.kustomize.toolkit.fluxcd.io",
            "helmreleases.helm.toolkit.fluxcd.io",
            "applications.argoproj.io",
            "applicationsets.argoproj.io",
        ),
    ),
    Consequence(
        "writes-monitors",
        Severity.MEDIUM,
        "writes monitors, and so makes Prometheus scrape other namespaces, with Prometheus's network and tokens",
        "https://prometheus-operator.dev/docs/operator/security/",
        _on(
            _WRITE,
            f"servicemonitors.{_MONITORING}",
            f"podmonitors.{_MONITORING}",
            f"probes.{_MONITORING}",
            f"scrapeconfigs.{_MONITORING}",
        ),
    ),
    Consequence(
        "writes-rules",
        Severity.MEDIUM,
        "writes PrometheusRules, whose queries read the metrics of every tenant and may overload Prometheus",
        "https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule",
        _on(_WRITE, f"prometheusrules.{_MONITORING}"),
    ),
    Consequence(
        "routes-alerts",
        Severity.MEDIUM,
        "writes AlertmanagerConfigs, and so receives or silences alerts",
        "https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig",
        _on(_WRITE, f"alertmanagerconfigs.{_MONITORING}"),
    ),
    Consequence(
        "changes-monitoring",
        Severity.HIGH,
        "changes Prometheus or Alertmanager themselves: what they select, as whom they run, where they send",
        "https://prometheus-operator.dev/docs/operator/security/",
        _on(
            _WRITE,
            f"prometheuses.{_MONITORING}",
            f"prometheusagents.{_MONITORING}",
            f"alertmanagers.{_MONITORING}",
            f"thanosrulers.{_MONITORING}",
        ),
    ),
    Consequence(
        "changes-quotas",
        Severity.MEDIUM,
        "changes quotas or limits, and so takes capacity from other tenants",
        "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
        _on(_CHANGE, "resourcequotas", "limitranges"),
    ),
    Consequence(
        "changes-nodes",
        Severity.HIGH,
        "changes nodes: moves pods to a node of its choice, or keeps them from every node",
        f"{_GOOD_PRACTICES}#nodes",
        _on(("update", "patch", "delete"), "nodes", "nodes/status"),
    ),
    Consequence(
        "reads-logs",
        Severity.MEDIUM,
        "reads the logs of pods",
        "https://kubernetes.io/docs/concepts/security/multi-tenancy/",
        _on(("get",), "pods/log"),
    ),
)
"""The consequences, in the order of the reports."""
EVERYTHING: Final = Consequence(
    "administers",
    Severity.CRITICAL,
    "does everything with every resource",
    f"{_GOOD_PRACTICES}#least-privilege",
    (),
)
"""A rule without limits; the other consequences follow, and are not listed for it."""
