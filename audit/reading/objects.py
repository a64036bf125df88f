"""Documents to an inventory: every object is built by its kind, and what is invalid becomes a problem."""

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from audit.errors import Problem
from audit.model.grants import GATEWAY_API
from audit.model.inventory import Inventory, Node
from audit.model.labels import NAMESPACE_NAME, Labels
from audit.model.objects import Object
from audit.model.place import Path, Place
from audit.model.pods import Namespace
from audit.model.policies import OpaquePolicy, Policy
from audit.reading import checks, kinds, rbac, schema
from audit.reading.admin_policies import admin_policy
from audit.reading.checks import InvalidError
from audit.reading.documents import DataDocument, TextDocument
from audit.reading.grants import reference_grant
from audit.reading.items import items, reread
from audit.reading.network_policies import network_policy
from audit.reading.routes import ROUTE_KINDS, gateway_route, ingress
from audit.reading.service_endpoints import ServiceEndpoints
from audit.reading.services import service
from audit.reading.workloads import POD, TEMPLATES, Made, has_template, made, workloads
from audit.reading.yaml_text import YamlError

if TYPE_CHECKING:
    from audit.model.grants import ReferenceGrant
    from audit.model.permissions import Account, Binding, Role
    from audit.model.services import Route, Service


_FORM: Final = "Give the object the form that the API documents."


class Reader:
    """Collects objects; `inventory` gives the result.

    Args:
        default_namespace: Namespace of objects that do not name one.
        details: Whether to keep, besides what the network needs, every object and its data.

    Attributes:
        problems: What is invalid, in the order of the input.
        objects: How many objects were seen, of every kind.
    """

    def __init__(self, default_namespace: str = "default", *, details: bool = False) -> None:
        self.problems: list[Problem] = []
        self.objects = 0
        self._default_namespace = default_namespace
        self._details = details
        self._kept: dict[str, list[Object]] = defaultdict(list)
        self._roles: list[Role] = []
        self._bindings: list[Binding] = []
        self._accounts: list[Account] = []
        self._declared: dict[str, Namespace] = {}
        self._mentioned: dict[str, Namespace] = {}
        self._made: list[Made] = []
        self._policies: list[Policy] = []
        self._opaque: list[OpaquePolicy] = []
        self._services: list[Service] = []
        self._endpoints = ServiceEndpoints()
        self._routes: list[Route] = []
        self._grants: list[ReferenceGrant] = []
        self._nodes: list[Node] = []
        self._seen: dict[tuple[str, str, str, str], Place] = {}
        self._builders: dict[tuple[str, str], Callable[[Object], None]] = {
            ("", "Namespace"): self._declare,
            ("", "Node"): self._node,
            ("", "Service"): self._service,
            ("", "Endpoints"): self._endpoints.add,
            ("discovery.k8s.io", "EndpointSlice"): self._endpoints.add_slice,
            ("networking.k8s.io", "Ingress"): self._ingress,
            **{(GATEWAY_API, kind): self._route for kind in ROUTE_KINDS},
            (GATEWAY_API, "ReferenceGrant"): self._grant,
            kinds.NETWORK_POLICY: self._network_policy,
        }
        if details:
            self._builders |= {
                (rbac.GROUP, "Role"): self._role,
                (rbac.GROUP, "ClusterRole"): self._role,
                (rbac.GROUP, "RoleBinding"): self._binding,
                (rbac.GROUP, "ClusterRoleBinding"): self._binding,
                ("", "ServiceAccount"): self._account,
            }

    def add(self, document: TextDocument | DataDocument) -> None:
        """Read a document and keep what it declares."""
        if isinstance(document, TextDocument):
            if self._details and document.kind in kinds.ONLY_METADATA:
                document = document.without_content()
            elif not self._details and not kinds.worth_parsing(document.kind, document.source):
                self.objects += 1
                return
        try:
            data = document.data()
        except YamlError as error:
            self._broken(document, error)
            return
        for path, each in items(data, ()):
            self._object(each, Place(document, path))

    def inventory(self) -> Inventory:
        """Everything that was read."""
        policies = sorted(self._policies, key=lambda policy: policy.priority)
        found = tuple(workloads(self._with_declared_namespaces()))
        return Inventory(
            namespaces={**self._mentioned, **self._declared},
            workloads=found,
            policies=tuple(policies),
            opaque=tuple(self._opaque),
            services=tuple(map(self._endpoints.complete, self._services)),
            routes=tuple(self._routes),
            grants=tuple(self._grants),
            nodes=tuple(self._nodes),
            roles=tuple(self._roles),
            bindings=tuple(self._bindings),
            accounts=tuple(self._accounts),
            kept=self._kept,
            objects=self.objects,
        )

    def _with_declared_namespaces(self) -> Iterator[Made]:
        """Workloads with the labels of their namespaces, which may come after them in the input."""
        for each in self._made:
            declared = self._declared.get(each.namespace)
            yield replace(each, pods=replace(each.pods, namespace=declared)) if declared else each

    def _broken(self, document: TextDocument | DataDocument, error: YamlError) -> None:
        """Note a document that is not YAML; one that looks like a policy may restrict anything."""
        rule = _hint(document, error)
        self.problems.append(Problem(file=document.file, line=error.line, subject="", message=str(error), rule=rule))
        kind = document.kind if isinstance(document, TextDocument) else None
        if kind is None or kinds.restricts(kind):
            reason = f"it is not valid YAML ({document.file}:{error.line})"
            self._opaque.append(OpaquePolicy(kind or "document", None, "", reason, Place(document)))

    def _object(self, data: Any, place: Place) -> None:
        if not isinstance(data, dict):
            self._problem(place, "", (), f"{checks.shown(data)} is not an object", "Write a mapping with a kind.")
            return
        if "kind" not in data and "apiVersion" not in data:
            return  # values of a chart, say: not an object of Kubernetes
        kind, version = data.get("kind"), data.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(version, str):
            lacks = "kind" if not isinstance(kind, str) else "apiVersion"
            self._problem(place, "", (), f"the object has no {lacks}", "Every object has apiVersion and kind.")
            return
        self.objects += 1
        group, _, number = version.rpartition("/")
        build = self._builder(group, kind, number, data)
        if build is None:
            return
        metadata = data.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        named = "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
        try:
            found = self._identified(group, kind, number, data, place)
            if found is not None:
                build(found)
                self._kept[kind] += [found] if self._details else []
        except InvalidError as error:
            self._problem(place, f"{kind} {named}", error.path, error.message, error.rule)
            if kinds.restricts(kind):
                namespace = None
                if (group, kind) == kinds.NETWORK_POLICY:
                    namespace = str(metadata.get("namespace") or self._default_namespace)
                reason = f"it is invalid: {error.message}"
                self._opaque.append(OpaquePolicy(kind, namespace, str(metadata.get("name", "")), reason, place))
        except ValueError as error:
            self._problem(place, f"{kind} {named}", (), str(error), _FORM)

    def _builder(self, group: str, kind: str, version: str, data: dict[str, Any]) -> Callable[[Object], None] | None:
        """What keeps an object of a kind, or None where the audit has no use for it."""
        if group == kinds.POLICY_GROUP and version in kinds.ADMIN_VERSIONS.get(kind, ()):
            return self._admin_policy
        if (group, kind) in self._builders:
            return self._builders[group, kind]
        if kinds.restricts(kind):
            return self._unsupported
        if (group, kind) == POD or (group, kind) in TEMPLATES or has_template(data):
            return self._workload
        return _keep if self._details else None

    def _identified(self, group: str, kind: str, version: str, data: dict[str, Any], place: Place) -> Object | None:
        """An object with its name and namespace, or None where it was read before."""
        metadata = checks.convert(data.get("metadata") or {}, schema.Metadata, ("metadata",))
        name = metadata.name or (f"{metadata.generate_name}*" if metadata.generate_name else "")
        if not name:
            raise InvalidError(("metadata",), "the object has no name", "Give it metadata.name.")
        namespace = "" if kind in kinds.CLUSTER_WIDE else metadata.namespace or self._default_namespace
        earlier = self._seen.get((group, kind, namespace, name)) if metadata.name else None
        if earlier is not None:
            if reread(earlier) == data:
                return None
            first = f"{earlier.file}:{earlier.line}"
            rule = f"It first stands in {first}; keep one, or audit the folders one at a time."
            raise InvalidError((), "the object is declared twice, differently", rule)
        self._seen[group, kind, namespace, name] = place
        return Object(group, kind, version, namespace, name, data, place)

    def _namespace(self, name: str) -> Namespace:
        return self._mentioned.setdefault(name, Namespace.mentioned(name))

    def _declare(self, given: Object) -> None:
        labels = {**_labels(given), NAMESPACE_NAME: given.name}
        self._declared[given.name] = Namespace(given.name, Labels(labels), given.place)

    def _node(self, given: Object) -> None:
        status = checks.convert(given.data.get("status") or {}, schema.NodeStatus, ("status",))
        ips = [each.address for each in status.addresses or () if each.type in {"InternalIP", "ExternalIP"}]
        self._nodes.append(Node(given.name, Labels(_labels(given)), tuple(map(ipaddress.ip_address, ips))))

    def _network_policy(self, given: Object) -> None:
        self._namespace(given.namespace)
        self._policies.append(network_policy(given.data, given.namespace, given.name, given.place))

    def _admin_policy(self, given: Object) -> None:
        self._policies.append(admin_policy(given.kind, given.data, given.name, given.place))

    def _unsupported(self, given: Object) -> None:
        metadata = given.data.get("metadata") or {}
        namespace = kinds.scope(given.kind, metadata, self._default_namespace)
        reason = f"the audit does not evaluate {given.kind} of {given.group or 'the core group'}/{given.version}"
        self._opaque.append(OpaquePolicy(given.kind, namespace, given.name, reason, given.place))

    def _service(self, given: Object) -> None:
        self._namespace(given.namespace)
        self._services.append(service(given.data, given.namespace, given.name, given.place))

    def _route(self, given: Object) -> None:
        self._routes += gateway_route(given.kind, given.data, given.namespace, given.name, given.place)

    def _grant(self, given: Object) -> None:
        self._grants.append(reference_grant(given))

    def _ingress(self, given: Object) -> None:
        self._routes += ingress(given.data, given.namespace, given.name, given.place)

    def _workload(self, given: Object) -> None:
        key = (given.group, given.kind)
        found = made(key, given.data, self._namespace(given.namespace), given.name, given.place)
        self._made += [found] if found else []

    def _role(self, given: Object) -> None:
        self._roles.append(rbac.role(given))

    def _binding(self, given: Object) -> None:
        self._bindings.append(rbac.binding(given))

    def _account(self, given: Object) -> None:
        self._accounts.append(rbac.account(given))

    def _problem(self, place: Place, subject: str, path: Path, message: str, rule: str) -> None:
        where = place.at(*path)
        self.problems.append(Problem(file=where.file, line=where.line, subject=subject, message=message, rule=rule))


def _keep(given: Object) -> None:
    """Nothing to build of an object that is kept as it is."""
    del given


def _hint(document: TextDocument | DataDocument, error: YamlError) -> str:
    """What to do about text that is not YAML."""
    if "{{" in document.text(error.line):
        return "It looks like a template: render it first, for example with 'helm template'."
    if "'apiVersion' appears twice" in str(error):
        return "A line '---' between two documents is missing."
    return "Correct the text; it is not valid YAML, or not safe to expand."


def _labels(given: Object) -> dict[str, str]:
    return checks.labels((given.data.get("metadata") or {}).get("labels"), ("metadata", "labels"))
