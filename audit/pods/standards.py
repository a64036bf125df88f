"""The Pod Security Standards: the checks of each level, and since which version of Kubernetes each holds.

They follow https://kubernetes.io/docs/concepts/security/pod-security-standards/ and the API server's own admission;
`make audit-api` compares them with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from audit.model.place import Path
from audit.pods import baseline, restricted
from audit.pods.template import Template

NEWEST: Final = 34
"""The newest minor version of Kubernetes 1 whose standards are known; later ones count as this one."""


class Level(StrEnum):
    """A level of the standards, the most permissive first."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Violation:
    """What a level forbids.

    Attributes:
        check: Name of the check, as the standards group their controls.
        level: The level that forbids it.
        path: Path of the value in the pod (`spec` or `metadata` first).
        message: What is forbidden, with the value.
    """

    check: str
    level: Level
    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    level: Level
    find: Callable[[Template, int], Iterator[tuple[Path, str]]]
    since: int = 0
    replaced_since: int | None = None
    """The version since which a stricter check of restricted takes its place there."""


_CHECKS: Final = (
    _Check("host-process", Level.BASELINE, baseline.host_process),
    _Check("host-namespaces", Level.BASELINE, baseline.host_namespaces),
    _Check("privileged-containers", Level.BASELINE, baseline.privileged),
    _Check("capabilities", Level.BASELINE, baseline.capabilities, replaced_since=22),
    _Check("host-path-volumes", Level.BASELINE, baseline.host_paths, replaced_since=0),
    _Check("host-ports", Level.BASELINE, baseline.host_ports),
    _Check("host-probes", Level.BASELINE, baseline.host_probes, since=34),
    _Check("app-armor", Level.BASELINE, baseline.app_armor),
    _Check("se-linux", Level.BASELINE, baseline.se_linux),
    _Check("proc-mount", Level.BASELINE, baseline.proc_mount),
    _Check("seccomp", Level.BASELINE, baseline.seccomp, replaced_since=19),
    _Check("sysctls", Level.BASELINE, baseline.sysctls),
    _Check("volume-types", Level.RESTRICTED, restricted.volume_types),
    _Check("privilege-escalation", Level.RESTRICTED, restricted.privilege_escalation, since=8),
    _Check("running-as-non-root", Level.RESTRICTED, restricted.non_root),
    _Check("running-as-user-0", Level.RESTRICTED, restricted.user_0, since=23),
    _Check("seccomp", Level.RESTRICTED, restricted.seccomp, since=19),
    _Check("capabilities", Level.RESTRICTED, restricted.capabilities, since=22),
)


def violations(template: Template, level: Level, version: int = NEWEST) -> list[Violation]:
    """What a level forbids of a template.

    Args:
        template: The pod template.
        level: The level.
        version: Minor version of Kubernetes 1 whose standards apply.
    """
    version = min(version, NEWEST)
    if level is Level.PRIVILEGED:
        return []
    found = []
    for check in _CHECKS:
        if check.since > version or (level is Level.BASELINE and check.level is Level.RESTRICTED):
            continue
        if level is Level.RESTRICTED and check.replaced_since is not None and check.replaced_since <= version:
            continue
        found += [Violation(check.name, check.level, path, text) for path, text in check.find(template, version)]
    return found
