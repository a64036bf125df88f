"""Writes the manifests of a platform: only what has changed with the constructs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.errors import PropsError
from constructs_lib.inputs import ChartInput, inputs
from constructs_lib.names import SUFFIX
from constructs_lib.platform import Platform
from constructs_lib.synthesis import workers
from constructs_lib.synthesis.cache import Cache, key
from constructs_lib.synthesis.unchanged import Identity, Kept, take, within

if TYPE_CHECKING:
    from constructs_lib.charts import Extension


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a synthesis did.

    Args:
        keys: the key of each manifest in the cache, by the chart's name; with several clusters, by `<cluster>/<chart>`.
        kept: the files of the present folder that are up to date, so that they were not written.
    """

    keys: Mapping[str, str]
    kept: Kept


def synth(
    platform: Platform,
    outdir: Path | str,
    *,
    image: str | None = None,
    model: str | None = None,
    extend: "Mapping[str, Extension] | None" = None,
    present: Path | None = None,
) -> Written:
    """Write the manifests of a platform into a folder.

    The charts of tenants in `extend` depend on code that the cache does not know, so they are always synthesized.

    Args:
        platform: the platform.
        outdir: the folder; it is created.
        image: replaces every tenant's image.
        model: replaces every tenant's model; `{tenant}` in it becomes the tenant's name.
        extend: adds constructs of the caller's to the charts of the tenants that it names.
        present: a folder of manifests that `outdir` will replace, if there is one.

    Returns:
        What is known about the manifests; `outdir` has those that are not kept.

    Raises:
        PropsError: the image or the model breaks a rule, or `extend` names a tenant that is not there.
    """
    extend = extend or {}
    if unknown := sorted(extend.keys() - {tenant.name for tenant in platform.tenants}):
        raise PropsError(f"'extend' ({unknown[0]}) must be a tenant of platform.yaml: correct the name")
    keys: dict[str, str] = {}
    kept: dict[str, Identity] = {}
    for cluster, part in platform.parts().items():
        items = inputs(part, image=image, model=model)
        found = _synth(items, Path(outdir, cluster), present and Path(present, cluster), extend)
        keys |= {f"{cluster}/{name}" if cluster else name: each for name, each in found.keys.items()}
        kept |= within(cluster, found.kept)
    return Written(keys=keys, kept=kept)


def _synth(
    items: Sequence[ChartInput],
    folder: Path,
    present: Path | None,
    extend: "Mapping[str, Extension]",
) -> Written:
    """Write the manifests of one cluster."""
    cache = Cache.from_environment()
    keys = {each.name: key(type(each).__name__, each.model_dump_json()) for each in items}
    plain = {name: each for name, each in keys.items() if name not in extend}
    unknown, kept = take(cache, plain, folder, present)
    missing = [each for each in items if each.name in extend or each.name in unknown]
    if missing:

        def store(item: ChartInput) -> None:
            if item.name not in extend:
                cache.store(keys[item.name], (folder / f"{item.name}{SUFFIX}").read_bytes())

        _write(missing, folder, extend, store)
        cache.trim()
    return Written(keys=keys, kept=kept)


def _write(
    missing: Sequence[ChartInput],
    folder: Path,
    extend: "Mapping[str, Extension]",
    written: Callable[[ChartInput], None],
) -> None:
    """Write manifests with the constructs: many of them in other processes, the rest in this one."""
    plain = [each for each in missing if each.name not in extend]
    processes = workers.count(len(plain))
    own = missing
    if processes > 1:
        workers.write_all(plain, folder, processes=processes, written=written)
        own = [each for each in missing if each.name in extend]
    if own:
        from constructs_lib.charts import write  # noqa: PLC0415 - loads jsii, which takes a second

        for each in own:
            write(each, folder, extend=extend.get(each.name))
            written(each)
