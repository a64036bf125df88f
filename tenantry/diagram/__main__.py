"""`python -m tenantry.diagram [FOLDER]`: writes architecture.mmd, .svg and .png into docs/, or into FOLDER."""

import sys
from pathlib import Path

from tenantry.diagram.drawing import svg_and_png
from tenantry.diagram.facts import read
from tenantry.diagram.mermaid import mermaid

DIST, TERRAFORM, DOCS = Path("dist"), Path("terraform"), Path("docs")


def main(folder: Path) -> None:
    """Write the three files."""
    architecture = read(DIST, TERRAFORM)
    svg, png = svg_and_png(architecture)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "architecture.mmd").write_text(mermaid(architecture), encoding="utf-8")
    (folder / "architecture.svg").write_bytes(svg)
    (folder / "architecture.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS)
