"""`tenantry delivery`: objects of Argo CD or Flux that apply dist/ from Git."""

from typing import Annotated

import typer

from tenantry.console import result
from tenantry.delivery import Tool
from tenantry.options import DIST, PLATFORM_FILE, FileOption


def delivery(
    tool: Annotated[Tool, typer.Argument(help="What applies dist/ from Git.", show_default=False)],
    repository: Annotated[
        str, typer.Option("--repository", metavar="URL", help="The Git repository.", show_default=False)
    ],
    file: FileOption = PLATFORM_FILE,
    revision: Annotated[str, typer.Option("--revision", help="Branch of the repository.")] = "main",
    path: Annotated[str, typer.Option("--path", help="Folder of the manifests in the repository.")] = str(DIST),
) -> None:
    """Print the objects of Argo CD or Flux that apply dist/ from Git: one for each of the clusters in platform.yaml.

    Apply them where the tool runs. Argo CD must know each cluster by the name in platform.yaml; Flux reads the
    kubeconfig of each from the Secret CLUSTER-kubeconfig in flux-system.

    Example: tenantry delivery argocd --repository https://git.example.org/platform.git > delivery.yaml
    """
    import yaml

    from constructs_lib.platform import Platform
    from tenantry.delivery import objects

    clusters = Platform.load(file).clusters
    made = objects(tool, clusters, repository=repository, revision=revision, path=path)
    result(yaml.safe_dump_all(made, sort_keys=False), end="")
