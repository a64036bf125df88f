"""The position of each part of the picture: x and y of the upper left corner, in pixels, y down."""

from tools.diagram.shapes import Area

WIDTH, HEIGHT = 1800, 1210
GITHUB = Area(x=30, y=100, width=330, height=210)
HUB = Area(x=95, y=385, width=265, height=140)
WORKSTATION = Area(x=30, y=610, width=320, height=210)
LEGEND = Area(x=30, y=900, width=320, height=275)
CLUSTER = Area(x=410, y=70, width=1150, height=1110)
INTERNET = Area(x=1595, y=640, width=190, height=130)
MONITORING = Area(x=440, y=125, width=590, height=265)
PROMETHEUS = Area(x=655, y=185, width=150, height=165)
ALERTMANAGER = Area(x=850, y=180, width=160, height=75)
GRAFANA = Area(x=850, y=285, width=160, height=80)
METRICS = Area(x=1070, y=125, width=220, height=125)
DNS = Area(x=1320, y=125, width=210, height=125)
# Two tenants are drawn; all have the same structure.
TENANTS = (Area(x=440, y=520, width=490, height=360), Area(x=1040, y=520, width=490, height=360))
STORE = Area(x=560, y=965, width=870, height=185)
STORE_API = Area(x=585, y=1025, width=165, height=80)
CONSOLE = Area(x=1240, y=1025, width=165, height=80)


def monitor(area: Area) -> Area:
    """A tenant's ServiceMonitor."""
    return Area(x=area.x + 18, y=area.y + 46, width=150, height=48)


def scaler(area: Area) -> Area:
    """A tenant's autoscaler."""
    return Area(x=area.x + 285, y=area.y + 46, width=187, height=48)


def service(area: Area) -> Area:
    """A tenant's Service."""
    return Area(x=area.x + 18, y=area.y + 150, width=185, height=78)


def deployment(area: Area) -> Area:
    """A tenant's pods."""
    return Area(x=area.x + 235, y=area.y + 120, width=237, height=140)


def bucket(index: int) -> Area:
    """A bucket of the object store."""
    return Area(x=815 + index * 132, y=1012, width=112, height=108)
