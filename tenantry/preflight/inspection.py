"""Runs the checks, and stops a command if the cluster is not ready."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from constructs_lib.platform import Platform
from constructs_lib.platform.profiles import PROFILES
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say, step
from tenantry.errors import CommandError, InputError
from tenantry.preflight.api import Api, RefusedError
from tenantry.preflight.catalog import CHECKS
from tenantry.preflight.check import Check, Inspected
from tenantry.preflight.finding import Finding, Setting, Status

BAD: Final = (Status.BLOCKING, Status.FAILED)
_READABLE: Final = "the current user may read what the check looks at"


@dataclass(frozen=True)
class Result:
    """What a check found."""

    check: Check
    finding: Finding


def inspect(inspected: Inspected) -> list[Result]:
    """Run every check.

    Raises:
        CommandError: the API server does not answer.
    """
    results = [Result(check, finding) for check in CHECKS for finding in _findings(check, inspected)]
    return _by_profile(results)


def require_ready(
    kubectl: Kubectl, file: Path, *, cluster: str = "", skip: str | None, installs: Collection[str] = ()
) -> None:
    """Inspect a cluster before something is applied to it; problems that do not stop are only printed.

    Args:
        kubectl: the cluster.
        file: platform.yaml.
        cluster: its name in the file's list of clusters. If the list has it, only its tenants count; otherwise all do.
        skip: why the cluster is not inspected; None to inspect it.
        installs: components of terraform/platform that are about to be installed; their checks do not count.

    Raises:
        InputError: the file does not exist.
        CommandError: the cluster is not ready, or does not answer.
    """
    if skip is not None:
        say(f"the cluster is not inspected: {skip}")
        return
    if not file.is_file():
        raise InputError(
            f"{file}: no such file, and the cluster is inspected for what it describes: name it with --file, or give "
            "--skip-preflight REASON"
        )
    platform = Platform.load(file)
    platform = platform.parts().get(cluster, platform)
    with step("inspecting the cluster"):
        results = inspect(Inspected(api=Api(kubectl), platform=platform))
    relevant = [each for each in results if each.check.installed_by not in installs]
    for each in relevant:
        if each.finding.status in {Status.FAILED, Status.UNKNOWN}:
            say(f"  {each.finding.status}: {each.check.title}: {each.finding.found}")
    stopping = [each for each in relevant if each.finding.status is Status.BLOCKING]
    if stopping:
        lines = "\n".join(f"  - {line}" for each in stopping for line in _explained(each))
        option = f" --cluster {cluster}" if cluster in platform.clusters else ""
        raise CommandError(
            f"context {kubectl.context} is not ready for the platform; nothing was changed:\n{lines}\n"
            f"`tenantry preflight --context {kubectl.context}{option}` shows every check, and --write sets the keys; "
            "--skip-preflight REASON continues anyway"
        )


def settings_of(results: Sequence[Result]) -> list[Setting]:
    """The keys to set, each once."""
    found = {setting.path: setting for each in results for setting in each.finding.settings}
    return list(found.values())


def _findings(check: Check, inspected: Inspected) -> list[Finding]:
    try:
        return list(check.run(inspected))
    except RefusedError as error:
        return [Finding(status=Status.UNKNOWN, found=f"{error.reason}: {error}", required=_READABLE)]


def _by_profile(results: Sequence[Result]) -> list[Result]:
    """Replace keys that the suggested profile sets in the same way by the profile."""
    profile = next((each for each in settings_of(results) if each.path == "platform.cluster.profile"), None)
    if profile is None:
        return list(results)
    derived = {(each.section, each.key): _plain(each.value) for each in PROFILES[profile.value]}

    def through(setting: Setting) -> Setting:
        is_derived = (setting.section, setting.key) in derived
        return profile if is_derived and derived[setting.section, setting.key] == setting.value else setting

    def changed(finding: Finding) -> Finding:
        settings = {each.path: each for each in map(through, finding.settings)}
        return replace(finding, settings=tuple(settings.values()))

    return [Result(each.check, changed(each.finding)) for each in results]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _explained(result: Result) -> Iterator[str]:
    finding = result.finding
    yield f"{result.check.title}: {finding.found} (required: {finding.required})"
    if finding.fix:
        yield f"{result.check.title}: {finding.fix}"
    for setting in finding.settings:
        yield f"{result.check.title}: set {setting.path}: {setting.text}"
