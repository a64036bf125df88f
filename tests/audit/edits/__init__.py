"""Small edits to `dist/`: ways to open one tenant to another, and changes that open nothing."""

from tests.audit.edits.edit import Edit
from tests.audit.edits.harmless import HARMLESS
from tests.audit.edits.openings import OPENINGS

__all__ = ["HARMLESS", "OPENINGS", "Edit"]
