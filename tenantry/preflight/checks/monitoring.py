"""Which Prometheus and Alertmanager select what the tenants' manifests hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audit.model.labels import Labels
from audit.model.truth import YES
from audit.wiring.selection import selector_of
from constructs_lib import names
from tenantry.preflight.api import Object
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Setting, Status

_OPERATOR: Final = "/apis/monitoring.coreos.com/v1"
_MONITORS: Final = ("serviceMonitorSelector", "serviceMonitorNamespaceSelector")
_RULES: Final = ("ruleSelector", "ruleNamespaceSelector")
_CONFIGS: Final = ("alertmanagerConfigSelector", "alertmanagerConfigNamespaceSelector")


@dataclass(frozen=True)
class _Selected:
    """What a Prometheus, ThanosRuler or Alertmanager must select: a tenant's objects in its namespace."""

    object_labels: Mapping[str, str]
    namespace_labels: Mapping[str, str]
    namespace: str

    def is_taken(self, by: Object, fields: tuple[str, str]) -> bool:
        """Whether both selectors match."""
        return self.matches_object(by, fields[0]) and self.matches_namespace(by, fields[1])

    def matches_object(self, by: Object, field: str) -> bool:
        """Whether the selector of objects matches; an absent one selects nothing."""
        return _matches(by["spec"].get(field), self.object_labels)

    def matches_namespace(self, by: Object, field: str) -> bool:
        """Whether the selector of namespaces matches; an absent one selects the server's own namespace."""
        given = by["spec"].get(field)
        if given is None:
            return bool(by["metadata"]["namespace"] == self.namespace)
        return _matches(given, self.namespace_labels)


def _matches(selector: object, labels: Mapping[str, str]) -> bool:
    found = selector_of(selector)
    return found is not None and found.matches(Labels(labels)) is YES


def _selected(inspected: Inspected) -> _Selected:
    """The objects of the first tenant, which stand for those of all."""
    tenant = inspected.platform.tenants[0].name
    existing = (inspected.api.get(f"/api/v1/namespaces/{tenant}") or {"metadata": {}})["metadata"].get("labels", {})
    return _Selected(
        object_labels={**names.labels(tenant), **inspected.settings.monitoring.object_labels},
        namespace_labels={**existing, **names.labels(tenant), "kubernetes.io/metadata.name": tenant},
        namespace=tenant,
    )


def check_prometheus(inspected: Inspected) -> Iterator[Finding]:
    """A Prometheus must select the tenants' monitors and rules, and the policies must admit its pods."""
    monitoring = inspected.settings.monitoring
    required = (
        f"a Prometheus in {monitoring.namespace} with pods {_text(monitoring.prometheus_labels)}, which selects "
        f"ServiceMonitors and PrometheusRules of the tenants"
    )
    servers = inspected.api.items(f"{_OPERATOR}/prometheuses")
    if not servers:
        fix = "install one, or another program that reads ServiceMonitors and PrometheusRules"
        yield Finding(status=Status.WARNING, found="no object of kind Prometheus", required=required, fix=fix)
        return
    selected = _selected(inspected)
    server = _chosen(servers, selected, monitoring.namespace)
    settings, problems = list(_place(inspected, server)), []
    labels, reasons = _selection(server, selected, _MONITORS, "ServiceMonitors")
    rulers = inspected.api.items(f"{_OPERATOR}/thanosrulers") or []
    if not any(selected.is_taken(each, _RULES) for each in rulers):
        more_labels, more_reasons = _selection(server, selected, _RULES, "PrometheusRules")
        labels, reasons = {**labels, **more_labels}, [*reasons, *more_reasons]
    if labels:
        value = {**monitoring.object_labels, **labels}
        settings.append(Setting(section="monitoring", key="objectLabels", value=value))
    problems += reasons
    found = f"{_name(server)} selects " + "; ".join(_selectors(server))
    others = len(servers) - 1
    yield Finding(
        status=Status.FAILED if settings or problems else Status.OK,
        found=f"{found}{f'; {others} more Prometheus' if others else ''}",
        required=required,
        fix="; ".join(problems),
        settings=tuple(settings),
    )


def check_alertmanager(inspected: Inspected) -> Iterator[Finding]:
    """An Alertmanager must select the tenants' AlertmanagerConfigs, if a tenant has a receiver."""
    having = [tenant.name for tenant in inspected.platform.tenants if tenant.receiver]
    required = f"an Alertmanager that selects AlertmanagerConfigs of the tenants ({len(having)} have a receiver)"
    servers = inspected.api.items(f"{_OPERATOR}/alertmanagers") or []
    selected = _selected(inspected)
    taking = [each for each in servers if selected.is_taken(each, _CONFIGS)]
    if taking:
        yield Finding(status=Status.OK, found=f"{_name(taking[0])} selects them", required=required)
        return
    found = f"{', '.join(map(_name, servers))}: none selects them" if servers else "no object of kind Alertmanager"
    if not having:
        yield Finding(status=Status.OK, found=f"{found}; not needed without receivers", required=required)
        return
    labels: dict[str, str] = {}
    problems = ["install an Alertmanager"] if not servers else []
    if servers:
        labels, problems = _selection(servers[0], selected, _CONFIGS, "AlertmanagerConfigs")
    value = {**inspected.settings.monitoring.object_labels, **labels}
    settings = (Setting(section="monitoring", key="objectLabels", value=value),) if labels else ()
    yield Finding(status=Status.FAILED, found=found, required=required, fix="; ".join(problems), settings=settings)


def _chosen(servers: Sequence[Object], selected: _Selected, namespace: str) -> Object:
    """The Prometheus that is meant: in the file's namespace, if there is one, and one that selects the monitors."""

    def rank(server: Object) -> tuple[bool, bool]:
        return server["metadata"]["namespace"] != namespace, not selected.is_taken(server, _MONITORS)

    return min(servers, key=rank)


def _place(inspected: Inspected, server: Object) -> Iterator[Setting]:
    """Where its pods are, if the file says something else."""
    monitoring = inspected.settings.monitoring
    namespace, name = server["metadata"]["namespace"], server["metadata"]["name"]
    if namespace != monitoring.namespace:
        yield Setting(section="monitoring", key="namespace", value=namespace)
    selector = server.get("status", {}).get("selector") or f"operator.prometheus.io/name={name}"
    pods = inspected.api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector) or []
    labels = [each["metadata"].get("labels", {}) for each in pods]
    if labels and not all(monitoring.prometheus_labels.items() <= each.items() for each in labels):
        usual = names.PROMETHEUS_POD_LABELS
        is_usual = all(usual.items() <= each.items() for each in labels)
        value = dict(usual) if is_usual else {"operator.prometheus.io/name": name}
        yield Setting(section="monitoring", key="prometheusLabels", value=value)


def _selection(
    server: Object, selected: _Selected, fields: tuple[str, str], what: str
) -> tuple[dict[str, str], list[str]]:
    """The labels that objects lack, and what no label of an object can satisfy."""
    labels, problems = {}, []
    if not selected.matches_object(server, fields[0]):
        given = server["spec"].get(fields[0])
        wanted = dict((given or {}).get("matchLabels") or {})
        if wanted and _matches(given, {**selected.object_labels, **wanted}):
            labels = wanted
        elif given is None:
            problems.append(f"set {fields[0]} of {_name(server)}: absent, it selects no {what}")
        else:
            problems.append(f"set platform.monitoring.objectLabels to labels that {fields[0]} selects: {_shown(given)}")
    if not selected.matches_namespace(server, fields[1]):
        given = server["spec"].get(fields[1])
        shown = "absent, it selects its own namespace only" if given is None else _shown(given)
        problems.append(f"let {fields[1]} of {_name(server)} select the tenants' namespaces: {shown}")
    return labels, problems


def _selectors(server: Object) -> Iterator[str]:
    for field in (*_MONITORS, *_RULES):
        yield f"{field}: {_shown(server['spec'].get(field))}"


def _shown(selector: object) -> str:
    return "absent" if selector is None else str(selector_of(selector) or selector)


def _name(server: Object) -> str:
    return f"{server['kind']} {server['metadata']['namespace']}/{server['metadata']['name']}"


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())
