"""Who scrapes whom, whose metrics can be forged, and who can read them.

`servers` are the Prometheus objects, `chart_values` makes them from the values of a chart, `monitors` looks at what a
monitor may do, `scrapes` at whether policies let it, `queries` at who can ask the API of Prometheus, and `routes` at
who gets which alerts. `plane.Metrics` puts them together.
"""

from audit.metrics.chart_values import with_chart
from audit.metrics.plane import Metrics
from audit.metrics.queries import Query, Way
from audit.metrics.routes import AlertRoute
from audit.metrics.rules import OPEN_TO_ALL
from audit.metrics.scrapes import Scrape

__all__ = ["OPEN_TO_ALL", "AlertRoute", "Metrics", "Query", "Scrape", "Way", "with_chart"]
