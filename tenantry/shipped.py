"""Files of the repository that commands need: in a clone where they are, in an installed package inside it."""

from pathlib import Path
from typing import Final

from tenantry.errors import CommandError

_PACKAGE: Final = Path(__file__).resolve().parent
_INSTALLED: Final = _PACKAGE / "shipped"
INSTALLED: Final = _INSTALLED.is_dir()
"""Whether this is an installed package and not a clone."""


def shipped(name: str) -> Path:
    """The path of a file or folder, as in `terraform` or `package-lock.json`.

    Raises:
        CommandError: It is not there: the installation is damaged.
    """
    path = (_INSTALLED if INSTALLED else _PACKAGE.parent) / name
    if not path.exists():
        raise CommandError(f"{path} is missing: install tenantry again")
    return path
