"""Decides which tenants are applied, which are skipped, and where something could have to be deleted."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from tenantry.cluster.applying.folder import Folder
from tenantry.cluster.applying.kinds import BASELINE, INSTANCE, NAMESPACE, TENANT_KINDS, TENANTS
from tenantry.cluster.applying.record import LAST_APPLIED, Record, fingerprint, identity, identity_of
from tenantry.cluster.applying.server import Metadata, Server

_REQUESTS: Final = 4
"""Lists that are read at the same time."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an apply has to do for the tenants.

    Attributes:
        apply: tenants to apply, each with the reason.
        skip: tenants whose files and objects are as the last apply left them.
        surplus: objects on the cluster that kubectl applied and that their tenant's file does not contain, by tenant.
            Only kubectl decides whether one of them is deleted. Of a tenant without a file, only those that are not
            deleted with its namespace.
        removed: tenants on the cluster that have no file.
        before: fingerprints of the tenants' objects on the cluster.
    """

    apply: Mapping[str, str]
    skip: tuple[str, ...]
    surplus: Mapping[str, tuple[str, ...]]
    removed: tuple[str, ...]
    before: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Live:
    """The objects of one tenant on the cluster: their fingerprints, and which of them kubectl applied."""

    fingerprints: dict[str, str]
    applied: set[str]


def plan(folder: Folder, server: Server, *, everything: bool) -> Plan:
    """Compare dist/ with the cluster.

    Args:
        folder: dist/.
        server: the cluster.
        everything: whether to apply tenants although nothing has changed.

    Raises:
        InputError: a file that must be applied is wrong.
    """
    namespaces = {each["name"]: each for each in server.metadata(NAMESPACE, TENANTS)}
    records = {name: record for name, each in namespaces.items() if (record := Record.of(each))}
    live = _live(server, {key.partition(" ")[0] for record in records.values() for key in record.objects}, namespaces)
    apply: dict[str, str] = {}
    surplus: dict[str, tuple[str, ...]] = {}
    nothing = _Live(fingerprints={}, applied=set())
    for name, file in folder.tenants.items():
        record, found = records.get(name), live.get(name, nothing)
        if record is None or record.digest != file.digest:
            file.check()
            expected = {identity_of(each) for each in file.objects}
        else:
            expected = set(record.objects)
        if extra := found.applied - expected:
            surplus[name] = tuple(sorted(extra))
        if reason := _reason(name in namespaces, record, file.digest, found, surplus.get(name, ())):
            apply[name] = reason
        elif everything:
            apply[name] = "--all"
    removed = tuple(sorted(name for name, each in live.items() if _is_removed(name, each, folder)))
    for name in removed:
        if baseline := tuple(sorted(key for key in live[name].applied if key.startswith(f"{BASELINE} "))):
            surplus[name] = baseline
    return Plan(
        apply=apply,
        skip=tuple(name for name in folder.tenants if name not in apply),
        surplus=surplus,
        removed=removed,
        before={key: value for each in live.values() for key, value in each.fingerprints.items()},
    )


def _reason(exists: bool, record: Record | None, digest: str, live: _Live, extra: Iterable[str]) -> str:  # noqa: FBT001
    """Why a tenant must be applied; empty if it need not be."""
    if not exists:
        return "is new"
    if record is None:
        return "has no record of an apply"
    if record.digest != digest:
        return "has a changed file"
    differing = sorted(key for key, value in record.objects.items() if live.fingerprints.get(key) != value)
    if changed := [*differing, *extra]:
        return f"was changed on the cluster: {', '.join(changed)}"
    return ""


def _is_removed(name: str, live: _Live, folder: Folder) -> bool:
    return name not in folder.tenants and f"{NAMESPACE} {name}" in live.applied


def _live(server: Server, recorded: set[str], namespaces: Mapping[str, Metadata]) -> dict[str, _Live]:
    """The tenants' objects of all kinds, by tenant."""
    kinds = sorted({*TENANT_KINDS, *recorded} - {NAMESPACE})
    with ThreadPoolExecutor(_REQUESTS) as pool:
        lists = list(pool.map(lambda kind: server.metadata(kind, TENANTS), kinds))
    found: dict[str, _Live] = {}
    for kind, objects in ((NAMESPACE, namespaces.values()), *zip(kinds, lists, strict=True)):
        for each in objects:
            tenant = found.setdefault(each["labels"].get(INSTANCE, ""), _Live(fingerprints={}, applied=set()))
            key = identity(kind, each)
            tenant.fingerprints[key] = fingerprint(each)
            if kind in TENANT_KINDS and LAST_APPLIED in each.get("annotations", {}):
                tenant.applied.add(key)
    return found
