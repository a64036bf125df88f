"""`tenantry plan`: what platform.yaml needs, and for how many tenants the cluster suffices."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tenantry.commands.publish import FormatOption
from tenantry.commands.serve import PLATFORM_FILE, FileOption
from tenantry.console import result, say
from tenantry.errors import InputError

if TYPE_CHECKING:
    from constructs_lib.platform.capacity import Need, Room
    from constructs_lib.platform.cluster import Cluster

_PIPED_WIDTH = 200
"""Columns where there is no terminal that would say."""
_MEBIBYTE = 2**20


def plan(
    *,
    file: FileOption = PLATFORM_FILE,
    workers: Annotated[int | None, typer.Option(help="Machines, instead of the file's platform.cluster.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of one machine, as in 4.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of one machine, as in 8Gi.")] = None,
    output: FormatOption = "text",
) -> None:
    """Say what the tenants need, at rest and at most, and for how many of their kind the cluster suffices.

    Counted are requests, pod by pod and machine by machine, as the scheduler counts. The cluster is the one that
    platform.cluster of the file describes, or the options do; without either, only the needs are said. Exit code 1 when
    the pods at rest find no room.

    Example: tenantry plan --workers 4 --cpu 4 --memory 8Gi
    """
    from constructs_lib.platform import Platform
    from constructs_lib.platform.capacity import homeless, machines, need, tenants_like

    platform = Platform.load(file)
    needs = [need(tenant) for tenant in platform.tenants]
    cluster = _cluster(platform.platform.cluster, {"workers": workers, "cpu": cpu, "memory": memory})
    left_out, like = (0, 0), {}
    if cluster is not None:
        free = machines(cluster)
        rest = homeless([each.pod for each in needs for _ in range(each.minimum.pods)], free)
        most = homeless([each.pod for each in needs for _ in range(each.maximum.pods)], free)
        left_out = (rest, most)
        like = {each.tenant: tenants_like(each, free) for each in needs}
    if output == "json":
        result(json.dumps(_document(needs, cluster, left_out, like), indent=2))
    else:
        _show(needs, cluster, left_out, like)
    if left_out[0]:
        raise typer.Exit(1)


def _cluster(described: "Cluster | None", given: dict[str, Any]) -> "Cluster | None":
    """The file's cluster, with what the options say instead."""
    from pydantic import ValidationError

    from constructs_lib.platform.cluster import Cluster

    options = {name: value for name, value in given.items() if value is not None}
    if not options:
        return described
    try:
        return Cluster.model_validate({**(described.model_dump() if described else {}), **options})
    except ValidationError as error:
        problem = error.errors()[0]
        said = "is needed, too" if problem["type"] == "missing" else problem["msg"]
        raise InputError(f"--{problem['loc'][0]}: {said}") from error


def _document(
    needs: list["Need"], cluster: "Cluster | None", left_out: tuple[int, int], like: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    from constructs_lib.platform.capacity import total

    tenants = [
        {"tenant": each.tenant, "atRest": _room(each.minimum), "atMost": _room(each.maximum)}
        | ({"roomForLikeIt": {"atRest": like[each.tenant][0], "atMost": like[each.tenant][1]}} if like else {})
        for each in needs
    ]
    together = {
        "atRest": _room(total([each.minimum for each in needs])),
        "atMost": _room(total([each.maximum for each in needs])),
    }
    described = cluster.model_dump(by_alias=True) if cluster else None
    short = {"atRest": left_out[0], "atMost": left_out[1]} if cluster else None
    return {"tenants": tenants, "total": together, "cluster": described, "podsWithoutRoom": short}


def _room(room: "Room") -> dict[str, int]:
    return {"pods": room.pods, "cpuMillicores": room.cpu, "memoryBytes": room.memory}


def _show(
    needs: list["Need"], cluster: "Cluster | None", left_out: tuple[int, int], like: dict[str, tuple[int, int]]
) -> None:
    from constructs_lib.platform.capacity import total

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("tenant", "pods", "CPU", "memory", *(("room for so many like it",) if like else ())):
        table.add_column(name, justify="left" if name == "tenant" else "right", no_wrap=True)
    for each in needs:
        rest, most = like.get(each.tenant, (0, 0))
        room = [_span(most, rest, "{:,}")] if like else []
        table.add_row(each.tenant, *_columns(each.minimum, each.maximum), *room)
    both = total([each.minimum for each in needs]), total([each.maximum for each in needs])
    table.add_row("together", *_columns(*both), *([""] if like else []), style="bold")
    Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    if cluster is None:
        say("does a cluster hold it? Describe one: --cpu and --memory of a worker, or platform.cluster in the file")
        return
    for state, missing in zip(("at rest", "at most"), left_out, strict=True):
        result(f"{cluster}: {'everything fits' if not missing else f'{missing} pods find no room'} {state}")


def _columns(minimum: "Room", maximum: "Room") -> tuple[str, str, str]:
    return (
        _span(minimum.pods, maximum.pods, "{:,}"),
        _span(minimum.cpu / 1000, maximum.cpu / 1000, "{:.10g}"),
        _span(_mebibytes(minimum), _mebibytes(maximum), "{}Mi"),
    )


def _mebibytes(room: "Room") -> int:
    """Memory as a quantity may say it: rounded up, since less would not do."""
    return -(-room.memory // _MEBIBYTE)


def _span(low: float, high: float, form: str) -> str:
    """`2 to 11`, or one of them when they are the same."""
    return form.format(low) if low == high else f"{form.format(low)} to {form.format(high)}"
