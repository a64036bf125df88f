"""Pods that a tenant must not be able to run, and whether Pod Security refuses them."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from audit.benchmarks.result import Answer, failed, passed, unknown, worst
from audit.benchmarks.tenant import View
from audit.model.objects import Object
from audit.model.place import Place
from audit.pods import violations
from audit.pods.findings import ENFORCE, enforced
from audit.pods.template import Template
from audit.reading.documents import DataDocument

Pod = dict[str, Any]
_HARMLESS: Final[Pod] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "benchmark"},
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "main",
                "image": "registry.invalid/benchmark:1",
                "resources": {
                    "requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "1Mi"},
                    "limits": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "1Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


def harmless(namespace: str) -> Pod:
    """A pod that meets the level restricted: whatever refuses it would also refuse the others."""
    pod = copy.deepcopy(_HARMLESS)
    pod["metadata"]["namespace"] = namespace
    return pod


def _of_pod(**fields: Any) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"].update(fields)


def _of_container(**fields: Any) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"]["containers"][0].update(fields)


def _security(**fields: Any) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"]["containers"][0]["securityContext"].update(fields)


def _root(pod: Pod) -> None:
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}


def _privileged(pod: Pod) -> None:
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}


def _volume(**source: Any) -> Callable[[Pod], object]:
    return _of_pod(volumes=[{"name": "data", **source}])


_REFUSED: Final[Mapping[str, Mapping[str, Callable[[Pod], object]]]] = {
    "block-add-capabilities": {
        "a capability": _security(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}),
        "the capability SYS_ADMIN": _security(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    },
    "require-run-as-non-root-user": {
        "the user root": _root,
        "no word about the user": lambda pod: pod["spec"]["securityContext"].pop("runAsNonRoot"),
    },
    "block-privileged-containers": {"a privileged container": _privileged},
    "block-privilege-escalation": {
        "privilege escalation": _security(allowPrivilegeEscalation=True),
        "no word about privilege escalation": _security(allowPrivilegeEscalation=None),
    },
    "block-use-of-host-path": {"a path of the node": _volume(hostPath={"path": "/"})},
    "block-use-of-host-networking-and-ports": {
        "the node's network": _of_pod(hostNetwork=True),
        "a port of the node": _of_container(ports=[{"containerPort": 8000, "hostPort": 8000}]),
    },
    "block-use-of-host-pid": {"the node's processes": _of_pod(hostPID=True)},
    "block-use-of-host-ipc": {"the node's IPC": _of_pod(hostIPC=True)},
    "require-pvc": {
        "a path of the node": _volume(hostPath={"path": "/data"}),
        "a share of a file server": _volume(nfs={"server": "192.0.2.1", "path": "/"}),
    },
}
NAMES: Final = tuple(_REFUSED)
"""The checks that are about pods."""


def refused(name: str, namespace: str) -> dict[str, Pod]:
    """The pods of a check that must be refused, by what each has."""
    found = {}
    for what, spoil in _REFUSED[name].items():
        found[what] = harmless(namespace)
        spoil(found[what])
    return found


def check(name: str, view: View) -> Answer:
    """Whether Pod Security refuses the pods of a check in every namespace of a tenant."""
    return worst(_check(name, view, space) for space in view.spaces)


def _check(name: str, view: View, space: str) -> Answer:
    level, namespace = enforced(view.inventory, space), view.inventory.namespaces.get(space)
    if level is None or namespace is None or namespace.place is None:
        return unknown(f"the input does not declare the namespace {space}")
    line = namespace.place.at("metadata", "labels", ENFORCE)
    for what, pod in refused(name, space).items():
        if next(iter(violations(_template(pod, space), *level)), None) is not None:
            continue
        allowed = f"the namespace {space} enforces the level {level[0]}, which allows {what}"
        others = view.refusing("pods")
        if others:
            return unknown(f"{allowed}; {others[0].reference} may refuse it and is not evaluated", others[0].place)
        return failed(allowed, line)
    return passed(f"Pod Security refuses them: the namespace enforces the level {level[0]}", line)


def _template(pod: Pod, space: str) -> Template:
    owner = Object("", "Pod", "v1", space, "benchmark", pod, Place(DataDocument(0, pod)))
    return Template(owner, (), pod["spec"], {})
