"""Draws roles and bindings, applies them, and asks the API server and the audit for the same decisions."""

import json
import time
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from audit import read
from audit.permissions import Permissions
from tenantry.cluster.kubectl import Kubectl
from tenantry.console import say
from tests.audit.api.requests import request_of
from tests.audit.drawing import Draw
from tests.audit.drawing.roles import NAMESPACES, PREFIX, Ask, draw_ask, draw_roles
from tests.audit.reference.objects import Object
from tests.audit.reference.rbac import allowed

_LABEL: Final = f"{PREFIX}/drawn"
_SETTLE_SECONDS: Final = 30


def compare(kubectl: Kubectl, sets: int, asks: int, seed: int) -> dict[str, Any]:
    """Counts of what the audit and the reference decide otherwise than the API server.

    Args:
        kubectl: The cluster; the namespaces of the drawn roles are made and deleted.
        sets: How many sets of roles and bindings.
        asks: How many requests per set.
        seed: Where the sets come from.
    """
    result: dict[str, Any] = {"sets": sets, "seed": seed, "allowed": 0, "denied": 0, "objects": 0, "wrong": []}
    try:
        _apply(kubectl, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES])
        for number in range(sets):
            draw = Draw(Random(f"{seed}/{number}"))  # noqa: S311 - reproducible on purpose
            objects = draw_roles(draw)
            requests = [draw_ask(draw, objects) for _ in range(asks)]
            result["objects"] += len(objects)
            _one_set(kubectl, objects, requests, result)
            say(f"set {number + 1} of {sets}: {len(result['wrong'])} differences so far")
    finally:
        _delete_drawn(kubectl)
        kubectl.run("delete", "namespace", *NAMESPACES, "--ignore-not-found", "--wait=false")
    return result


def _one_set(kubectl: Kubectl, objects: list[Object], asks: Sequence[Ask], result: dict[str, Any]) -> None:
    _apply(kubectl, [_labelled(each) for each in objects])
    permissions = Permissions(read.objects(objects, details=True).inventory)
    said = [permissions.allows(each.user, each.groups, request_of(each.review)) is not None for each in asks]
    plain = _with_defaults(kubectl, objects)
    reference = [allowed(plain, each.user, each.groups, each.review) for each in asks]
    deadline = time.monotonic() + _SETTLE_SECONDS
    # The API server sees new roles, and aggregates them, a moment after they are made.
    while (answers := _ask(kubectl, asks)) != said and time.monotonic() < deadline:
        time.sleep(1)
    _delete_drawn(kubectl)
    result["allowed"] += sum(answers)
    result["denied"] += len(answers) - sum(answers)
    for ask, answer, audit, simple in zip(asks, answers, said, reference, strict=True):
        if not answer == audit == simple:
            wrong = {"ask": vars(ask), "api": answer, "audit": audit, "reference": simple, "objects": objects}
            result["wrong"].append(wrong)


def _with_defaults(kubectl: Kubectl, objects: list[Object]) -> list[Object]:
    """The drawn objects and what the cluster has besides, read from the cluster itself."""
    found = kubectl.get("clusterroles,clusterrolebindings,roles,rolebindings", "--all-namespaces")["items"]
    return [*objects, *(each for each in found if _LABEL not in each["metadata"].get("labels", {}))]


def _ask(kubectl: Kubectl, asks: Sequence[Ask]) -> list[bool]:
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": each.user, "groups": each.groups, **each.review},
        }
        for each in asks
    ]
    # kubectl creates the items one by one and prints what the API server answers.
    line = 'jsonpath={.status.allowed}{"\\n"}'
    return [said == "true" for said in kubectl.run("create", "-f", "-", "-o", line, stdin=_list(reviews)).split()]


def _labelled(given: Object) -> Object:
    metadata = given["metadata"]
    return given | {"metadata": metadata | {"labels": {**metadata.get("labels", {}), _LABEL: "true"}}}


def _apply(kubectl: Kubectl, objects: list[Object]) -> None:
    kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=_list(objects))


def _delete_drawn(kubectl: Kubectl) -> None:
    for kinds, where in (("clusterroles,clusterrolebindings", ()), ("roles,rolebindings", ("--all-namespaces",))):
        kubectl.run("delete", kinds, *where, "--selector", f"{_LABEL}=true", "--ignore-not-found")


def _list(objects: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
