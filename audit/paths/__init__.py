"""Paths from one tenant to another over all planes: network, permissions, pods, nodes, metrics and what is shared.

`graph` has nodes, steps and what a plane is; each plane is a module that gives the steps from a node; `search` finds
the shortest ways, and `find` puts all together.
"""

from audit.paths.find import Paths, Searched
from audit.paths.graph import Evidence, Kind, Node, Step
from audit.paths.search import Way

__all__ = ["Evidence", "Kind", "Node", "Paths", "Searched", "Step", "Way"]
