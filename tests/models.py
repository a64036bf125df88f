"""A tiny model on disk, for tests that run the service itself."""

from pathlib import Path

from inference.model.artifact import write
from inference.training.corpus import Dataset, Row
from inference.training.train import train

TEXTS = {
    "spam": (
        "win money now",
        "free money, click here",
        "cheap pills, buy now",
        "win a free prize",
        "click for cheap pills",
    ),
    "ham": ("the patch is in", "lunch at noon", "the build is broken", "review the patch", "the build at noon"),
}


def write_tiny_model(folder: Path) -> Path:
    """Train on a few texts and write the artifact to `folder`; takes milliseconds."""
    rows = [Row(f"{text} {number}", label) for label, texts in TEXTS.items() for text in texts for number in range(4)]
    write(folder, train(Dataset.from_rows(rows, "tiny")).artifact)
    return folder
