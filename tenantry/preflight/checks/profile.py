"""The kind of cluster, from what it says about itself."""

import re
from collections.abc import Callable, Iterator

from constructs_lib.platform.profiles import PROFILES
from tenantry.preflight.api import Api, Object, RefusedError
from tenantry.preflight.check import Inspected
from tenantry.preflight.finding import Finding, Setting, Status


def guess_profile(api: Api) -> tuple[str, str]:
    """The profile that fits the cluster, and the reason.

    Raises:
        CommandError: the API server does not answer.
    """
    for name, sign in _SIGNS:
        if found := sign(api):
            return name, found
    return "generic", "no sign of another kind"


def check_profile(inspected: Inspected) -> Iterator[Finding]:
    """The file should name the kind of cluster, because it sets defaults of other keys."""
    name, reason = guess_profile(inspected.api)
    cluster = inspected.settings.cluster
    given = cluster.profile if cluster else "generic"
    found, required = f"{name} ({reason})", f"platform.cluster.profile is {given}"
    if name in {given, "generic"}:
        yield Finding(status=Status.OK, found=found, required=required)
        return
    differs = PROFILES[name] != PROFILES[given]
    setting = Setting(section="cluster", key="profile", value=name)
    yield Finding(
        status=Status.WARNING if differs else Status.OK,
        found=found if differs else f"{found}; it sets the same keys as {given}",
        required=required,
        settings=(setting,),
    )


def _group(group: str) -> Callable[[Api], str]:
    def sign(api: Api) -> str:
        groups = (api.get("/apis") or {}).get("groups", [])
        return f"the API group {group}" if any(each["name"] == group for each in groups) else ""

    return sign


def _version(pattern: str) -> Callable[[Api], str]:
    def sign(api: Api) -> str:
        version: str = (api.get("/version") or {}).get("gitVersion", "")
        return f"version {version}" if re.search(pattern, version) else ""

    return sign


def _node(sign: Callable[[Object], str]) -> Callable[[Api], str]:
    def of_any(api: Api) -> str:
        try:
            nodes = api.items("/api/v1/nodes") or []
        except RefusedError:
            return ""
        return next((found for node in nodes if (found := sign(node))), "")

    return of_any


def _label(label: str) -> Callable[[Api], str]:
    return _node(lambda node: f"nodes have the label {label}" if label in node["metadata"].get("labels", {}) else "")


def _provider(prefix: str) -> Callable[[Api], str]:
    def sign(node: Object) -> str:
        return f"nodes have a providerID of {prefix}" if _id(node).startswith(prefix) else ""

    return _node(sign)


def _id(node: Object) -> str:
    return str(node.get("spec", {}).get("providerID", ""))


_SIGNS: tuple[tuple[str, Callable[[Api], str]], ...] = (
    # First, because OpenShift runs on the clouds of the others.
    ("openshift", _group("config.openshift.io")),
    ("gke", _version(r"-gke\.")),
    ("gke", _label("cloud.google.com/gke-nodepool")),
    ("eks", _version(r"-eks-")),
    ("eks", _label("eks.amazonaws.com/nodegroup")),
    ("aks", _label("kubernetes.azure.com/cluster")),
    ("kind", _provider("kind://")),
)
"""Signs of each profile, in the order in which they count. Sources: docs/operations/clusters."""
