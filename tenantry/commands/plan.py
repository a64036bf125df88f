"""`tenantry plan`: what the tenants request, and whether a cluster can hold them."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.console import result, say
from tenantry.errors import InputError
from tenantry.options import PLATFORM_FILE, ClusterOption, FileOption, Format, FormatOption

if TYPE_CHECKING:
    from constructs_lib.platform.cluster import ClusterSettings


def plan(
    *,
    file: FileOption = PLATFORM_FILE,
    workers: Annotated[int | None, typer.Option(help="Worker nodes, instead of the file's platform.cluster.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of one node, such as 4.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of one node, such as 8Gi.")] = None,
    cluster: ClusterOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show what the tenants request at their minimum and maximum, how many fit, and what Prometheus needs for them.

    Only requests count, pod by pod and node by node, as for the scheduler. The nodes are those that platform.cluster of
    the file or the options describe; without either, only the requests are shown. The values that the profile of the
    cluster sets are shown, too. If the file lists several clusters, each one has these nodes, a Prometheus of its own,
    and its own plan; --cluster shows one. The exit code is 1 if pods are unschedulable at the minimum.

    Example: tenantry plan --workers 4 --cpu 4 --memory 8Gi
    """
    from constructs_lib.checks import prometheus_problems
    from constructs_lib.platform import Platform
    from tenantry.clusters import part_of
    from tenantry.plan_report import ClusterPlan

    platform = Platform.load(file)
    described = _cluster(platform.platform.cluster, {"workers": workers, "cpu": cpu, "memory": memory})
    parts = platform.parts() if cluster is None else {cluster: part_of(platform, cluster)}
    plans = {name: ClusterPlan.of(part, described) for name, part in parts.items()}
    if output is Format.JSON:
        documents = {name: each.document() for name, each in plans.items()}
        is_one = cluster is not None or not platform.clusters
        result(json.dumps(next(iter(documents.values())) if is_one else {"clusters": documents}, indent=2))
    for number, (name, each) in enumerate(plans.items()):
        if output is Format.TEXT:
            if name:
                result("\n" * (number > 0) + f"cluster {name}", bold=True)
            each.show()
        for problem in prometheus_problems(each.platform):
            say(f"warning: {f'cluster {name}: ' if name else ''}{problem}")
    if output is Format.TEXT and not (described and described.has_size):
        say("to see whether a cluster can hold them, give --cpu and --memory, or platform.cluster in the file")
    if not all(each.is_schedulable for each in plans.values()):
        raise typer.Exit(1)


def _cluster(described: "ClusterSettings | None", given: dict[str, Any]) -> "ClusterSettings | None":
    """The file's cluster, with what the options say instead."""
    from pydantic import ValidationError

    from constructs_lib.platform.cluster import ClusterSettings

    options = {name: value for name, value in given.items() if value is not None}
    if not options:
        return described
    try:
        return ClusterSettings.model_validate({**(described.model_dump() if described else {}), **options})
    except ValidationError as error:
        problem = error.errors()[0]
        missing = problem.get("ctx", {}).get("at", ())
        said = "is required, too" if missing else problem["msg"]
        raise InputError(f"--{(missing or problem['loc'])[0]}: {said}") from error
