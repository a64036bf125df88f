"""What the guard must refuse, each with a harmless twin that differs in that point alone."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]
MONITORING: Final = "monitoring.coreos.com/v1"
OWN: Final = "{tenant}"
"""Stands for the tenant's namespace in the cases."""
OTHER: Final = "another-tenant"


@dataclass(frozen=True)
class Case:
    """One refusal.

    Attributes:
        policy: The policy that must refuse, without the prefix.
        harmless: An object that must be accepted, unless `has_twin` is false.
        spoil: Turns it into the object that must be refused.
        said: Words of the refusal.
        has_twin: Whether the kind has a harmless form.
    """

    policy: str
    harmless: Object
    spoil: Callable[[Object], object]
    said: str
    has_twin: bool = True

    def objects(self, tenant: str) -> tuple[Object, Object]:
        """The harmless object and the spoilt one, for a tenant."""
        harmless = copy.deepcopy(self.harmless)
        spoilt = copy.deepcopy(self.harmless)
        self.spoil(spoilt)
        return _in_namespace(harmless, tenant), _in_namespace(spoilt, tenant)


def _in_namespace(item: Any, tenant: str) -> Any:
    if isinstance(item, dict):
        return {key: _in_namespace(value, tenant) for key, value in item.items()}
    if isinstance(item, list):
        return [_in_namespace(each, tenant) for each in item]
    return tenant if item == OWN else item


def _object(api_version: str, kind: str, **fields: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "e2e-guard", "namespace": OWN}, **fields}


_POLICY = _object(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    spec={
        "podSelector": {},
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [
            {"to": [{"podSelector": {}, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OWN}}}]}
        ],
        "policyTypes": ["Ingress", "Egress"],
    },
)
_SERVICE = _object("v1", "Service", spec={"selector": {"app": "e2e"}, "ports": [{"port": 8000}]})
_ROLE = _object(
    "rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
)
_BINDING = _object(
    "rbac.authorization.k8s.io/v1",
    "RoleBinding",
    roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "e2e-guard"},
    subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": OWN}],
)
_SERVICE_MONITOR = _object(
    MONITORING,
    "ServiceMonitor",
    spec={"selector": {}, "namespaceSelector": {"matchNames": [OWN]}, "endpoints": [{"port": "http"}]},
)
_POD_MONITOR = _object(MONITORING, "PodMonitor", spec={"selector": {}, "podMetricsEndpoints": [{"port": "http"}]})
_RULE = _object(
    MONITORING,
    "PrometheusRule",
    spec={"groups": [{"name": "e2e", "rules": [{"alert": "E2e", "expr": "vector(1)", "labels": {"namespace": OWN}}]}]},
)
_ROUTE = _object(
    "monitoring.coreos.com/v1alpha1",
    "AlertmanagerConfig",
    spec={
        "receivers": [{"name": "e2e"}],
        "route": {"receiver": "e2e", "matchers": [{"name": "namespace", "matchType": "=", "value": OWN}]},
    },
)
_ENDPOINTS = _object("v1", "Endpoints", subsets=[{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 8000}]}])
_SLICE = _object(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    addressType="IPv4",
    ports=[{"name": "http", "port": 8000}],
    endpoints=[{"addresses": ["10.0.0.1"]}],
)


def _spec(**fields: Any) -> Callable[[Object], object]:
    """Sets fields of the spec."""
    return lambda each: each["spec"].update(fields)


def _endpoint(**fields: Any) -> Callable[[Object], object]:
    """Sets fields of a monitor's endpoint."""

    def spoil(each: Object) -> None:
        spec = each["spec"]
        (spec.get("endpoints") or spec["podMetricsEndpoints"])[0].update(fields)

    return spoil


def _relabeling(**fields: Any) -> Callable[[Object], object]:
    return _endpoint(relabelings=[{"action": "replace", "replacement": OTHER, **fields}])


def _first_rule(**fields: Any) -> Callable[[Object], object]:
    return lambda each: each["rules"][0].update(fields)


def _peer(direction: str, way: str, peer: Object | None) -> Callable[[Object], object]:
    return lambda each: each["spec"].update({direction: [{way: [peer]} if peer else {}]})


def _route_matcher(**fields: Any) -> Callable[[Object], object]:
    return lambda each: each["spec"]["route"]["matchers"][0].update(fields)


_OTHER_LABEL = {"kubernetes.io/metadata.name": OTHER}
CASES: Final[dict[str, Case]] = {
    "ingress from everywhere": Case("network-policies", _POLICY, _peer("ingress", "from", None), "spec.ingress[].from"),
    "ingress from every namespace": Case(
        "network-policies", _POLICY, _peer("ingress", "from", {"namespaceSelector": {}}), "spec.ingress[].from"
    ),
    "ingress from another namespace": Case(
        "network-policies",
        _POLICY,
        _peer("ingress", "from", {"namespaceSelector": {"matchLabels": _OTHER_LABEL}, "podSelector": {}}),
        "spec.ingress[].from",
    ),
    "ingress from a selected namespace by an expression": Case(
        "network-policies",
        _POLICY,
        _peer("ingress", "from", {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}),
        "spec.ingress[].from",
    ),
    "ingress from addresses": Case(
        "network-policies", _POLICY, _peer("ingress", "from", {"ipBlock": {"cidr": "10.0.0.0/8"}}), "without ipBlock"
    ),
    "egress to everywhere": Case("network-policies", _POLICY, _peer("egress", "to", None), "spec.egress[].to"),
    "egress to addresses": Case(
        "network-policies", _POLICY, _peer("egress", "to", {"ipBlock": {"cidr": "10.0.0.0/8"}}), "spec.egress[].to"
    ),
    "egress to another namespace": Case(
        "network-policies",
        _POLICY,
        _peer("egress", "to", {"namespaceSelector": {"matchLabels": _OTHER_LABEL}}),
        "spec.egress[].to",
    ),
    "a NodePort": Case("services", _SERVICE, _spec(type="NodePort"), "spec.type must be ClusterIP"),
    "a LoadBalancer": Case("services", _SERVICE, _spec(type="LoadBalancer"), "spec.type must be ClusterIP"),
    "external addresses": Case(
        "services", _SERVICE, _spec(externalIPs=["203.0.113.7"]), "spec.externalIPs must be empty"
    ),
    "a Service without a selector": Case("services", _SERVICE, _spec(selector=None), "spec.selector must select pods"),
    "an ExternalName": Case(
        "services",
        _SERVICE,
        _spec(type="ExternalName", externalName="svc.another.svc"),
        "an ExternalName leads outside the namespace",
    ),
    "endpoints": Case("endpoints", _ENDPOINTS, lambda _: None, "Services with a selector", has_twin=False),
    "an endpoint slice": Case("endpoints", _SLICE, lambda _: None, "Services with a selector", has_twin=False),
    "a Role that writes": Case("roles", _ROLE, _first_rule(verbs=["get", "create"]), "must be get and list only"),
    "a Role with every verb": Case("roles", _ROLE, _first_rule(verbs=["*"]), "must be get and list only"),
    "a Role for every resource": Case("roles", _ROLE, _first_rule(resources=["*"]), "must be named"),
    "a Role for every group": Case("roles", _ROLE, _first_rule(apiGroups=["*"]), "must be named"),
    "a Role that runs commands by get": Case("roles", _ROLE, _first_rule(resources=["pods/exec"]), "connect to pods"),
    "a Role for every subresource": Case("roles", _ROLE, _first_rule(resources=["*/exec"]), "must be named"),
    "a ClusterRole": Case(
        "role-bindings", _BINDING, lambda each: each["roleRef"].update(kind="ClusterRole", name="view"), "ClusterRole"
    ),
    "a foreign account": Case(
        "role-bindings",
        _BINDING,
        lambda each: each["subjects"][0].update(namespace=OTHER),
        "must be ServiceAccounts of this namespace",
    ),
    "a foreign group": Case(
        "role-bindings",
        _BINDING,
        lambda each: each.update(subjects=[{"kind": "Group", "name": "g", "apiGroup": "rbac.authorization.k8s.io"}]),
        "must be ServiceAccounts of this namespace",
    ),
    "a monitor of every namespace": Case(
        "monitors", _SERVICE_MONITOR, _spec(namespaceSelector={"any": True}), "spec.namespaceSelector"
    ),
    "a monitor of another namespace": Case(
        "monitors", _SERVICE_MONITOR, _spec(namespaceSelector={"matchNames": [OWN, OTHER]}), "spec.namespaceSelector"
    ),
    "a pod monitor of another namespace": Case(
        "monitors", _POD_MONITOR, _spec(namespaceSelector={"matchNames": [OTHER]}), "spec.namespaceSelector"
    ),
    "honorLabels": Case("monitors", _SERVICE_MONITOR, _endpoint(honorLabels=True), "honorLabels must be false"),
    "honorLabels of pods": Case("monitors", _POD_MONITOR, _endpoint(honorLabels=True), "honorLabels must be false"),
    "a relabelled namespace": Case(
        "monitors", _SERVICE_MONITOR, _relabeling(targetLabel="namespace"), "must not set 'namespace'"
    ),
    "a relabelled namespace by a pattern": Case(
        "monitors", _SERVICE_MONITOR, _relabeling(targetLabel="name${1}"), "must not set 'namespace'"
    ),
    "a relabelled namespace of metrics": Case(
        "monitors",
        _POD_MONITOR,
        _endpoint(metricRelabelings=[{"targetLabel": "namespace", "replacement": OTHER}]),
        "must not set 'namespace'",
    ),
    "labelmap": Case("monitors", _SERVICE_MONITOR, _relabeling(action="LabelMap"), "labelmap"),
    "another address": Case("monitors", _SERVICE_MONITOR, _relabeling(targetLabel="__address__"), "__address__"),
    "a dropped label namespace": Case(
        "monitors", _SERVICE_MONITOR, _relabeling(action="labeldrop", regex="namespace"), "labeldrop or labelkeep"
    ),
    "a label namespace that is not kept": Case(
        "monitors", _POD_MONITOR, _relabeling(action="LabelKeep", regex="__.+"), "labeldrop or labelkeep"
    ),
    "a copied label namespace": Case("monitors", _SERVICE_MONITOR, _spec(targetLabels=["namespace"]), "must not copy"),
    "a copied label namespace of pods": Case(
        "monitors", _POD_MONITOR, _spec(podTargetLabels=["namespace"]), "must not copy"
    ),
    "a token file": Case(
        "monitors",
        _SERVICE_MONITOR,
        _endpoint(bearerTokenFile="/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "can disclose its credentials",
    ),
    "a key file": Case(
        "monitors", _SERVICE_MONITOR, _endpoint(tlsConfig={"keyFile": "/key", "certFile": "/cert"}), "can disclose"
    ),
    "a proxy": Case("monitors", _SERVICE_MONITOR, _endpoint(proxyUrl="http://proxy.example"), "proxyUrl"),
    "a token server": Case(
        "monitors",
        _SERVICE_MONITOR,
        _endpoint(
            oauth2={
                "clientId": {"configMap": {"name": "a", "key": "b"}},
                "clientSecret": {"name": "a", "key": "b"},
                "tokenUrl": "http://other.example",
            }
        ),
        "oauth2",
    ),
    "an alert of another namespace": Case(
        "prometheus-rules",
        _RULE,
        lambda each: each["spec"]["groups"][0]["rules"][0].update(labels={"namespace": OTHER}),
        "labels.namespace",
    ),
    "an alert of any namespace": Case(
        "prometheus-rules",
        _RULE,
        lambda each: each["spec"]["groups"][0]["rules"][0].pop("labels"),
        "labels.namespace",
    ),
    "a recorded series of another namespace": Case(
        "prometheus-rules",
        _RULE,
        lambda each: each["spec"]["groups"][0]["rules"].append({"record": "up", "expr": "vector(0)"}),
        "labels.namespace",
    ),
    "a route for another namespace": Case("alert-routes", _ROUTE, _route_matcher(value=OTHER), "spec.route"),
    "a route for all but this namespace": Case("alert-routes", _ROUTE, _route_matcher(matchType="!="), "spec.route"),
    "an inhibition in another namespace": Case(
        "alert-routes",
        _ROUTE,
        _spec(
            inhibitRules=[
                {"sourceMatch": [{"name": "a", "value": "b"}], "targetMatch": [{"name": "namespace", "value": OTHER}]}
            ]
        ),
        "spec.inhibitRules",
    ),
    "a Prometheus": Case(
        "monitoring-servers",
        _object(MONITORING, "Prometheus", spec={"serviceMonitorNamespaceSelector": {}}),
        lambda _: None,
        "use a ServiceMonitor",
        has_twin=False,
    ),
    "an Alertmanager": Case(
        "monitoring-servers",
        _object(MONITORING, "Alertmanager", spec={"alertmanagerConfigNamespaceSelector": {}}),
        lambda _: None,
        "use a ServiceMonitor",
        has_twin=False,
    ),
}
