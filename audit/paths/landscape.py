"""The input, arranged for the planes: the node of each object."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from audit.cluster import Cluster
from audit.engine.through_services import selected
from audit.metrics.servers import Servers, pods_of
from audit.model.addresses import Address
from audit.model.inventory import Inventory
from audit.model.objects import Object
from audit.model.place import Place
from audit.model.pods import Workload
from audit.model.services import Service
from audit.model.truth import NO, YES
from audit.paths.graph import Kind, Node
from audit.pods import Level
from audit.pods.findings import enforced
from audit.pods.template import Template, templates

if TYPE_CHECKING:
    from audit.model.permissions import Account


class Landscape:
    """Workloads, templates and accounts by their nodes.

    Attributes:
        cluster: The input.
        inventory: Its objects.
        namespaces: The namespaces that it declares, and those of its objects.
        workloads: Every workload, by its node.
        templates: The pod templates of workloads, by the same nodes.
        servers: The Prometheus objects.
        operated: Those whose pods are not in the input, because only an operator makes them, by the nodes of these.
        accounts: ServiceAccounts that the input declares or uses, by namespace and name.
        services: The Services, by namespace and name.
        filled: ExternalSecrets that a store of the whole cluster fills, by the name of the store.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.inventory = cluster.inventory
        names: dict[tuple[str, str], list[Workload]] = defaultdict(list)
        for each in self.inventory.workloads:
            names[each.namespace, each.name].append(each)
        objects = (each for kept in self.inventory.kept.values() for each in kept)
        self.namespaces = list(
            dict.fromkeys([*self.inventory.namespaces, *(each.namespace for each in objects if each.namespace)])
        )
        self.workloads: dict[Node, Workload] = {}
        self._of: dict[int, Node] = {}
        self._by_kind: dict[tuple[str, str, str], Node] = {}
        self._in: dict[str, list[Node]] = defaultdict(list)
        for (namespace, name), alike in names.items():
            for each in alike:
                node = Node(Kind.PODS, namespace, name if len(alike) == 1 else f"{each.kind}/{name}")
                self.workloads[node] = each
                self._of[id(each)] = node
                self._by_kind[each.kind, namespace, name] = node
                self._in[namespace].append(node)
        self.templates: dict[Node, Template] = {}
        self.accounts: dict[tuple[str, str], Account | None] = {
            (each.namespace, each.name): each for each in self.inventory.accounts
        }
        for template in templates(self.inventory):
            owner = template.owner
            node_of = self._by_kind.get((owner.kind, owner.namespace, owner.name))
            if node_of is not None:
                self.templates[node_of] = template
                self.accounts.setdefault((owner.namespace, template.account), None)
        self.servers = Servers(self.inventory)
        self.operated = dict(self._operated())
        self.services = {(each.namespace, each.name): each for each in self.inventory.services}
        self._at: dict[Address, list[Workload]] = defaultdict(list)
        for workload in self.inventory.workloads:
            for address in {each for pods in workload.pods if not pods.host_network for each in pods.addresses}:
                self._at[address].append(workload)
        self.filled = _filled(self.inventory)
        self._accounts_in: dict[str, list[Node]] = defaultdict(list)
        for namespace, name in self.accounts:
            self._accounts_in[namespace].append(Node(Kind.ACCOUNT, namespace, name))

    def _operated(self) -> Iterator[tuple[Node, Object]]:
        for server in self.servers.all:
            made = [end.pods for end in pods_of(server, self.inventory, self.cluster.references)]
            known = (pods for each in self.pods(server.namespace) for pods in self.workloads[each].pods)
            if not any(each in made for each in known):
                yield Node(Kind.PODS, server.namespace, f"Prometheus/{server.name}"), server

    def behind(self, service: Service) -> Iterator[tuple[Node, bool]]:
        """Traffic to the pods that a Service selects, or may select, and whether it certainly selects them."""
        for workload, truth in selected(service, self.inventory):
            yield Node(Kind.REACHED, service.namespace, self.node(workload).name), truth is YES
        for node, server in self.operated.items():
            made = pods_of(server, self.inventory, self.cluster.references)
            labels = [each.pods.labels for each in made if each.pods is not None]
            if service.selector is not None and service.namespace == node.namespace:
                truth = max(service.selector.matches(each) for each in labels)
                if truth is not NO:
                    yield Node(Kind.REACHED, node.namespace, node.name), truth is YES

    def traffic_to(self, namespace: str, name: str) -> list[tuple[Node, bool]]:
        """Traffic to what a Service leads to; of the whole namespace if the input holds none of it."""
        service = self.services.get((namespace, name))
        found = list(self.behind(service)) if service else []
        return found or [(Node(Kind.REACHED, namespace), True)]

    def at(self, address: Address) -> list[tuple[Workload, Node]]:
        """The workloads with a pod that has an address."""
        return [(each, self.node(each)) for each in self._at.get(address, ())]

    def node(self, workload: Workload) -> Node:
        """The node of a workload's pods."""
        return self._of[id(workload)]

    def pods(self, namespace: str) -> list[Node]:
        """The workloads of a namespace."""
        return self._in.get(namespace, [])

    def accounts_of(self, namespace: str) -> list[Node]:
        """The accounts of a namespace; every namespace has one named default."""
        default = Node(Kind.ACCOUNT, namespace, "default")
        found = self._accounts_in.get(namespace, [])
        return found if default in found else [*found, default]

    def holds(self, node: Node) -> bool:
        """Whether the input holds what a node is about; false only for an account that it does not know."""
        return node.kind is not Kind.ACCOUNT or node in self.accounts_of(node.namespace)

    def place(self, node: Node) -> Place | None:
        """The place of a node's object."""
        if node in self.workloads:
            return self.workloads[node].place
        account = self.accounts.get((node.namespace, node.name)) if node.kind is Kind.ACCOUNT else None
        return account.place if account else None

    def refuses_baseline(self, namespace: str) -> bool | None:
        """Whether the API server refuses pods that the level baseline forbids; None where that is not known."""
        level = enforced(self.inventory, namespace)
        return None if level is None else level[0] is not Level.PRIVILEGED

    def refused(self, node: Node) -> bool:
        """Whether the API server refuses a workload's pods because they are on the host network."""
        template = self.templates.get(node)
        on_host = template is not None and template.spec.get("hostNetwork") is True
        return on_host and self.refuses_baseline(node.namespace) is True

    def starts(self, namespace: str) -> Iterator[Node]:
        """What a tenant has: its pods, its accounts and what its manifests configure."""
        yield from self.pods(namespace)
        yield from self.accounts_of(namespace)
        yield Node(Kind.MANIFESTS, namespace)


def _filled(inventory: Inventory) -> Mapping[str, list[Object]]:
    """The ExternalSecrets that a store of the whole cluster fills, by the name of the store."""
    found: dict[str, list[Object]] = defaultdict(list)
    for each in inventory.of_kind("ExternalSecret"):
        if each.at("spec", "secretStoreRef", "kind") == "ClusterSecretStore":
            found[str(each.at("spec", "secretStoreRef", "name"))].append(each)
    return found
