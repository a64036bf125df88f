"""The Multi-Tenancy Benchmarks, asked of a cluster: with a tenant's token, by dry runs, and by connections."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from audit.benchmarks.pods import NAMES, harmless, refused
from inference import contract
from tests.e2e.api import Account, Resource
from tests.e2e.cluster import LiveCluster

Object = dict[str, Any]
Answer = tuple[str, str]
"""An outcome and its reason."""
RBAC: Final = "rbac.authorization.k8s.io"
VERBS: Final = ("get", "list", "create", "update", "patch", "watch", "delete", "deletecollection")
_CHANGE: Final = ("create", "update", "patch", "delete", "deletecollection")
_ISOLATING: Final = (
    ("networkpolicies", "networking.k8s.io"),
    ("resourcequotas", ""),
    ("limitranges", ""),
    ("roles", RBAC),
    ("rolebindings", RBAC),
)
_COUNTED: Final = (
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
)
DRY_RUN: Final = "--dry-run=server"


@dataclass
class Tenant:
    """A tenant of a cluster, and what asks for it.

    Attributes:
        name: Its name, and that of its namespace.
        others: The other tenants.
        cluster: The cluster.
        account: Its account, with a real token.
        stranger: An account without any Role: what it may do, everybody may.
        served: The resources that the API server serves.
        questions: How much was asked, by kind.
    """

    name: str
    others: Sequence[str]
    cluster: LiveCluster
    account: Account
    stranger: Account
    served: Sequence[Resource]
    questions: dict[str, int] = field(default_factory=dict)

    def answers(self) -> dict[str, Answer]:
        """What the cluster says to every check."""
        found = {name: self._pods(name) for name in NAMES}
        found |= {name: ask(self) for name, ask in _ASKED.items()}
        return found

    def count(self, kind: str, number: int = 1) -> None:
        """Add questions of a kind."""
        self.questions[kind] = self.questions.get(kind, 0) + number

    def allowed(self, wanted: Iterable[tuple[str, str, str, str]]) -> list[str]:
        """What of verbs, groups, resources and namespaces the account may, and not everybody."""
        questions = list(wanted)
        self.count("access reviews", len(questions))
        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda each: self.account.may(*each), questions))
        mine = [each for each, yes in zip(questions, said, strict=True) if yes]
        return [f"{each[0]} {each[2]}" for each in mine if not self.stranger.may(*each)]

    def _pods(self, name: str) -> Answer:
        """Whether the API server refuses the pods of a check, and accepts the harmless one."""
        self.count("pods offered in a dry run", 1 + len(refused(name, self.name)))
        said = self.cluster.try_create(harmless(self.name), DRY_RUN)
        if said:
            return "unknown", f"the harmless pod is refused, too: {said}"
        for what, pod in refused(name, self.name).items():
            said = self.cluster.try_create(pod, DRY_RUN)
            if "violates PodSecurity" not in said:
                return "fail", f"a pod with {what} is {'refused otherwise' if said else 'accepted'}"
        return "pass", "Pod Security refuses the pods"

    def items(self, kind: str) -> list[Object]:
        """Objects of its namespace."""
        return self.cluster.items(kind, "-n", self.name)

    def limits(self) -> dict[str, str]:
        """What its quotas limit."""
        return {key: value for each in self.items("resourcequotas") for key, value in each["spec"]["hard"].items()}


def _verdict(may: list[str], passes: str) -> Answer:
    return ("fail", f"its account may {', '.join(may[:3])}") if may else ("pass", passes)


def _cluster_resources(tenant: Tenant) -> Answer:
    whole = [each for each in tenant.served if not each.namespaced and "/" not in each.name]
    may = tenant.allowed((verb, each.group, each.name, "") for each in whole for verb in VERBS if verb in each.verbs)
    return _verdict(may, f"its account may use none of {len(whole)} resources of the cluster")


def _other_tenants(tenant: Tenant) -> Answer:
    inside = [each for each in tenant.served if each.namespaced and "/" not in each.name]
    may = tenant.allowed(
        (verb, each.group, each.name, other)
        for each in inside
        for verb in VERBS
        if verb in each.verbs
        for other in tenant.others
    )
    return _verdict(may, f"its account may use none of {len(inside)} resources in other tenants' namespaces")


def _in_its_namespace(questions: Sequence[tuple[str, str, str]], passes: str) -> Callable[[Tenant], Answer]:
    """Verbs, groups and resources that its account must not have."""

    def ask(tenant: Tenant) -> Answer:
        return _verdict(tenant.allowed((*each, tenant.name) for each in questions), passes)

    return ask


def _self_service(*resources: tuple[str, str]) -> Callable[[Tenant], Answer]:
    def ask(tenant: Tenant) -> Answer:
        wanted = [(verb, group, name, tenant.name) for name, group in resources for verb in ("get", *_CHANGE)]
        if len(tenant.allowed(wanted)) == len(wanted):
            return "pass", "its account may manage them"
        return "not applicable", "the platform manages them: its account may not"

    return ask


def _quotas(tenant: Tenant) -> Answer:
    limits = tenant.limits()
    wanted = ("cpu", "memory", "ephemeral-storage")
    missing = [each for each in wanted if not {each, f"requests.{each}", f"limits.{each}"} & set(limits)]
    return ("fail", f"no quota limits {', '.join(missing)}") if missing else ("pass", "quotas limit all three")


def _object_quotas(tenant: Tenant) -> Answer:
    open_kinds = [each for each in _COUNTED if not {each, f"count/{each}"} & set(tenant.limits())]
    may = tenant.allowed(("create", "", each, tenant.name) for each in open_kinds)
    return _verdict(may, "quotas limit what its account may create")


def _node_ports(tenant: Tenant) -> Answer:
    tenant.count("Services offered in a dry run")
    metadata = {"name": "benchmark", "namespace": tenant.name}
    spec = {"type": "NodePort", "selector": {"app": "benchmark"}, "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    said = tenant.cluster.try_create(service, DRY_RUN)
    return ("pass", "the API server refuses one") if said else ("fail", "the API server accepts one")


def _image_pulls(tenant: Tenant) -> Answer:
    named = [each for each in tenant.items("serviceaccounts") if each.get("imagePullSecrets")]
    named += [each for each in tenant.items("pods") if each["spec"].get("imagePullSecrets")]
    if not named:
        return "not applicable", "neither pods nor accounts have imagePullSecrets"
    pod = harmless(tenant.name)
    pod["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    done = tenant.cluster.kubectl.try_run("create", "-f", "-", DRY_RUN, "-o", "json", stdin=json.dumps(pod))
    if done.returncode:
        return "pass", "the API server refuses a pod with another policy"
    policy = json.loads(done.stdout)["spec"]["containers"][0]["imagePullPolicy"]
    return ("pass" if policy == "Always" else "fail"), f"the API server makes it {policy}"


def _volumes(tenant: Tenant) -> Answer:
    may = tenant.allowed([("create", "", "persistentvolumeclaims", tenant.name)])
    claims = tenant.items("persistentvolumeclaims")
    if not may and not claims:
        return "not applicable", "it has no claims, and its account may not create one"
    return "unknown", "it has, or may create, claims for volumes"


def _network(tenant: Tenant) -> Answer:
    """Connections from its pods to those of the others, which answer their own."""
    source = tenant.cluster.ready_pods(tenant.name)[0]["metadata"]["name"]
    targets = {
        name: ["tcp", tenant.cluster.ready_pods(name)[0]["status"]["podIP"], contract.PORT]
        for name in (tenant.name, *tenant.others)
    }
    tenant.count("connections", 2 * len(targets))
    order = {"attempts": 2, "seconds": 3, "targets": targets}
    said = tenant.cluster.python(tenant.name, source, "probe", order)
    if "open" not in said[tenant.name]:
        return "unknown", "its pods do not answer each other, so silence shows nothing"
    reached = [name for name in tenant.others if "open" in said[name]]
    return ("fail", f"its pods reach {', '.join(reached)}") if reached else ("pass", "others do not answer its pods")


_ASKED: Final[Mapping[str, Callable[[Tenant], Answer]]] = {
    "block-access-to-cluster-resources": _cluster_resources,
    "block-multitenant-resources": _in_its_namespace(
        [(verb, group, name) for name, group in _ISOLATING for verb in _CHANGE[1:]],
        "its account may not change policies, quotas, limits, Roles and bindings",
    ),
    "block-other-tenant-resources": _other_tenants,
    "require-always-pull-image": _image_pulls,
    "configure-ns-quotas": _quotas,
    "configure-ns-object-quota": _object_quotas,
    "block-use-of-nodeport-services": _node_ports,
    "block-ns-quota": _in_its_namespace(
        [(verb, "", "resourcequotas") for verb in _CHANGE], "its account may not change quotas"
    ),
    "block-role-privilege-escalation": _in_its_namespace(
        [(verb, RBAC, name) for verb in ("bind", "escalate") for name in ("roles", "clusterroles")],
        "its account may neither bind nor escalate",
    ),
    "create-network-policies": _self_service(("networkpolicies", "networking.k8s.io")),
    "create-role-bindings": _self_service(("roles", RBAC), ("rolebindings", RBAC)),
    "self-service-roles": _self_service(("roles", RBAC)),
    "require-reclaim-policy-delete": _volumes,
    "block-use-of-existing-pvs": _volumes,
    "block-network-across-tenants": _network,
}
