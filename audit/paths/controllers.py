"""Controllers: objects of a namespace with which controllers act in others, with their own permissions."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from audit.model.objects import Object, listed, mapping, mappings
from audit.model.truth import NO, YES
from audit.paths.graph import ANY, Kind, Node, Step, lines
from audit.paths.landscape import Landscape
from audit.wiring.selection import selector_of

_ADMISSION: Final = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks"
_AGGREGATION: Final = "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/"
_FLUX: Final = "https://fluxcd.io/flux/security/"
_ARGO: Final = "https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/"
_STORES: Final = "https://external-secrets.io/latest/provider/kubernetes/"
_MUTATING: Final = "MutatingWebhookConfiguration"
_WEBHOOKS: Final = (_MUTATING, "ValidatingWebhookConfiguration")
_GITOPS: Final = ("Kustomization", "HelmRelease", "Application", "ApplicationSet")
_FLUX_GROUPS: Final = {"kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"}
_SECRETS: Final = (("", "secrets"),)
_MAKE_PODS: Final = (
    *(("", each) for each in ("pods", "replicationcontrollers", "podtemplates")),
    *(("apps", each) for each in ("deployments", "statefulsets", "daemonsets", "replicasets")),
    *(("batch", each) for each in ("jobs", "cronjobs")),
)
"""Resources from which pods follow, each with its API group."""
_COPIES: Final = (
    ("reflector.v1.k8s.emberstack.com/reflection-allowed", "-namespaces"),
    ("replicator.v1.mittwald.de/replication-allowed", "-namespaces"),
    ("replicator.v1.mittwald.de/replicate-to", ""),
)
"""Annotations of Secrets that controllers copy, with the end of the annotation that lists where to."""


class ControllersPlane:
    """Webhooks, aggregated APIs, GitOps, stores and copies of Secrets."""

    name = "controllers"

    def __init__(self, land: Landscape) -> None:
        self._land = land
        inventory = land.inventory
        self._webhooks = [
            (each, index, webhook)
            for each in inventory.of_kind(*_WEBHOOKS)
            for index, webhook in enumerate(mappings(each.at("webhooks")))
        ]
        self._gitops: dict[str, list[Object]] = defaultdict(list)
        for each in inventory.of_kind(*_GITOPS):
            if each.group in _FLUX_GROUPS or each.group == "argoproj.io":
                self._gitops[each.namespace].append(each)
        self._cluster_stores = {each.name: each for each in inventory.of_kind("ClusterSecretStore")}
        self._external: dict[str, list[Object]] = defaultdict(list)
        for each in inventory.of_kind("ExternalSecret"):
            self._external[each.namespace].append(each)
        self._copied = [
            (each, key, value, end)
            for each in inventory.of_kind("Secret")
            for key, end in _COPIES
            if (value := mapping(each.at("metadata", "annotations")).get(key)) is not None
        ]

    @property
    def searched(self) -> dict[str, int]:
        """What it looks at."""
        return {"webhook": len(self._webhooks), "GitOps object": sum(map(len, self._gitops.values()))}

    @property
    def unknown(self) -> list[str]:
        """How controllers are configured decides whether a step is certain, not whether it is found."""
        return []

    def steps(self, node: Node) -> Iterator[Step]:
        """What controllers do for what a namespace has."""
        if node.kind is not Kind.MANIFESTS:
            return
        others = [each for each in self._land.namespaces if each != node.namespace]
        yield from self._served(node.namespace, others)
        for each in self._gitops.get(node.namespace, ()):
            yield from self._flux(each) if each.group in _FLUX_GROUPS else self._argo(each)
        yield from self._stores(node.namespace)
        yield from self._copies(node.namespace)

    def _served(self, namespace: str, others: list[str]) -> Iterator[Step]:
        """What the API server sends to a Service of a namespace."""
        for given, index, webhook in self._webhooks:
            if mapping(mapping(webhook.get("clientConfig")).get("service")).get("namespace") != namespace:
                continue
            place = given.place.at("webhooks", index, "clientConfig", "service", "namespace")
            sentence = f"the API server sends the objects that {given.reference} matches to a Service of {namespace}"
            for target, certain in self._seen(given.kind, webhook, others):
                yield Step(target, "webhook", sentence, lines(place), certain=certain, source=_ADMISSION)
        for api in self._land.inventory.of_kind("APIService"):
            if api.at("spec", "service", "namespace") == namespace:
                sentence = f"a Service of {namespace} answers every request for {api.reference}"
                place = api.place.at("spec", "service", "namespace")
                for other in others:
                    target = Node(Kind.OBJECTS, other)
                    yield Step(target, "serves-the-api", sentence, lines(place), certain=False, source=_AGGREGATION)

    def _seen(self, kind: str, webhook: Mapping[str, Any], others: list[str]) -> Iterator[tuple[Node, bool]]:
        """What a webhook gets of other namespaces: their objects, Secrets, or, if it may change these, pods."""
        rules = [each for each in mappings(webhook.get("rules")) if each.get("scope") != "Cluster"]
        kinds = [Kind.OBJECTS] if rules else []
        kinds += [Kind.SECRET] if _match(rules, _SECRETS) else []
        kinds += [Kind.NEW_PODS] if kind == _MUTATING and _match(rules, _MAKE_PODS) else []
        narrowed = bool(webhook.get("matchConditions") or webhook.get("objectSelector"))
        selector = selector_of(webhook.get("namespaceSelector") or {})
        for other in others if kinds else ():
            found = self._land.inventory.namespaces.get(other)
            truth = selector.matches(found.labels) if selector is not None and found is not None else YES
            if truth is NO:
                continue
            certain = truth is YES and not narrowed
            for each in kinds:
                yield Node(each, other, ANY if each is Kind.SECRET else ""), certain

    def _flux(self, given: Object) -> Iterator[Step]:
        # An account that it names is one of its namespace, which the tenant has anyway.
        if not (given.at("spec", "serviceAccountName") or given.at("spec", "kubeConfig")):
            sentence = f"{given.reference} has no account, so the controller applies it with its own permissions"
            yield self._applied(Node(Kind.CLUSTER), given, sentence, _FLUX)

    def _argo(self, given: Object) -> Iterator[Step]:
        spec = given.at("spec", "template", "spec") if given.kind == "ApplicationSet" else given.at("spec")
        name = str(mapping(spec).get("project") or "default")
        projects = [each for each in self._land.inventory.of_kind("AppProject") if each.name == name]
        sentence = (
            f"the controller applies {given.reference} with its own permissions, wherever the project {name} allows it"
        )
        if not projects:
            yield self._applied(Node(Kind.CLUSTER), given, sentence, _ARGO)
        projects = [each for each in projects if _takes_from(each, given.namespace)]
        allowed = [
            str(each.get("namespace") or "")
            for project in projects
            for each in mappings(project.at("spec", "destinations"))
        ]
        for other in self._land.namespaces if projects else ():
            denied = any(each.startswith("!") and fnmatchcase(other, each[1:]) for each in allowed)
            if other != given.namespace and not denied and any(fnmatchcase(other, each) for each in allowed):
                yield self._applied(Node(Kind.NAMESPACE, other), given, sentence, _ARGO)

    def _applied(self, target: Node, given: Object, sentence: str, source: str) -> Step:
        found = lines(given.place.at("spec"))
        return Step(target, "applies-manifests", sentence, found, certain=False, source=source)

    def _stores(self, namespace: str) -> Iterator[Step]:
        """Secrets of other namespaces that a store of the whole cluster reads for an ExternalSecret."""
        for given in self._external.get(namespace, ()):
            store = self._cluster_stores.get(str(given.at("spec", "secretStoreRef", "name")))
            if store is None or given.at("spec", "secretStoreRef", "kind") != "ClusterSecretStore":
                continue
            provider = store.at("spec", "provider", "kubernetes")
            space = str(mapping(provider).get("remoteNamespace") or "default")
            if not isinstance(provider, dict) or space == namespace:
                continue
            sentence = f"{given.reference} is filled by {store.reference} with Secrets of {space}"
            certain = not store.at("spec", "conditions")
            for name in _keys(given) or [ANY]:
                found = lines(
                    given.place.at("spec", "secretStoreRef"), store.place.at("spec", "provider", "kubernetes")
                )
                target = Node(Kind.SECRET, space, name)
                yield Step(target, "reads-store", sentence, found, certain=certain, source=_STORES)

    def _copies(self, namespace: str) -> Iterator[Step]:
        """Secrets of other namespaces whose annotations let a controller copy them here."""
        for secret, key, value, end in self._copied:
            listing = mapping(secret.at("metadata", "annotations")).get(f"{key}{end}", "")
            allowed = [each.strip() for each in str(listing).split(",") if each.strip()]
            if secret.namespace == namespace or (end and str(value).lower() != "true"):
                continue
            if not allowed or any(_matches(each, namespace) for each in allowed):
                sentence = f"{secret.reference} may be copied to {namespace}, if the controller of its annotation runs"
                target = Node(Kind.SECRET, secret.namespace, secret.name)
                found = lines(secret.place.at("metadata", "annotations", key))
                yield Step(target, "copies-secret", sentence, found, certain=False)


def _takes_from(project: Object, namespace: str) -> bool:
    """Whether a project of Argo CD accepts Applications of a namespace: by default, only those of its own."""
    sources = map(str, listed(project.at("spec", "sourceNamespaces")))
    # A pattern between slashes is a regular expression, which may match.
    return namespace == project.namespace or any(each[:1] == "/" or fnmatchcase(namespace, each) for each in sources)


def _match(rules: Sequence[Mapping[str, Any]], resources: Sequence[tuple[str, str]]) -> bool:
    """Whether rules of a webhook match one of some resources, each with its API group."""
    return any(
        not {ANY, group}.isdisjoint(map(str, listed(rule.get("apiGroups"))))
        and not {ANY, "*/*", resource}.isdisjoint(map(str, listed(rule.get("resources"))))
        for rule in rules
        for group, resource in resources
    )


def _keys(given: Object) -> list[str]:
    """The Secrets that an ExternalSecret names; none if it may be any."""
    data = [mapping(each.get("remoteRef")).get("key") for each in mappings(given.at("spec", "data"))]
    sources = mappings(given.at("spec", "dataFrom"))
    extracted = [mapping(each.get("extract")).get("key") for each in sources]
    return [] if None in extracted else list(dict.fromkeys(str(each) for each in (*data, *extracted) if each))


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return True  # a pattern that Python cannot read may match
