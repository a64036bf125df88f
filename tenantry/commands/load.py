"""`tenantry load`: puts load on a tenant from inside its own namespace and shows how the autoscaler reacts."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.api_key import read_api_key
from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result
from tenantry.errors import InputError
from tenantry.options import (
    PLATFORM_FILE,
    ApiKeyOption,
    ContextOption,
    DryRunOption,
    FileOption,
    Format,
    FormatOption,
    KubeconfigOption,
)

if TYPE_CHECKING:
    from tenantry.cluster.load_job import Moment

_NAMED: Final = 5
_MOST_PODS: Final = 4  # the default headroom of a tenant's quota


def load(
    tenant: Annotated[
        str | None, typer.Argument(help="The tenant. Default: the first whose model classifies texts.")
    ] = None,
    *,
    seconds: Annotated[int, typer.Option(min=10, max=1800, help="How long.")] = 240,
    pods: Annotated[int, typer.Option(min=1, max=_MOST_PODS, help="Number of pods that send requests.")] = 2,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Connections per pod.")] = 8,
    api_key: ApiKeyOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    file: FileOption = PLATFORM_FILE,
    output: FormatOption = Format.TEXT,
    dry_run: DryRunOption = False,
) -> None:
    """Load one tenant so that it scales, and print its pods and CPU usage over time.

    The load comes from a Job in the tenant's namespace, which runs the service's own image and is deleted at the end.
    An API key is given to it in a Secret, which is deleted with the Job. The command shows the cluster and asks first,
    unless the variable CONFIRM names its context.

    Example: CONFIRM=kind-tenantry tenantry load tenant-a --seconds 300

    Example: CONFIRM=kind-tenantry tenantry load tenant-a --api-key key.txt
    """
    from tenantry.cluster.load_job import answers, running, watch
    from tenantry.platform_file import find_tenants
    from tenantry.processes import stop_requested

    key = read_api_key(api_key)
    tenants = find_tenants(file, [tenant] if tenant else ())
    found = next((each for each in tenants if each.runtime == "text"), None)
    if found is None:
        names = ", ".join(each.name for each in tenants[:_NAMED])
        raise InputError(f"no model of {names} classifies texts, and the load consists of texts; name another tenant")
    name = found.name
    kubectl = Kubectl.find(kubeconfig, context)
    kubectl.require_reachable()
    if dry_run:
        result(f"would put load on {name} in context {kubectl.context} for {seconds} s, from {pods} pods")
        return
    confirm(kubectl, f"put load on {name} for {seconds} s")
    with (
        stop_requested() as stop,
        running(kubectl, name, seconds=seconds, pods=pods, connections=connections, key=key),
    ):
        moments = list(watch(kubectl, name, seconds, stop))
        counted = answers(kubectl, name, pods, stop)
    if output is Format.JSON:
        result(json.dumps({"tenant": name, "timeline": [asdict(moment) for moment in moments], "answers": counted}))
        return
    result(f"{name}: {' -> '.join(replicas(moments))} pods")
    result(f"answers: {', '.join(f'{count} x {status}' for status, count in counted.items()) or 'none'}")


def replicas(moments: "list[Moment]") -> list[str]:
    """The number of ready pods, once per change."""
    numbers = [moment.ready for moment in moments]
    return [str(number) for index, number in enumerate(numbers) if index == 0 or number != numbers[index - 1]]
