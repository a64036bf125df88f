"""The options that more than one command has, and their defaults: the same name and meaning in every command.

A command takes its options from here and from no other command. What only one command has stays in its module.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from inference import contract

PLATFORM_FILE: Final = Path("platform.yaml")
DIST: Final = Path("dist")
"""Where `tenantry synth` writes manifests."""
MODEL: Final = Path("build/models/spam")
"""Where `tenantry train` writes a model."""
KUBECONFIG: Final = Path("build/kubeconfig")
"""Where `tenantry up` writes the kubeconfig of the cluster that it creates."""
FIRST_PORT: Final = 8001
CLUSTER_NAME: Final = "tenantry"
API_KEY_ENV: Final = "TENANTRY_API_KEY"
"""Variable that contains the API key for commands that send predictions."""


class Format(StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


# The platform
FileOption = Annotated[Path, typer.Option("--file", "-f", help="The file that lists the tenants.")]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", help="Folder to write; the manifests that it holds are replaced.")
]
DistOption = Annotated[Path, typer.Option("--dist", "-d", help="Folder of manifests, as `tenantry synth` writes it.")]
ImageOption = Annotated[str | None, typer.Option("--image", help="Image for every tenant, instead of the file's.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the result.")]

# A model that is made
TextOption = Annotated[str, typer.Option("--text", metavar="COLUMN", help="Column or key of the text.")]
LabelOption = Annotated[str, typer.Option("--label", metavar="COLUMN", help="Column or key of the label.")]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="Of the files, as in latin-1. Default: UTF-8, or UTF-16 with a byte order mark."),
]
ModelOutputOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to write; created if missing.")]
ExamplesOption = Annotated[
    bool,
    typer.Option(
        "--examples/--no-examples",
        help="Put a few held-out texts into the model, for the page of the service to offer. Without them if the texts "
        "are confidential: anyone who can reach the service can read them.",
    ),
]
NameOption = Annotated[str, typer.Option("--name", help="The model's name in the Open Inference Protocol.")]

# Tenants on this machine
ModelOption = Annotated[Path, typer.Option("--model", "-m", help="Folder of the model, as `tenantry train` writes it.")]
PortOption = Annotated[
    int, typer.Option("--port", "-p", min=1, max=65535, help="First port; ports that are in use are skipped.")
]
TenantOption = Annotated[list[str] | None, typer.Option("--tenant", "-t", help="Only this tenant; can be repeated.")]

# A cluster
KubeconfigOption = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        help=f"Kubeconfig file. Default: $KUBECONFIG, else {KUBECONFIG} if `tenantry up` wrote it.",
    ),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig. Default: its current context.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="NAME", help="One of the clusters in platform.yaml: only its tenants are considered."
    ),
]
ClusterNameOption = Annotated[str, typer.Option("--name", help="Name of the Kind cluster.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", envvar="DRY_RUN", help="Print what would change, and change nothing.")
]
SkipPreflightOption = Annotated[
    str | None,
    typer.Option(
        "--skip-preflight",
        metavar="REASON",
        envvar="SKIP_PREFLIGHT",
        help="Do not inspect the cluster first (`tenantry preflight`); the reason is printed.",
    ),
]
ApiKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--api-key",
        metavar="FILE",
        help=f"File that contains an API key, for a tenant with 'auth: apiKeys'. Default: the variable {API_KEY_ENV}.",
    ),
]

# The object store
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help=f"Address of the S3 API, as in http://127.0.0.1:9000. Default: ${contract.STORE_ENDPOINT_ENV}.",
    ),
]
PortForwardOption = Annotated[
    bool,
    typer.Option("--port-forward", help="Reach the service in the cluster that platform.yaml names, through kubectl."),
]
