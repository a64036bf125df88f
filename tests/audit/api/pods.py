"""Draws pods, and asks the API server's own admission and the audit whether each level and version admits them."""

import json
from random import Random
from typing import Any, Final

from audit.model.objects import Object as AuditObject
from audit.model.place import Place
from audit.pods import Level, Template, violations
from audit.reading.documents import DataDocument
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tests.audit.drawing import Draw
from tests.audit.drawing.pods import draw_pod
from tests.audit.reference.objects import Object

_VERSIONS: Final = (18, 24, 26, 30, 31, 34)
_REFUSED: Final = "violates PodSecurity"


def compare(kubectl: Kubectl, number: int, seed: int) -> dict[str, Any]:
    """Counts of the pods that the audit judges otherwise than the API server.

    Args:
        kubectl: The cluster; one namespace per level and version is made and deleted, and no pod.
        number: How many pods; each is offered to every namespace.
        seed: Where they come from.
    """
    spaces = {
        f"audit-pods-{level}-{version}": (level, version)
        for level in (Level.BASELINE, Level.RESTRICTED)
        for version in _VERSIONS
    }
    pods = [draw_pod(Draw(Random(f"{seed}/{index}")), index) for index in range(number)]  # noqa: S311 - reproducible
    result: dict[str, Any] = {
        "pods": number,
        "seed": seed,
        "versions": _VERSIONS,
        "admitted": 0,
        "refused": 0,
        "wrong": [],
    }
    try:
        kubectl.run("apply", "--filename", "-", stdin=_list([_namespace(*each) for each in spaces.items()]))
        for name, (level, version) in spaces.items():
            answers = _admitted(kubectl, name, pods)
            for pod, admitted in zip(pods, answers, strict=True):
                result["admitted" if admitted else "refused"] += 1
                found = violations(_template(pod), level, version)
                if admitted == bool(found):
                    result["wrong"].append(
                        {"namespace": name, "pod": pod, "api": admitted, "audit": list(map(str, found))}
                    )
            say(f"{name}: {len(result['wrong'])} differences so far")
    finally:
        kubectl.run("delete", "namespace", *spaces, "--ignore-not-found", "--wait=false")
    return result


def _admitted(kubectl: Kubectl, namespace: str, pods: list[Object]) -> list[bool]:
    """Whether the API server admits each pod, by a dry run; any other refusal is a mistake of the drawing."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}
    kubectl.run("apply", "--filename", "-", stdin=_list([account]))
    done = kubectl.try_run(
        "create", "--namespace", namespace, "--dry-run=server", "--output", "name", "--filename", "-", stdin=_list(pods)
    )
    created = set(done.stdout.split())
    refused = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    strange = [line for line in refused if _REFUSED not in line]
    if strange or len(created) + len(refused) != len(pods):
        raise AssertionError(f"not about Pod Security: {strange[:3] or done.stderr[:500]}")
    return [f"pod/{each['metadata']['name']}" in created for each in pods]


def _template(pod: Object) -> Template:
    place = Place(DataDocument(1, pod))
    found = Template.of(AuditObject("", "Pod", "v1", "", pod["metadata"]["name"], pod, place))
    assert found is not None
    return found


def _namespace(name: str, enforced: tuple[Level, int]) -> Object:
    level, version = enforced
    labels = {
        "pod-security.kubernetes.io/enforce": str(level),
        "pod-security.kubernetes.io/enforce-version": f"v1.{version}",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _list(objects: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
