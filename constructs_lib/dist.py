"""Writes a folder of manifests as a whole, or not at all."""

import filecmp
import shutil
import tempfile
from pathlib import Path
from typing import Final

from constructs_lib.charts import synth
from constructs_lib.errors import PropsError
from constructs_lib.platform import Platform

SUFFIX: Final = ".k8s.yaml"


def write(platform: Platform, output: Path, *, image: str | None = None, model: str | None = None) -> bool:
    """Synthesize a platform's manifests and put them where `output` is.

    Args:
        platform: who the tenants are.
        output: the folder to be.
        image: takes the place of every tenant's image.
        model: takes the place of every tenant's model; `{tenant}` in it becomes the tenant's name.

    Returns:
        Whether anything changed.

    Raises:
        PropsError: `output` holds something else than manifests, or image or model break a rule; nothing was changed.
    """
    check_target(output)
    with tempfile.TemporaryDirectory(prefix="tenantry-synth-") as build:
        synth(platform, build, image=image, model=model)
        return place(Path(build), output)


def place(source: Path, target: Path) -> bool:
    """Put the manifests of `source` where `target` is, in place of all that is there.

    The new folder is complete before the old one goes; whoever looks finds one of the two. What is there already, byte
    for byte, is left alone.

    Args:
        source: a folder of manifests.
        target: the folder to be; must hold nothing but manifests, if it exists.

    Returns:
        Whether anything changed.

    Raises:
        PropsError: `source` is empty, or `target` holds something else, which would be lost.
    """
    names = sorted(path.name for path in source.iterdir() if path.name.endswith(SUFFIX))
    if not names:
        raise PropsError(f"'source' ({source}) holds no {SUFFIX} file: there is nothing to place")
    check_target(target)
    if target.is_dir() and sorted(path.name for path in target.iterdir()) == names:
        _, differing, errors = filecmp.cmpfiles(source, target, names, shallow=False)
        if not differing and not errors:
            return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        for name in names:
            shutil.copyfile(source / name, new / name)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    return True


def check_target(target: Path) -> None:
    """Refuse to replace a folder that holds more than manifests.

    Raises:
        PropsError: it does.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise PropsError(f"'target' ({target}) must be a folder: remove the file or name another")
    others = sorted(path.name for path in target.iterdir() if not path.name.endswith(SUFFIX))
    if others:
        raise PropsError(
            f"'target' ({target}) holds {', '.join(others[:3])}, which is no manifest and would be lost: "
            "move it away or name another folder"
        )
