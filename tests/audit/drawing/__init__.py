"""Draws clusters: for Hypothesis, which shrinks them, and from a fixed seed, for a live cluster."""

from tests.audit.drawing.clusters import Drawn, draw_cluster
from tests.audit.drawing.draw import Draw
from tests.audit.drawing.network_policies import draw_network_policies

__all__ = ["Draw", "Drawn", "draw_cluster", "draw_network_policies"]
