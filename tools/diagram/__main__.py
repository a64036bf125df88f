"""`python -m tools.diagram [FOLDER]`: writes architecture.svg and .png into docs/, or into FOLDER."""

import sys
from pathlib import Path

from tools.diagram.drawing import svg_and_png
from tools.diagram.facts import read

DIST, TERRAFORM, DOCS = Path("dist"), Path("terraform"), Path("docs")


def main(folder: Path) -> None:
    """Write both files."""
    architecture = read(DIST, TERRAFORM)
    svg, png = svg_and_png(architecture)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "architecture.svg").write_bytes(svg)
    (folder / "architecture.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS)
