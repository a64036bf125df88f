"""dist/ as files: the platform's, and one per tenant. Only what has changed is parsed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from constructs_lib.names import MANAGED_BY, PART_OF, PLATFORM_CHART, SUFFIX, deployment_selector
from tenantry.cluster.applying.kinds import NAMESPACE, OURS
from tenantry.cluster.applying.record import identity_of
from tenantry.errors import InputError

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class ManifestFile:
    """A file of dist/.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the tenant or, for the platform's file, of its chart."""
        return self.path.name.removesuffix(SUFFIX)

    @cached_property
    def digest(self) -> str:
        """SHA-256 digest, as hexadecimal digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @cached_property
    def objects(self) -> tuple[Mapping[str, Any], ...]:
        """The objects, in their order."""
        with self.path.open(encoding="utf-8") as file:
            return tuple(each for each in yaml.load_all(file, _LOADER) if each)

    def check(self) -> None:
        """Refuse objects that pruning could not find again, and a tenant's file that does not create the tenant.

        Raises:
            InputError: a label or the Namespace is missing.
        """
        wanted = {MANAGED_BY: PART_OF} | ({} if self.name == PLATFORM_CHART else deployment_selector(self.name))
        for each in self.objects:
            found = each["metadata"].get("labels", {})
            if missing := [f"{key}={value}" for key, value in wanted.items() if found.get(key) != value]:
                raise InputError(
                    f"{self.path}: {each['kind']} {each['metadata']['name']} does not have the label {missing[0]}, "
                    "by which pruning finds it; run `tenantry synth`"
                )
        if self.name != PLATFORM_CHART and f"{NAMESPACE} {self.name}" not in map(identity_of, self.objects):
            raise InputError(f"{self.path}: must contain the Namespace {self.name}; run `tenantry synth`")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of manifests.

    Attributes:
        path: the folder.
        platform: the platform's file, if there is one.
        tenants: the tenants' files by the tenants' names.
    """

    path: Path
    platform: ManifestFile | None
    tenants: Mapping[str, ManifestFile]

    @classmethod
    def of(cls, path: Path) -> "Folder":
        """Find the files.

        Raises:
            InputError: the folder holds no tenant, so every tenant would be deleted; or it is that of several clusters,
                or holds a file of another kind.
        """
        found = sorted(path.glob("*.yaml")) if path.is_dir() else []
        if others := [each.name for each in found if not each.name.endswith(SUFFIX)]:
            raise InputError(f"--dist {path}: {others[0]} is not one of the {SUFFIX} files of `tenantry synth`")
        files = {each.name: each for each in map(ManifestFile, found)}
        platform = files.pop(PLATFORM_CHART, None)
        if not files:
            if clusters := sorted(each.parent.name for each in path.glob(f"*/{PLATFORM_CHART}{SUFFIX}")):
                folders = ", ".join(str(path / each) for each in clusters)
                raise InputError(f"--dist {path}: holds the folders of several clusters; name one of them: {folders}")
            raise InputError(
                f"--dist {path}: holds no tenant with the label {OURS}, so every tenant would be deleted; "
                "run `tenantry synth`"
            )
        return cls(path=path, platform=platform, tenants=files)
