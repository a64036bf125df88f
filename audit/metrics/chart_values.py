"""The objects that the chart kube-prometheus-stack makes of its values, with the fields that the metrics report reads.

The chart's templates decide: an empty selector means every object, or the objects with the label of the release, as
`...SelectorNilUsesHelmValues` says; a selector that is null selects no rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from audit.cluster import Cluster
from audit.errors import AuditError
from audit.metrics.servers import PORT
from audit.model.objects import Object, mapping
from audit.model.place import Path as Keys
from audit.model.place import Place
from audit.model.services import Route
from audit.reading.documents import TextDocument, split
from audit.reading.services import service
from audit.reading.sources import Text, texts
from audit.reading.yaml_text import YamlError
from audit.wiring.selection import SELECTED_BY_PROMETHEUS

CHART: Final = "kube-prometheus-stack"
_LONGEST: Final = 26
_GROUP: Final = "monitoring.coreos.com"
_NULL_MEANS_NONE: Final = {"rule", "scrapeConfig"}


@dataclass(frozen=True, slots=True)
class Installation:
    """Where and how the chart is installed.

    Attributes:
        values: File with its values.
        namespace: Its namespace.
        release: Name of the release, or None: then values that depend on it are an error.
    """

    values: Path
    namespace: str
    release: str | None = None


class _Part:
    """A part of a values file that stands for a part of an object; lines are those of the values."""

    def __init__(self, document: TextDocument, keys: Keys, stands_for: Keys) -> None:
        self.file = document.file
        self.whole = document.whole
        self._document = document
        self._keys = keys
        self._stands_for = stands_for

    def line(self, path: Keys) -> int:
        """The line of the value that a path of the object comes from."""
        length = len(self._stands_for)
        inside = path[:length] == self._stands_for
        return self._document.line((*self._keys, *path[length:]) if inside else self._keys)

    def text(self, line: int) -> str:
        """The text of a line of the values."""
        return self._document.text(line)


def with_chart(cluster: Cluster, installed: Installation) -> Cluster:
    """A cluster with the objects that the chart makes besides what the input holds.

    Raises:
        AuditError: The values cannot be read, or depend on the name of the release, which is not given.
    """
    text, document, values = _read(installed.values)
    chart = _Chart(document, values, installed)
    inventory = cluster.inventory
    kept = {kind: list(objects) for kind, objects in inventory.kept.items()}
    for each in chart.objects():
        kept.setdefault(each.kind, []).append(each)
    exposed = chart.service()
    services = [service(exposed.data, exposed.namespace, exposed.name, exposed.place)] if exposed else []
    grown = replace(
        inventory,
        kept=kept,
        services=(*inventory.services, *services),
        routes=(*inventory.routes, *chart.routes()),
    )
    files = (*cluster.files, *([(text.file, text.digest)] if text.digest else []))
    return Cluster(grown, cluster.assumptions, cluster.problems, files)


def _read(file: Path) -> tuple[Text, TextDocument, dict[str, Any]]:
    (text,) = texts([file])
    documents = list(split(text.file, text.content))
    if len(documents) != 1:
        raise AuditError(f"{file}: it has {len(documents)} documents; the values of a chart are one document")
    try:
        data = documents[0].data()
    except YamlError as error:
        raise AuditError(f"{file}:{error.line}: {error}. Correct the text; it is not valid YAML.") from error
    if not isinstance(data, dict):
        raise AuditError(f"{file}: the values of a chart are a mapping")
    if "kind" in data and "apiVersion" in data:
        raise AuditError(f"{file}: it is a {data['kind']} of Kubernetes, not values: name it among the files to read")
    return text, documents[0], data


class _Chart:
    """The chart's objects, from its values."""

    def __init__(self, document: TextDocument, values: dict[str, Any], installed: Installation) -> None:
        self._document = document
        self._values = values
        self._installed = installed
        self._namespace = str(values.get("namespaceOverride") or installed.namespace)
        self._prometheus = mapping(values.get("prometheus"))

    @property
    def _fullname(self) -> str:
        given = self._values.get("fullnameOverride")
        if given:
            return str(given)[:_LONGEST].rstrip("-")
        name = str(self._values.get("nameOverride") or CHART)
        release = self._installed.release or CHART
        return (release if name in release else f"{release}-{name}")[:_LONGEST].rstrip("-")

    def _name(self, what: str) -> str:
        return self._fullname if self._values.get("cleanPrometheusOperatorObjectNames") else f"{self._fullname}-{what}"

    def objects(self) -> Iterator[Object]:
        """The Prometheus and the Alertmanager, where they are enabled."""
        if self._prometheus.get("enabled") is not False:
            keys = ("prometheus", "prometheusSpec")
            spec = dict(mapping(self._prometheus.get("prometheusSpec")))
            for field in SELECTED_BY_PROMETHEUS.values():
                self._select(spec, field)
            yield self._object("Prometheus", self._name("prometheus"), spec, keys)
        alertmanager = mapping(self._values.get("alertmanager"))
        if alertmanager.get("enabled") is not False:
            spec = dict(mapping(alertmanager.get("alertmanagerSpec")))
            spec["alertmanagerConfigSelector"] = spec.get("alertmanagerConfigSelector") or {}
            spec.setdefault("alertmanagerConfigNamespaceSelector", {})
            yield self._object("Alertmanager", self._name("alertmanager"), spec, ("alertmanager", "alertmanagerSpec"))

    def _select(self, spec: dict[str, Any], field: str) -> None:
        """Set the two selectors of a kind as the chart's template does."""
        selector, spaces = f"{field}Selector", f"{field}NamespaceSelector"
        absent = field in _NULL_MEANS_NONE and selector in spec and spec[selector] is None
        if not spec.get(selector):
            if spec.get(f"{selector}NilUsesHelmValues") is not False:
                if self._installed.release is None:
                    raise AuditError(
                        f"{self._document.file}: prometheus.prometheusSpec.{selector} depends on the name of the "
                        f"release, because {selector}NilUsesHelmValues is not false; give --release NAME"
                    )
                spec[selector] = {"matchLabels": {"release": self._installed.release}}
            else:
                spec[selector] = None if absent else {}
        spec[spaces] = spec.get(spaces) or {}

    def service(self) -> Object | None:
        """The Service of Prometheus's API, or None where it has none."""
        given = mapping(self._prometheus.get("service"))
        if self._prometheus.get("enabled") is False or given.get("enabled") is False:
            return None
        spec = {
            "type": given.get("type") or "ClusterIP",
            "selector": {
                "app.kubernetes.io/name": "prometheus",
                "operator.prometheus.io/name": self._name("prometheus"),
            },
            "ports": [{"port": given.get("port") or PORT, "targetPort": given.get("targetPort") or PORT}],
            "externalIPs": given.get("externalIPs") or [],
        }
        return self._object("Service", f"{self._fullname}-prometheus", spec, ("prometheus", "service"), group="")

    def routes(self) -> Iterator[Route]:
        """The ways to Prometheus that the values enable."""
        found: list[tuple[str, Keys, Mapping[str, Any]]] = [
            ("Ingress", ("prometheus", key), mapping(self._prometheus.get(key)))
            for key in ("ingress", "ingressPerReplica")
        ]
        found += [
            ("HTTPRoute", ("prometheus", "route", str(name)), mapping(each))
            for name, each in mapping(self._prometheus.get("route")).items()
        ]
        for kind, keys, given in found:
            if given.get("enabled") is True:
                hosts = given.get("hosts") or given.get("hostnames") or []
                yield Route(
                    kind=kind,
                    namespace=self._namespace,
                    name=f"{self._fullname}-prometheus",
                    hosts=tuple(map(str, hosts)),
                    parents=(),
                    service_namespace=self._namespace,
                    service=f"{self._fullname}-prometheus",
                    port=PORT,
                    place=Place(self._document, (), (*keys, "enabled")),
                )

    def _object(self, kind: str, name: str, spec: dict[str, Any], keys: Keys, group: str = _GROUP) -> Object:
        place = Place(_Part(self._document, keys, ("spec",)))
        data = {"metadata": {"name": name, "namespace": self._namespace}, "spec": spec}
        return Object(group, kind, "v1", self._namespace, name, data, place)
