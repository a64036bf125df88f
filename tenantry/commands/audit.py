"""`tenantry audit`: who can reach whom, from plain YAML and without a cluster.

The work is in the package `audit`; this module only reads options and prints.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tenantry.console import result, say, step
from tenantry.errors import CommandError, InputError
from tenantry.options import DIST

if TYPE_CHECKING:
    from audit import Cluster
    from audit.reports.formats import Report

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_LAST_PORT: Final = 65535

audit = typer.Typer(
    name="audit",
    help="Show who can reach whom, from plain YAML and without a cluster.\n\nExample: tenantry audit reach dist/",
    no_args_is_help=True,
)


class Format(StrEnum):
    """How to print a report."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    DOT = "dot"
    SVG = "svg"


PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(help=f"Files, folders, patterns, or - for standard input. Default: {DIST}.", show_default=False),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Read this context's cluster through kubectl instead of files.")
]
KubeconfigOption = Annotated[Path | None, typer.Option("--kubeconfig", help="Kubeconfig file for --context.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the result.")]
KeepGoingOption = Annotated[
    bool, typer.Option("--keep-going", help="Report invalid objects and go on; what they could affect is unknown.")
]
NamespaceOption = Annotated[str, typer.Option("--default-namespace", help="Namespace of objects that do not name one.")]
PodCidrOption = Annotated[
    list[str] | None, typer.Option("--pod-cidr", help="Addresses of pods; can be repeated, once per family.")
]
ServiceCidrOption = Annotated[
    list[str] | None, typer.Option("--service-cidr", help="Cluster IPs of Services; can be repeated.")
]
NodeCidrOption = Annotated[list[str] | None, typer.Option("--node-cidr", help="Addresses of nodes; can be repeated.")]
BlocksOption = Annotated[
    bool | None,
    typer.Option(
        "--ip-blocks-cover-pods/--ip-blocks-spare-pods",
        help="Whether an ipBlock applies to pods and nodes with an address in it; implementations differ.",
        show_default=False,
    ),
]


@audit.command()
def reach(
    paths: PathsArgument = None,
    *,
    source: Annotated[str | None, typer.Option("--from", help="Only this source: NAMESPACE/NAME.")] = None,
    destination: Annotated[
        str | None, typer.Option("--to", help="Only this destination: NAMESPACE/NAME, an address or a CIDR.")
    ] = None,
    port: Annotated[str | None, typer.Option(help="Only this port, such as 443 or UDP/53.")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only what begins or ends in this namespace.")
    ] = None,
    new_pods: Annotated[bool, typer.Option("--new-pods", help="Show pods that do not exist yet, too.")] = False,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
    pod_cidr: PodCidrOption = None,
    service_cidr: ServiceCidrOption = None,
    node_cidr: NodeCidrOption = None,
    blocks: BlocksOption = None,
) -> None:
    """Show what each workload can reach, with workloads of equal behaviour as one group.

    What is not listed is denied. Unknown means that YAML does not decide; the lines below say what is missing.

    Example: tenantry audit reach dist/ --from tenant-a/tenant-a-ml-inference
    """
    with _errors():
        from audit.reports.reach_report import Filter, reach_report

        number, protocol = _port(port)
        given = _Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = _read(given, keep_going=keep_going)
        wanted = Filter(
            source=source,
            destination=destination,
            port=number,
            protocol=protocol,
            namespace=namespace,
            new_pods=new_pods,
        )
        _print(reach_report(cluster, wanted), output, cluster)


@audit.command()
def explain(
    source: Annotated[str, typer.Argument(metavar="FROM", help="NAMESPACE/NAME, NAMESPACE/*, an address or node.")],
    destination: Annotated[
        str, typer.Argument(metavar="TO", help="The same, or NAMESPACE/service/NAME for a Service.")
    ],
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="Number or name of the port, such as 443, http or UDP/53.")
    ],
    paths: PathsArgument = None,
    *,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
    pod_cidr: PodCidrOption = None,
    service_cidr: ServiceCidrOption = None,
    node_cidr: NodeCidrOption = None,
    blocks: BlocksOption = None,
) -> None:
    r"""Say whether one connection is allowed, denied or unknown, with each deciding policy, file and line.

    A denial says what would have to allow the connection, an unknown what is missing. NAMESPACE/* is a pod that does
    not exist yet, with any labels; NAMESPACE/\[key=value] is one with exactly these labels.

    Example: tenantry audit explain tenant-a/tenant-a-ml-inference tenant-b/tenant-b-ml-inference 8000 dist/
    """
    with _errors():
        from audit.reports.explain_report import explain_report

        number, protocol = _named_port(port)
        given = _Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = _read(given, keep_going=keep_going)
        answer = cluster.verdict(source, destination, number, protocol)
        _print(explain_report(answer), output, cluster)


@audit.command()
def exposure(
    paths: PathsArgument = None,
    *,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only the workloads of this namespace.")
    ] = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    output: FormatOption = Format.TEXT,
    keep_going: KeepGoingOption = False,
    default_namespace: NamespaceOption = "default",
    pod_cidr: PodCidrOption = None,
    service_cidr: ServiceCidrOption = None,
    node_cidr: NodeCidrOption = None,
    blocks: BlocksOption = None,
) -> None:
    """Show what each workload exposes beyond its namespace, and which workloads no policy restricts.

    To pods of other namespaces, to addresses outside, to nodes, through Services and through routes.

    Example: tenantry audit exposure dist/ --format sarif
    """
    with _errors():
        from audit.reports.exposure_report import exposure_report

        given = _Given(paths, context, kubeconfig, default_namespace, pod_cidr, service_cidr, node_cidr, blocks)
        cluster = _read(given, keep_going=keep_going)
        _print(exposure_report(cluster, namespace), output, cluster)


@audit.command()
def schema() -> None:
    """Print the JSON Schema of what --format json prints.

    Example: tenantry audit schema > audit.schema.json
    """
    import json

    from audit.reports.formats import schema as of_reports

    result(json.dumps(of_reports(), indent=2))


@dataclass(frozen=True, slots=True)
class _Given:
    """The options that say what to read."""

    paths: list[str] | None
    context: str | None
    kubeconfig: Path | None
    default_namespace: str
    pod_cidr: list[str] | None
    service_cidr: list[str] | None
    node_cidr: list[str] | None
    blocks: bool | None


def _read(given: _Given, *, keep_going: bool) -> "Cluster":
    from audit import Assumptions, read

    assumptions = Assumptions(
        pod_cidrs=given.pod_cidr or (),
        service_cidrs=given.service_cidr or (),
        node_cidrs=given.node_cidr or (),
        ip_blocks_cover_pods=given.blocks,
    )
    if given.context:
        if given.paths:
            raise InputError("--context reads a cluster: leave the files out, or leave --context out")
        with step(f"reading the cluster of context {given.context}"):
            return read.context(
                given.context, kubeconfig=given.kubeconfig, assumptions=assumptions, keep_going=keep_going
            )
    if given.kubeconfig:
        raise InputError("--kubeconfig is for --context: name the context, too")
    if not given.paths and not DIST.is_dir():
        raise InputError(f"nothing to read: name files or folders with manifests; there is no {DIST}/ here")
    return read.objects(
        given.paths or [DIST],
        assumptions=assumptions,
        default_namespace=given.default_namespace,
        keep_going=keep_going,
    )


def _print(report: "Report", output: Format, cluster: "Cluster") -> None:
    from audit.reports import formats

    result(formats.printed(report, formats.Format(output.value)))
    for problem in cluster.problems:
        say(f"invalid: {problem}")
    if cluster.problems:
        raise typer.Exit(1)


def _port(text: str | None) -> tuple[int | None, str]:
    if text is None:
        return None, "TCP"
    number, protocol = _named_port(text)
    if not isinstance(number, int):
        raise InputError(f"--port {text}: give a number from 1 to 65535, such as 443 or UDP/53")
    return number, protocol


def _named_port(text: str) -> tuple[int | str, str]:
    """A port with its protocol: 443, UDP/53, 53/udp or http."""
    first, slash, second = text.partition("/")
    protocol, port = ("TCP", first) if not slash else (first, second)
    if port.upper() in _PROTOCOLS:
        protocol, port = port, protocol
    if protocol.upper() not in _PROTOCOLS or not port:
        raise InputError(f"the port {text!r} is not one: write 443, http, UDP/53 or SCTP/3868")
    if not port.isdecimal():
        return port, protocol.upper()
    if not 1 <= int(port) <= _LAST_PORT:
        raise InputError(f"the port {text!r} does not exist: ports are 1 to {_LAST_PORT}")
    return int(port), protocol.upper()


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what the audit cannot answer into an error of the command."""
    from audit.errors import AuditError, SourceError

    try:
        yield
    except SourceError as error:
        raise CommandError(str(error)) from error
    except AuditError as error:
        raise InputError(str(error)) from error
