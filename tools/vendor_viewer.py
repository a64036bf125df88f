#!/usr/bin/env python3
"""Copy the API viewer that package-lock.json pins from node_modules into the service."""

import gzip
from pathlib import Path
from typing import Final

PACKAGE: Final = Path("node_modules/swagger-ui-dist")
VIEWER: Final = Path("inference/serving/viewer")
COMPRESSED: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
LICENCES: Final = {
    "LICENSE": "swagger-ui.LICENSE.txt",
    "NOTICE": "swagger-ui.NOTICE.txt",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
}
"""Files of the package, and their names in the service."""


def main() -> None:
    """Copy the program, its style and their licences; the large files compressed, without a time stamp."""
    for name in COMPRESSED:
        (VIEWER / f"{name}.gz").write_bytes(gzip.compress((PACKAGE / name).read_bytes(), compresslevel=9, mtime=0))
    for name, copied in LICENCES.items():
        (VIEWER / copied).write_bytes((PACKAGE / name).read_bytes())


if __name__ == "__main__":
    main()
