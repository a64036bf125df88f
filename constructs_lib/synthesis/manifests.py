"""Writes the manifests of a platform: unchanged ones from the cache, others with the constructs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.errors import PropsError
from constructs_lib.inputs import PlatformInput, TenantInput, inputs
from constructs_lib.names import SUFFIX
from constructs_lib.platform import Platform
from constructs_lib.synthesis import workers
from constructs_lib.synthesis.cache import Cache, key

if TYPE_CHECKING:
    from constructs_lib.charts import Extension


def synth(
    platform: Platform,
    outdir: Path | str,
    *,
    image: str | None = None,
    model: str | None = None,
    extend: "Mapping[str, Extension] | None" = None,
) -> dict[str, str]:
    """Write the manifests of a platform into a folder.

    The charts of tenants in `extend` depend on code that the cache does not know, so they are always made anew.

    Args:
        platform: the platform.
        outdir: the folder; it is created.
        image: replaces every tenant's image.
        model: replaces every tenant's model; `{tenant}` in it becomes the tenant's name.
        extend: adds constructs of the caller's to the charts of the tenants that it names.

    Returns:
        The key of each manifest in the cache, by the chart's name; with several clusters, by `<cluster>/<chart>`.

    Raises:
        PropsError: the image or the model breaks a rule, or `extend` names a tenant that is not there.
    """
    extend = extend or {}
    if unknown := sorted(extend.keys() - {tenant.name for tenant in platform.tenants}):
        raise PropsError(f"'extend' ({unknown[0]}) must be a tenant of platform.yaml: correct the name")
    keys: dict[str, str] = {}
    for cluster, part in platform.parts().items():
        found = _synth(inputs(part, image=image, model=model), Path(outdir, cluster), extend)
        keys |= {f"{cluster}/{name}" if cluster else name: each for name, each in found.items()}
    return keys


def _synth(
    items: "Sequence[PlatformInput | TenantInput]", folder: Path, extend: "Mapping[str, Extension]"
) -> dict[str, str]:
    """Write the manifests of one cluster; return the key of each in the cache, by the chart's name."""
    cache = Cache.from_environment()
    folder.mkdir(parents=True, exist_ok=True)
    keys = {each.name: key(type(each).__name__, each.model_dump_json()) for each in items}
    missing = [each for each in items if each.name in extend or not _copy(cache, keys[each.name], folder, each.name)]
    if missing:
        _write(missing, folder, extend)
        for each in missing:
            if each.name not in extend:
                cache.store(keys[each.name], (folder / f"{each.name}{SUFFIX}").read_bytes())
        cache.trim()
    return keys


def copy_all(cache: Cache, keys: Mapping[str, str], folder: Path) -> bool:
    """Write manifests from the cache into a folder.

    Args:
        cache: the cache.
        keys: what `synth` returned.
        folder: the folder; it is created.

    Returns:
        Whether the cache has them all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return all(_copy(cache, each, folder, name) for name, each in keys.items())


def _copy(cache: Cache, item: str, folder: Path, name: str) -> bool:
    manifest = cache.read(item)
    if manifest is not None:
        file = folder / f"{name}{SUFFIX}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(manifest)
    return manifest is not None


def _write(missing: "Sequence[PlatformInput | TenantInput]", folder: Path, extend: "Mapping[str, Extension]") -> None:
    """Write manifests with the constructs: those of many tenants in other processes, the rest in this one."""
    plain = [each for each in missing if isinstance(each, TenantInput) and each.name not in extend]
    processes = workers.count(len(plain))
    own = missing
    if processes > 1:
        workers.write_all(plain, folder, processes=processes)
        shared = {each.name for each in plain}
        own = [each for each in missing if each.name not in shared]
    if own:
        from constructs_lib.charts import write  # noqa: PLC0415 - loads jsii, which takes a second

        for each in own:
            write(each, folder, extend=extend.get(each.name))
