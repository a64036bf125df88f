"""Options that the audits share, and what each audit does with them: read, print, and turn errors into exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.console import result, say, step
from tenantry.errors import CommandError, InputError
from tenantry.options import DIST

if TYPE_CHECKING:
    from audit import Cluster
    from audit.reports.formats import Report


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
ValuesOption = Annotated[
    Path | None,
    typer.Option("--values", help="Values of kube-prometheus-stack; what the chart makes of them counts as input."),
]
ReleaseOption = Annotated[
    str | None, typer.Option("--release", help="Name of the Helm release of --values, where selectors depend on it.")
]
ReleaseNamespaceOption = Annotated[str, typer.Option("--release-namespace", help="Namespace of the Helm release.")]
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


@dataclass(frozen=True, slots=True)
class Given:
    """The options that say what to read."""

    paths: list[str] | None
    context: str | None
    kubeconfig: Path | None
    default_namespace: str
    pod_cidr: list[str] | None = None
    service_cidr: list[str] | None = None
    node_cidr: list[str] | None = None
    blocks: bool | None = None
    cluster: str | None = None

    @property
    def files(self) -> list[str]:
        """The files to read. Default: dist/, or the folder in it of the cluster that --cluster names."""
        return self.paths or [str(DIST / (self.cluster or ""))]


def read(given: Given, *, keep_going: bool, details: bool = False) -> "Cluster":
    """What the options say to read.

    Args:
        given: The options.
        keep_going: Whether to report invalid objects and go on.
        details: Whether more than the network is asked for.
    """
    from audit import Assumptions
    from audit import read as reading

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
            return reading.context(
                given.context,
                kubeconfig=given.kubeconfig,
                assumptions=assumptions,
                keep_going=keep_going,
                details=details,
            )
    if given.kubeconfig:
        raise InputError("--kubeconfig is for --context: name the context, too")
    if not given.paths and not Path(*given.files).is_dir():
        raise InputError(f"nothing to read: name files or folders with manifests; there is no {given.files[0]}/ here")
    return reading.objects(
        given.files,
        assumptions=assumptions,
        default_namespace=given.default_namespace,
        keep_going=keep_going,
        details=details,
    )


def with_values(cluster: "Cluster", values: Path | None, release: str | None, namespace: str) -> "Cluster":
    """A cluster with what the chart makes of its values, if there are any."""
    if values is None:
        if release:
            raise InputError("--release is for --values: name the file with the values, too")
        return cluster
    from audit.metrics import with_chart
    from audit.metrics.chart_values import Installation

    return with_chart(cluster, Installation(values, namespace, release))


def show(report: "Report", output: Format, cluster: "Cluster") -> None:
    """Print a report, then what is invalid in the input: then the exit code is 1."""
    from audit.reports import formats

    result(formats.printed(report, formats.Format(output.value)))
    for problem in cluster.problems:
        say(f"invalid: {problem}")
    if cluster.problems:
        raise typer.Exit(1)


@contextmanager
def errors() -> Iterator[None]:
    """Turn what the audit cannot answer into an error of the command."""
    from audit.errors import AuditError, SourceError

    try:
        yield
    except SourceError as error:
        raise CommandError(str(error)) from error
    except AuditError as error:
        raise InputError(str(error)) from error
