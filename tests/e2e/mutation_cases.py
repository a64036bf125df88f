"""The mutations: defects of a tenant's objects, each with the promise that it breaks and the tests that detect it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

TENANT: Final = "tenant-a"
Object = dict[str, Any]
EVERY_NAMESPACE: Final[Object] = {"namespaceSelector": {}}


@dataclass(frozen=True)
class Mutation:
    """One defect.

    Attributes:
        what: The defect, in one line.
        kind, name: The tenant's object that is changed.
        change: Changes the object; None deletes it.
        promise: The promise that the report must name.
        tests: The tests that can detect it, as an expression for pytest's -k.
        options: Options of the suite that make the defect, if the tests apply the object themselves; `kind` is then
            empty.
    """

    what: str
    kind: str
    name: str
    change: Callable[[Object], object] | None
    promise: str
    tests: str
    options: tuple[str, ...] = ()


def _rules(object_: Object) -> list[Object]:
    rules: list[Object] = object_["rules"]
    return rules


def _container(object_: Object) -> Object:
    container: Object = object_["spec"]["template"]["spec"]["containers"][0]
    return container


def _no_exceptions(policy: Object) -> None:
    for peer in policy["spec"]["egress"][0]["to"]:
        peer["ipBlock"].pop("except", None)


OWN: Final = f"{TENANT}-ml-inference"
MUTATIONS: Final = (
    Mutation("no default deny", "NetworkPolicy", "default-deny", None, "structure", "same_objects"),
    Mutation(
        "Prometheus is not allowed", "NetworkPolicy", "allow-prometheus", None, "network", "test_cell and Prometheus"
    ),
    Mutation(
        "the store cannot be reached", "NetworkPolicy", "allow-model-store", None, "network", "test_cell and store"
    ),
    Mutation(
        "every namespace is allowed",
        "NetworkPolicy",
        "allow-same-namespace",
        lambda each: each["spec"]["ingress"][0]["from"].append(EVERY_NAMESPACE),
        "network",
        "test_cell and Service",
    ),
    Mutation(
        "private addresses count as public",
        "NetworkPolicy",
        "allow-world-https",
        _no_exceptions,
        "network",
        "test_cell and elsewhere",
    ),
    Mutation(
        "every port is open to Prometheus",
        "NetworkPolicy",
        "allow-prometheus",
        lambda each: each["spec"]["ingress"][0].pop("ports"),
        "network",
        "test_cell and 8001",
    ),
    Mutation(
        "every pod of a client's namespace is allowed",
        "NetworkPolicy",
        "allow-clients",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].pop("matchExpressions"),
        "network",
        "test_cell and client",
    ),
    Mutation(
        "a client is allowed from every namespace",
        "NetworkPolicy",
        "allow-clients",
        lambda each: each["spec"]["ingress"][0]["from"][0]["namespaceSelector"].pop("matchLabels"),
        "network",
        "test_cell and client",
    ),
    Mutation("the client is not allowed", "NetworkPolicy", "allow-clients", None, "network", "test_cell and client"),
    Mutation(
        "every pod of the gateway's namespace is allowed",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].pop("matchExpressions"),
        "network",
        "test_cell and gateway",
    ),
    Mutation(
        "a gateway is allowed from every namespace",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["namespaceSelector"].pop("matchLabels"),
        "network",
        "test_cell and gateway",
    ),
    Mutation("the gateway is not allowed", "NetworkPolicy", "allow-gateway", None, "network", "test_cell and gateway"),
    Mutation("a real gateway is not allowed", "NetworkPolicy", "allow-gateway", None, "gateway", "listed_path"),
    Mutation(
        "a real gateway's pods are not selected",
        "NetworkPolicy",
        "allow-gateway",
        lambda each: each["spec"]["ingress"][0]["from"][0]["podSelector"].update(matchLabels={"app": "gateway"}),
        "gateway",
        "listed_path",
    ),
    Mutation(
        "metrics are routed",
        "HTTPRoute",
        OWN,
        lambda each: each["spec"]["rules"][0]["matches"].append({"path": {"type": "Exact", "value": "/metrics"}}),
        "gateway",
        "not_routed",
    ),
    Mutation(
        "every path is routed",
        "HTTPRoute",
        OWN,
        lambda each: each["spec"]["rules"][0].pop("matches"),
        "gateway",
        "not_routed",
    ),
    Mutation(
        "the Role reads Secrets",
        "Role",
        OWN,
        lambda each: _rules(each)[0]["resources"].append("secrets"),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "the Role deletes pods",
        "Role",
        OWN,
        lambda each: _rules(each)[0]["verbs"].append("delete"),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "the binding is for every account",
        "RoleBinding",
        OWN,
        lambda each: each["subjects"].append(
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}
        ),
        "rbac",
        "nothing_else",
    ),
    Mutation(
        "Pod Security is only baseline",
        "Namespace",
        TENANT,
        lambda each: each["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": "baseline"}),
        "containers",
        "pod_security",
    ),
    Mutation(
        "the root file system is writable",
        "Deployment",
        OWN,
        lambda each: _container(each)["securityContext"].pop("readOnlyRootFilesystem"),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "capabilities are kept",
        "Deployment",
        OWN,
        lambda each: _container(each)["securityContext"].pop("capabilities"),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "the pod gets a token",
        "Deployment",
        OWN,
        lambda each: each["spec"]["template"]["spec"].update({"automountServiceAccountToken": True}),
        "containers",
        "sets_every_field",
    ),
    Mutation(
        "the quota is lower",
        "ResourceQuota",
        OWN,
        lambda each: each["spec"]["hard"].update({"pods": "12"}),
        "fairness",
        "quota_refuses",
    ),
    Mutation(
        "NodePorts are allowed",
        "ResourceQuota",
        OWN,
        lambda each: each["spec"]["hard"].pop("services.nodeports"),
        "fairness",
        "open_nodes",
    ),
    Mutation(
        "pods may be larger",
        "LimitRange",
        OWN,
        lambda each: [item["max"].update({"memory": "1Gi"}) for item in each["spec"]["limits"]],
        "fairness",
        "oversize",
    ),
    Mutation(
        "pods may use more disk space",
        "LimitRange",
        OWN,
        lambda each: [item["max"].update({"ephemeral-storage": "1Gi"}) for item in each["spec"]["limits"]],
        "fairness",
        "oversize",
    ),
    Mutation(
        "the autoscaler goes to 20",
        "HorizontalPodAutoscaler",
        OWN,
        lambda each: each["spec"].update({"maxReplicas": 20}),
        "structure",
        "same_objects",
    ),
    Mutation("no ServiceMonitor", "ServiceMonitor", OWN, None, "structure", "same_objects"),
    Mutation("no key is required", "", "", None, "keys", "without_a_secret", options=("--no-key-check",)),
)


def broken(mutation: Mutation, sound: list[Object]) -> tuple[Object, Object | None]:
    """The object of a mutation, before and after the change (None: deleted)."""
    found = [
        each
        for each in sound
        if (each["kind"], each["metadata"]["name"]) == (mutation.kind, mutation.name)
        and each["metadata"].get("namespace", TENANT) == TENANT
    ]
    if len(found) != 1:
        raise SystemExit(
            f"'{mutation.what}' is about {mutation.kind} {mutation.name}, which dist/ contains {len(found)} times"
        )
    if mutation.change is None:
        return found[0], None
    changed = copy.deepcopy(found[0])
    mutation.change(changed)
    if changed == found[0]:
        raise SystemExit(f"'{mutation.what}' changes nothing")
    return found[0], changed
