"""What the accounts and members of a tenant may do, and the objects of its namespaces."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from audit.benchmarks.result import Answer, passed, unknown
from audit.cluster import Cluster
from audit.contract import Contract
from audit.contract.document import Holder, Tenant
from audit.model.objects import Object, listed, mappings
from audit.model.permissions import ANY, EVERYBODY, Binding, Subject
from audit.permissions.permissions import Grant
from audit.pods.template import Template, templates

if TYPE_CHECKING:
    from audit.model.services import Service

_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_POLICIES = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
_FOREIGN_GROUPS = ("constraints.gatekeeper.sh", "kyverno.io", "policies.kyverno.io")


class Index:
    """An input by namespace, made once for all tenants.

    Attributes:
        missing: Bindings whose role is not known.
        templates: Pod templates by namespace.
        services: Services by namespace.
        volumes: Persistent volumes by the namespace of their claim; empty for those that are not claimed.
        foreign: Objects of policy engines.
    """

    def __init__(self, cluster: Cluster) -> None:
        inventory = cluster.inventory
        self._by_space: dict[str, list[Grant]] = defaultdict(list)
        self._by_subject: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        self._everywhere: list[Grant] = []
        self._objects: dict[tuple[str, str], list[Object]] = defaultdict(list)
        self.missing = cluster.permissions.missing
        self.templates: dict[str, list[Template]] = defaultdict(list)
        self.services: dict[str, list[Service]] = defaultdict(list)
        self.volumes: dict[str, list[Object]] = defaultdict(list)
        self.foreign: list[Object] = []
        self._add_grants(cluster)
        for kind, objects in inventory.kept.items():
            for each in objects:
                self._objects[each.namespace, kind].append(each)
                self.foreign += [each] if each.group in _FOREIGN_GROUPS else []
        for template in templates(inventory):
            self.templates[template.owner.namespace].append(template)
        for service in inventory.services:
            self.services[service.namespace].append(service)
        for volume in inventory.of_kind("PersistentVolume"):
            self.volumes[str(volume.at("spec", "claimRef", "namespace") or "")].append(volume)

    def _add_grants(self, cluster: Cluster) -> None:
        """What the input grants, besides the defaults of Kubernetes, by the namespaces that it concerns."""
        for each in cluster.permissions.grants:
            if each.default:
                continue
            spaces = {each.namespace, each.subject.home} - {""}
            if not each.namespace or each.subject.name in EVERYBODY:
                self._everywhere.append(each)
            else:
                for space in spaces:
                    self._by_space[space].append(each)
                self._by_subject[each.subject.kind, each.subject.name].append(each)

    def grants(self, tenant: Tenant) -> Iterator[Grant]:
        """Everything that may be about the accounts, the members or the objects of a tenant, each once."""
        inside = (each for space in tenant.spaces for each in self._by_space[space])
        held = (each for holder in tenant.holders for each in self._by_subject[holder.kind, holder.name])
        yield from dict.fromkeys([*inside, *held, *self._everywhere])

    def objects(self, namespace: str, kind: str) -> list[Object]:
        """Objects of a kind in a namespace."""
        return self._objects.get((namespace, kind), [])


class View:
    """A tenant in an input.

    Attributes:
        tenant: The tenant, as the contract has it.
        spaces: Its namespaces.
        contract: The contract.
        cluster: The input.
        inventory: Its objects.
        index: The same, by namespace.
        grants: What its accounts and members may do.
    """

    def __init__(self, tenant: Tenant, contract: Contract, cluster: Cluster, index: Index) -> None:
        self.tenant = tenant
        self.spaces = tenant.spaces
        self.contract = contract
        self.cluster = cluster
        self.inventory = cluster.inventory
        self.index = index
        self.grants = [each for each in index.grants(tenant) if self._acts(each.subject, each.namespace)]
        self._missing = [each for each in index.missing if self._concerns(each)]

    @property
    def self_service(self) -> set[str]:
        """What the contract means the tenant to do in its namespaces, as `tenantry audit permissions` names it."""
        held = {name for each in self.tenant.holders for name in each.consequences}
        return held | set(self.tenant.consequences)

    def objects(self, *kinds: str) -> list[Object]:
        """Objects of its namespaces."""
        return [each for space in self.spaces for kind in kinds for each in self.index.objects(space, kind)]

    def may(
        self, verbs: Iterable[str], resource: str, group: str = "", *, spaces: Iterable[str] | None = None
    ) -> Grant | None:
        """A grant that lets an account or member of the tenant do one of these things in one of some namespaces.

        Args:
            verbs: The verbs, of which one is sufficient.
            resource: Plural name of the resource.
            group: Its API group.
            spaces: The namespaces; all of the tenant, if absent.
        """
        wanted = tuple(verbs)
        where = {"", *(self.spaces if spaces is None else spaces)}
        for each in self.grants:
            inside = each.namespace in where
            if inside and any(each.rule.may_allow(verb, group, resource) for verb in wanted):
                return each
        return None

    def may_all(self, verbs: Iterable[str], resource: str, group: str) -> bool:
        """Whether the accounts and members of the tenant may do all of these things."""
        return all(self.may([verb], resource, group) for verb in verbs)

    def unless_missing(self, reason: str, otherwise: Callable[[str], Answer] = passed) -> Answer:
        """A pass or another answer, unless a binding gives the tenant a role that the input does not hold."""
        for each in self._missing:
            gives = f"{each.reference} gives {each.role_reference}, which the input does not hold"
            return unknown(gives, each.place.at("roleRef", "name"))
        return otherwise(reason)

    def refusing(self, resource: str) -> list[Object]:
        """Objects that may refuse a kind of object in its namespaces, and that the audit does not evaluate."""
        found = self.inventory.of_kind(*_POLICIES, *_WEBHOOKS)
        return [*(each for each in found if _matches(each, resource)), *self.index.foreign]

    def _acts(self, subject: Subject, namespace: str) -> bool:
        """Whether a subject acts for the tenant: its accounts, its members, and groups of every account."""
        if subject.home:
            return subject.home in self.spaces
        if subject.name in EVERYBODY:
            return True
        if any(_is(each, subject) for each in self.tenant.holders):
            return True
        return namespace in self.spaces and not any(_is(each, subject) for each in self.contract.spec.holders)

    def _concerns(self, binding: Binding) -> bool:
        return any(self._acts(each, binding.namespace) for each in binding.subjects)


def _is(holder: Holder, subject: Subject) -> bool:
    return (holder.kind, holder.name) == (subject.kind, subject.name)


def _matches(given: Object, resource: str) -> bool:
    """Whether the rules of an admission policy or a webhook match a resource."""
    rules = mappings(given.at("spec", "matchConstraints", "resourceRules"))
    rules += [rule for hook in mappings(given.at("webhooks")) for rule in mappings(hook.get("rules"))]
    resources = {str(name) for rule in rules for name in listed(rule.get("resources"))}
    return not resources.isdisjoint({resource, ANY, f"{ANY}/{ANY}"})
