"""Where the repository's files are."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The repository's root."""
TEMPLATE: Final = ROOT / "tenantry" / "template" / "platform.yaml"
"""The first platform.yaml, as `tenantry init` writes it."""
