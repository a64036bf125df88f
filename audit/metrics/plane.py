"""The metrics plane of a cluster, put together."""

from collections.abc import Collection, Iterator
from functools import cached_property

from audit.cluster import Cluster
from audit.metrics.monitors import monitor_findings
from audit.metrics.queries import Query, queries, query_findings
from audit.metrics.routes import AlertRoute, alert_routes, route_findings
from audit.metrics.scrapes import Scrape, Scrapes, scrape_findings
from audit.metrics.servers import Servers
from audit.model.finding import Finding
from audit.model.objects import Object
from audit.wiring.monitors import unselected
from audit.wiring.selection import SELECTED_BY_ALERTMANAGER, SELECTED_BY_PROMETHEUS
from audit.wiring.view import View


class Metrics:
    """Who scrapes whom, whose metrics can be forged, and who can read them.

    Attributes:
        cluster: The input, read in detail.
        servers: Its Prometheus objects.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.servers = Servers(cluster.inventory)

    @cached_property
    def scrapes(self) -> tuple[Scrape, ...]:
        """Every target of every monitor that a Prometheus selects, with the verdict of the policies."""
        return tuple(Scrapes(self.cluster, self.servers).all())

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """Everybody outside its namespace who can ask a Prometheus, and so read the metrics of all."""
        return tuple(queries(self.cluster, self.servers))

    @cached_property
    def alert_routes(self) -> tuple[AlertRoute, ...]:
        """The alert routes that an Alertmanager selects."""
        return tuple(alert_routes(self.cluster.inventory))

    @property
    def selected(self) -> list[Object]:
        """Every monitor, rule and alert route of the input."""
        return self.cluster.inventory.of_kind(*SELECTED_BY_PROMETHEUS, *SELECTED_BY_ALERTMANAGER)

    @cached_property
    def monitored(self) -> frozenset[str]:
        """The namespaces that have monitors, rules or alert routes, without those of the servers themselves."""
        servers = self.cluster.inventory.of_kind("Prometheus", "Alertmanager")
        return frozenset(each.namespace for each in self.selected) - {each.namespace for each in servers}

    def findings(self, tenants: Collection[str] | None = None) -> Iterator[Finding]:
        """Everything that should not be so: what is about isolation, and what does not work.

        Args:
            tenants: Namespaces of tenants; what has monitors, if absent.
        """
        yield from self.isolation_findings(self.monitored if tenants is None else tenants)
        yield from scrape_findings(self.scrapes)
        yield from unselected(View(self.cluster.inventory))

    def isolation_findings(self, tenants: Collection[str]) -> Iterator[Finding]:
        """What lets one namespace read, forge or receive what belongs to another.

        Args:
            tenants: Namespaces of tenants.
        """
        yield from monitor_findings(self.cluster.inventory, self.servers)
        yield from query_findings(self.queries, tenants)
        yield from route_findings(self.alert_routes)
