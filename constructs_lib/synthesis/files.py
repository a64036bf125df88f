"""Synthesizes a file, and does not even read it as a platform if it has not changed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.synthesis.cache import Cache, key
from constructs_lib.synthesis.unchanged import Kept, take

if TYPE_CHECKING:
    from constructs_lib.charts import Extension
    from constructs_lib.platform import Platform


def synth_file(
    file: Path,
    outdir: Path,
    *,
    image: str | None,
    model: str | None,
    extend: "Mapping[str, Extension] | None",
    warn: Callable[[str], None],
    present: Path | None = None,
) -> Kept:
    """Write the manifests of a platform.yaml into a folder.

    Args:
        file: platform.yaml.
        outdir: the folder; it is created.
        image: replaces every tenant's image.
        model: replaces every tenant's model; `{tenant}` in it becomes the tenant's name.
        extend: adds constructs of the caller's to the charts of the tenants that it names.
        warn: is called with each warning.
        present: a folder of manifests that `outdir` will replace, if there is one.

    Returns:
        The files of `present` that are up to date; `outdir` has all others.

    Raises:
        PlatformError: the file is wrong.
        PropsError: the image or the model breaks a rule, or `extend` names a tenant that is not there.
    """
    cache = Cache.from_environment()
    before = _key(file, image, model) if not extend else None
    known = cache.read(before) if before else None
    if known is not None:
        result = json.loads(known)
        missing, kept = take(cache, result["keys"], outdir, present)
        if not missing:
            for each in result["warnings"]:
                warn(each)
            return kept
    # These take half a second to import, which a file without changes does not need.
    from constructs_lib.checks import warnings  # noqa: PLC0415
    from constructs_lib.platform import Platform  # noqa: PLC0415
    from constructs_lib.synthesis.manifests import synth  # noqa: PLC0415

    platform = Platform.load(file)
    found = warnings(platform)
    for each in found:
        warn(each)
    written = synth(platform, outdir, image=image, model=model, extend=extend, present=present)
    if before and before == _key(file, image, model) and not _reads_others(platform):  # the file may have changed
        cache.store(before, json.dumps({"keys": written.keys, "warnings": found}).encode())
    return written.kept


def _reads_others(platform: "Platform") -> bool:
    """Whether the platform may contain the content of another file, whose changes the key does not show."""
    bundle = platform.platform.model_store.ca_bundle
    return bundle is not None and bundle.pem is not None


def _key(file: Path, image: str | None, model: str | None) -> str | None:
    """The key of what is known about the file; None if it cannot be read, which `Platform.load` reports."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return key("file", text, image or "", model or "")
