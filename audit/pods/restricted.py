"""The checks of the level restricted. Each gives the path in the pod, and what is wrong there."""

from typing import TYPE_CHECKING, Final

from audit.model.objects import listed, mapping, mappings
from audit.pods.baseline import SECCOMP_PROFILES, Found
from audit.pods.template import Template

if TYPE_CHECKING:
    from audit.model.place import Path

_VOLUMES: Final = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected"),
    "secret",
}
_WINDOWS_SINCE: Final = 25
"""Since this version a pod that says it runs on Windows needs no Linux settings."""


def volume_types(pod: Template, _version: int) -> Found:
    """Volumes of types that are not safe."""
    for index, volume in enumerate(mappings(pod.spec.get("volumes"))):
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        # A volume without a type is an emptyDir.
        if kinds and not _VOLUMES.intersection(kinds):
            yield ("spec", "volumes", index, kinds[0]), f"volume {volume.get('name')} is of the type {kinds[0]}"


def privilege_escalation(pod: Template, version: int) -> Found:
    """Containers that may gain privileges."""
    if pod.windows and version >= _WINDOWS_SINCE:
        return
    for each in pod.containers:
        if each.security.get("allowPrivilegeEscalation") is not False:
            path: Path = ("spec", *each.path, "securityContext", "allowPrivilegeEscalation")
            yield path, f"container {each.name} does not set allowPrivilegeEscalation to false"


def non_root(pod: Template, _version: int) -> Found:
    """Containers that may run as root."""
    of_pod = pod.security.get("runAsNonRoot")
    if of_pod is False:
        yield ("spec", "securityContext", "runAsNonRoot"), "runAsNonRoot of the pod is false"
    for each in pod.containers:
        own = each.security.get("runAsNonRoot")
        path: Path = ("spec", *each.path, "securityContext", "runAsNonRoot")
        if own is False:
            yield path, f"runAsNonRoot of container {each.name} is false"
        elif own is None and not of_pod:
            yield path, f"neither the pod nor container {each.name} sets runAsNonRoot to true"


def user_0(pod: Template, _version: int) -> Found:
    """Containers that run as root."""
    if pod.security.get("runAsUser") == 0:
        yield ("spec", "securityContext", "runAsUser"), "runAsUser of the pod is 0"
    for each in pod.containers:
        if each.security.get("runAsUser") == 0:
            yield ("spec", *each.path, "securityContext", "runAsUser"), f"runAsUser of container {each.name} is 0"


def seccomp(pod: Template, version: int) -> Found:
    """Containers without a seccomp profile."""
    if pod.windows and version >= _WINDOWS_SINCE:
        return
    of_pod = str(mapping(pod.security.get("seccompProfile")).get("type"))
    if pod.security.get("seccompProfile") is not None and of_pod not in SECCOMP_PROFILES:
        yield ("spec", "securityContext", "seccompProfile", "type"), f"the seccomp profile of the pod is {of_pod}"
    for each in pod.containers:
        profile = each.security.get("seccompProfile")
        own = str(mapping(profile).get("type"))
        path: Path = ("spec", *each.path, "securityContext", "seccompProfile")
        if profile is not None and own not in SECCOMP_PROFILES:
            yield (*path, "type"), f"the seccomp profile of container {each.name} is {own}"
        elif profile is None and of_pod not in SECCOMP_PROFILES:
            yield path, f"neither the pod nor container {each.name} sets a seccomp profile"


def capabilities(pod: Template, version: int) -> Found:
    """Capabilities that are kept, or added beyond NET_BIND_SERVICE."""
    if pod.windows and version >= _WINDOWS_SINCE:
        return
    for each in pod.containers:
        given = mapping(each.security.get("capabilities"))
        path: Path = ("spec", *each.path, "securityContext", "capabilities")
        if "ALL" not in listed(given.get("drop")):
            yield (*path, "drop"), f"container {each.name} does not drop the capability ALL"
        for index, name in enumerate(listed(given.get("add"))):
            if name != "NET_BIND_SERVICE":
                yield (*path, "add", index), f"container {each.name} adds the capability {name}"
