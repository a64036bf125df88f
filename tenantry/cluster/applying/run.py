"""Runs kubectl as a plan says, in portions of tenants, and records each portion when it is done."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from tenantry.cluster.applying.folder import Folder
from tenantry.cluster.applying.kinds import INSTANCE, NAMESPACE, PLATFORM, PLATFORM_KINDS, TENANT_KINDS, TENANTS
from tenantry.cluster.applying.plan import Plan
from tenantry.cluster.applying.record import ANNOTATION, Record, fingerprint, identity_of
from tenantry.cluster.applying.server import Server
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

PORTION: Final = 25
"""Tenants per run of kubectl: what an interrupted apply repeats at most."""
_PRUNED: Final = re.compile(r"^(?P<kind>\S+?)/(?P<name>\S+) pruned", re.MULTILINE)


class Runner:
    """Applies a folder to a cluster.

    Args:
        kubectl: the cluster.
        server: the same cluster.
        folder: dist/.
        plan: what there is to do.
    """

    def __init__(self, kubectl: Kubectl, server: Server, folder: Folder, plan: Plan) -> None:
        self._kubectl = kubectl
        self._server = server
        self._folder = folder
        self._plan = plan

    def prunable(self) -> list[tuple[str, str]]:
        """Kind and name of each object that kubectl would prune, from its own output."""
        said = [self._kubectl.run("apply", *each, "--dry-run=client") for each in (*self._platform(), *self._prunes())]
        return [(found["kind"], found["name"]) for each in said for found in _PRUNED.finditer(each)]

    def platform(self) -> list[str]:
        """Apply the platform's file and prune its objects; returns a line per changed object."""
        return [line for each in self._platform() for line in _changes(self._kubectl.run("apply", *each))]

    def tenants(self) -> Iterator[tuple[int, list[str]]]:
        """Apply the tenants of the plan, portion by portion.

        Yields:
            After each portion, the number of its tenants and a line per changed object.

        Raises:
            CommandError: kubectl refused objects. All other portions are applied first.
        """
        refused: list[str] = []
        for names in _portions(self._plan.apply):
            files = [argument for name in names for argument in ("-f", str(self._folder.tenants[name].path))]
            done = self._kubectl.try_run("apply", *files, "--output", "json", "--show-managed-fields")
            applied = _items(done.stdout)
            if done.returncode:
                refused.append(done.stderr.strip())
            self._record(names, applied)
            yield len(names), [line for each in applied if (line := self._line(each))]
        if refused:
            raise CommandError(f"kubectl apply failed in context {self._kubectl.context}: " + "\n".join(refused))

    def prune(self) -> list[str]:
        """Delete what `prunable` found in tenants' files; returns a line per deleted object."""
        said = [self._kubectl.run("apply", *each) for each in self._prunes()]
        return [line for each in said for line in _changes(each) if " pruned" in line]

    def _platform(self) -> Iterator[list[str]]:
        if self._folder.platform:
            kinds = [f"--prune-allowlist={kind}" for kind in PLATFORM_KINDS]
            yield ["-f", str(self._folder.platform.path), "-l", PLATFORM, "--prune", *kinds]

    def _prunes(self) -> Iterator[list[str]]:
        """Arguments for runs that prune tenants' objects: of these tenants and of their surplus kinds, no others."""
        surplus = self._plan.surplus
        anchor = next(iter(self._folder.tenants))  # kubectl prunes only when it applies something
        for names in _portions(dict.fromkeys((*surplus, *self._plan.removed))):
            kinds = {key.partition(" ")[0] for name in names for key in surplus.get(name, ())}
            kinds |= {NAMESPACE} if set(names) & set(self._plan.removed) else set()
            applied = [name for name in names if name in self._folder.tenants] or [anchor]
            files = [argument for name in applied for argument in ("-f", str(self._folder.tenants[name].path))]
            selector = f"{TENANTS},{INSTANCE} in ({','.join(sorted({*names, *applied}))})"
            allowed = [f"--prune-allowlist={kind}" for kind in TENANT_KINDS if kind in kinds]
            yield [*files, "-l", selector, "--prune", *allowed]

    def _record(self, names: Iterable[str], applied: Sequence[Mapping[str, Any]]) -> None:
        """Record the tenants all of whose objects the API server has accepted."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for each in applied:
            found.setdefault(each["metadata"]["labels"][INSTANCE], []).append(each)
        for name in names:
            file, objects = self._folder.tenants[name], found.get(name, [])
            if {identity_of(each) for each in file.objects} == {identity_of(each) for each in objects}:
                self._server.annotate(name, ANNOTATION, Record.after(file.digest, objects).text())

    def _line(self, item: Mapping[str, Any]) -> str:
        """What happened to an object, in kubectl's words; empty if nothing."""
        before = self._plan.before.get(identity_of(item))
        if before == fingerprint(item["metadata"]):
            return ""
        group = item["apiVersion"].rpartition("/")[0]
        kind = f"{item['kind'].lower()}.{group}" if group else item["kind"].lower()
        return f"{kind}/{item['metadata']['name']} {'configured' if before else 'created'}"


def _portions(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    every = tuple(names)
    for start in range(0, len(every), PORTION):
        yield every[start : start + PORTION]


def _items(text: str) -> list[Mapping[str, Any]]:
    if not text.strip():
        return []
    found = json.loads(text)
    return list(found["items"]) if found["kind"] == "List" else [found]


def _changes(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.endswith(" unchanged")]
