"""Writes a folder of manifests completely or not at all."""

import contextlib
import filecmp
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.errors import PropsError
from constructs_lib.names import SUFFIX
from constructs_lib.synthesis.unchanged import Identity, Kept, identity

if TYPE_CHECKING:
    from constructs_lib.platform import Platform

_CURRENT_FOLDER: Final = -100
_EXCHANGE: Final = 2
"""AT_FDCWD and RENAME_EXCHANGE, two arguments of Linux's renameat2(2)."""


def write(platform: "Platform", output: Path, *, image: str | None = None, model: str | None = None) -> bool:
    """Write the manifests of a platform to the folder `output`.

    Args:
        platform: the platform.
        output: the folder; its manifests are replaced.
        image: replaces every tenant's image.
        model: replaces every tenant's model; `{tenant}` in it becomes the tenant's name.

    Returns:
        Whether anything changed.

    Raises:
        PropsError: `output` contains other files, or the image or the model breaks a rule; nothing was changed.
    """
    from constructs_lib.synthesis.manifests import synth  # noqa: PLC0415 - half a second, which `place` does not need

    check_target(output)
    with tempfile.TemporaryDirectory(prefix="tenantry-synth-") as build:
        written = synth(platform, build, image=image, model=model, present=output)
        return place(Path(build), output, written.kept)


def place(source: Path, target: Path, kept: Kept | None = None) -> bool:
    """Replace the folder `target` with the manifests of `source` and those of its own that stay.

    The new folder is complete before it replaces the old one. If both have the same content, nothing is written.
    Linux exchanges the folders in one step, so other programs always see one of them, even if this process is killed.

    Args:
        source: a folder of manifests.
        target: the folder to replace, or a symbolic link to it; if it exists, it must contain only manifests.
        kept: files of `target` that stay.

    Returns:
        Whether anything changed.

    Raises:
        PropsError: there are no manifests, `target` contains other files, which would be lost, or a file that stays was
            changed or removed.
    """
    kept = kept or {}
    changed = _manifests(source)
    names = sorted({*changed, *kept})
    if not names:
        raise PropsError(f"'source' ({source}) must contain {SUFFIX} files; synthesize into it first")
    check_target(target)
    target = target.resolve()
    if target.is_dir() and _manifests(target) == names:
        _, differing, errors = filecmp.cmpfiles(source, target, changed, shallow=False)
        if not differing and not errors:
            return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as beside:
        new = Path(beside, "new")
        new.mkdir()
        for name in names:
            (new / name).parent.mkdir(exist_ok=True)
            if name in kept:
                _keep(target / name, new / name, kept[name])
            else:
                shutil.copyfile(source / name, new / name)
        if not _exchange(new, target):
            _replace(new, target, Path(beside, "old"))
    return True


def _exchange(new: Path, target: Path) -> bool:
    """Exchange two folders in one step; return whether the system and the file system can, and both exist."""
    import ctypes  # noqa: PLC0415 - a synthesis without changes does not need it

    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux
        return False
    paths = [os.fsencode(path) for path in (new, target)]
    return bool(renameat2(_CURRENT_FOLDER, paths[0], _CURRENT_FOLDER, paths[1], _EXCHANGE) == 0)


def _replace(new: Path, target: Path, old: Path) -> None:
    """Replace a folder, if it exists, in two steps; the first one is undone if the second one fails."""
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise


def _keep(present: Path, new: Path, expected: Identity) -> None:
    """Give a file a second name, or copy it on a file system without hard links.

    Raises:
        PropsError: it is not the file that the synthesis saw.
    """
    with contextlib.suppress(FileNotFoundError):
        try:
            os.link(present, new)
        except OSError:
            shutil.copyfile(present, new)
        if identity(present.stat()) == expected:
            return
    raise PropsError(f"'target' ({present}) must not change during a synthesis; run it again")


def _manifests(folder: Path) -> list[str]:
    """The manifests in a folder and in its subfolders, of which each cluster has one if there are several clusters."""
    found = (*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}"))
    return sorted(path.relative_to(folder).as_posix() for path in found)


def check_target(target: Path) -> None:
    """Refuse to replace a folder that contains anything but manifests and folders of manifests.

    Raises:
        PropsError: it contains other files.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise PropsError(f"'target' ({target}) must be a folder; remove the file or name another folder")
    known = set(_manifests(target))
    # Two levels are enough, and the folder may be a large one that was named by mistake.
    found = (path for path in (*target.glob("*"), *target.glob("*/*")) if path.parent != target or not path.is_dir())
    others = sorted(name for path in found if (name := path.relative_to(target).as_posix()) not in known)
    if others:
        raise PropsError(
            f"'target' ({target}) must contain only manifests, but contains {', '.join(others[:3])}; "
            "move it away or name another folder"
        )
