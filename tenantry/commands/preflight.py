"""`tenantry preflight`: what a cluster has, what the platform needs, and which key of platform.yaml to set."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say, step
from tenantry.options import (
    PLATFORM_FILE,
    ClusterOption,
    ContextOption,
    FileOption,
    Format,
    FormatOption,
    ImageOption,
    KubeconfigOption,
)

if TYPE_CHECKING:
    from constructs_lib.platform import Platform
    from tenantry.preflight.finding import Setting
    from tenantry.preflight.probe.observations import Observations

_ROUNDS: Final = 3
"""How often the file is written and the cluster compared again: a profile that is set changes what is left to set."""


def preflight(
    *,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also test image pull, network policies and DNS with two pods in a namespace that is deleted again.",
        ),
    ] = False,
    cluster: ClusterOption = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the keys that the checks name to platform.yaml; comments stay.")
    ] = False,
    image: ImageOption = None,
    file: FileOption = PLATFORM_FILE,
    output: FormatOption = Format.TEXT,
) -> None:
    """Inspect a cluster before anything is applied: what it has, what is required, and which keys to set.

    Nothing changes on the cluster without --probe. A check is blocking (apply and up would stop), failed, warning,
    unknown (the current user may not read it), skipped (needs --probe) or ok. The exit code is 1 if a check is
    blocking or failed. `tenantry apply` and `tenantry up --context` run the same checks, without a probe.

    Example: tenantry preflight --context production

    Example: tenantry preflight --context production --probe --write
    """
    from constructs_lib.platform import Platform
    from tenantry.clusters import part_of
    from tenantry.platform_file import set_values
    from tenantry.preflight import report
    from tenantry.preflight.api import Api
    from tenantry.preflight.check import Inspected
    from tenantry.preflight.checks.profile import guess_profile
    from tenantry.preflight.inspection import BAD, inspect, settings_of

    platform = part_of(Platform.load(file), cluster)
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    api = Api(kubectl)
    observed = _probe(kubectl, platform, image) if probe else None
    with step("inspecting the cluster"):
        results = inspect(Inspected(api=api, platform=platform, probe=observed))
    written: dict[str, Setting] = {}
    for _ in range(_ROUNDS if write else 0):
        found = settings_of(results)
        if not found or not set_values(file, {("platform", each.section, each.key): each.value for each in found}):
            break
        written |= {each.path: each for each in found}
        platform = part_of(Platform.load(file), cluster)
        results = inspect(Inspected(api=api, platform=platform, probe=observed))
    profile, reason = guess_profile(api)
    if output is Format.JSON:
        about = {"context": kubectl.context, "server": kubectl.server(), "user": api.user()}
        guess = {"profile": {"guess": profile, "because": reason}}
        result(report.as_json(results, {**about, **guess}, list(written.values())))
    else:
        result(f"context {kubectl.context}, server {kubectl.server()}, kind of cluster {profile}: {reason}")
        report.print_text(results)
        for each in written.values():
            result(f"{file}: set {each.path}: {each.text}")
    if written:
        say("next: tenantry synth")
    elif settings_of(results):
        say(f"--write sets these keys in {file}")
    if any(each.finding.status in BAD for each in results):
        raise typer.Exit(1)


def _probe(kubectl: Kubectl, platform: "Platform", image: str | None) -> "Observations":
    from tenantry.preflight.probe.run import observe
    from tenantry.processes import stop_requested

    confirm(kubectl, "create a namespace with two pods and network policies, and delete it again")
    with stop_requested() as stop:
        return observe(kubectl, platform.platform, image or platform.platform.image, stop=stop)
