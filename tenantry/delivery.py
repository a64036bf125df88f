"""Objects of Argo CD and Flux that apply dist/ from a Git repository, to one cluster or to several."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from constructs_lib.names import platform_labels

Object = dict[str, Any]
NAME: Final = "tenantry"
HERE: Final = "https://kubernetes.default.svc"
"""Address by which Argo CD knows the cluster that it runs in."""


class Tool(StrEnum):
    """What applies dist/ from Git."""

    ARGOCD = "argocd"
    FLUX = "flux"


def objects(tool: Tool, clusters: Sequence[str], *, repository: str, revision: str, path: str) -> list[Object]:
    """The objects for the cluster in which the tool runs.

    None of them deletes what left Git: deleting a tenant's Namespace deletes its pods and its keys.

    Args:
        tool: Argo CD or Flux.
        clusters: names of the clusters; empty for the cluster in which the tool runs.
        repository: address of the Git repository.
        revision: its branch.
        path: folder of the manifests in it.
    """
    make = _applications if tool is Tool.ARGOCD else _kustomizations
    return list(make(clusters, repository, revision, path.strip("/")))


def _applications(clusters: Sequence[str], repository: str, revision: str, path: str) -> Iterator[Object]:
    """An Application per cluster; Argo CD knows each cluster by its name."""
    for cluster in clusters or ("",):
        yield {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": _metadata(cluster, "argocd"),
            "spec": {
                "project": "default",
                "source": {"repoURL": repository, "targetRevision": revision, "path": _folder(path, cluster)},
                "destination": {"name": cluster} if cluster else {"server": HERE},
                "syncPolicy": {"automated": {"prune": False, "selfHeal": True}},
            },
        }


def _kustomizations(clusters: Sequence[str], repository: str, revision: str, path: str) -> Iterator[Object]:
    """A source, and a Kustomization per cluster; Flux reaches each other cluster by a kubeconfig in a Secret."""
    yield {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": _metadata("", "flux-system"),
        "spec": {"interval": "5m", "url": repository, "ref": {"branch": revision}},
    }
    for cluster in clusters or ("",):
        remote = {"kubeConfig": {"secretRef": {"name": f"{cluster}-kubeconfig"}}} if cluster else {}
        yield {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": _metadata(cluster, "flux-system"),
            "spec": {
                "interval": "10m",
                "path": f"./{_folder(path, cluster)}",
                "prune": False,
                "sourceRef": {"kind": "GitRepository", "name": NAME},
                **remote,
            },
        }


def _metadata(cluster: str, namespace: str) -> Object:
    name = f"{NAME}-{cluster}" if cluster else NAME
    return {"name": name, "namespace": namespace, "labels": platform_labels()}


def _folder(path: str, cluster: str) -> str:
    return f"{path}/{cluster}" if cluster else path
