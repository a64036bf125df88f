"""Autoscalers without a target, and disruption budgets that select nothing or block every drain."""

import math
from collections.abc import Iterator

from audit.model.finding import Finding, State
from audit.model.objects import Object
from audit.wiring.selection import selector_of
from audit.wiring.view import View, broken


def broken_scaling(view: View) -> Iterator[Finding]:
    """Autoscalers and disruption budgets that do not work."""
    scalers = view.inventory.autoscalers()
    least = dict(_replicas(view, scalers))
    for (namespace, kind, name), scaler in scalers.items():
        if (namespace, kind, name) not in least and view.workloads.get(namespace):
            message = f"it scales {kind} {name}, which the input does not hold"
            place = scaler.place.at("spec", "scaleTargetRef")
            fix = "Correct the kind and the name."
            yield broken(place, "autoscaler-without-target", scaler, message, fix, state=State.VIOLATION)
    for budget in view.inventory.of_kind("PodDisruptionBudget"):
        yield from _budget(view, budget, least)


def _replicas(view: View, scalers: dict[tuple[str, str, str], Object]) -> Iterator[tuple[tuple[str, str, str], int]]:
    """How many pods workloads have at least, by namespace, kind and name."""
    for workload in view.inventory.workloads:
        key = (workload.namespace, workload.kind, workload.name)
        yield key, sum(len(pods.names) for pods in workload.pods) or 1
    for each in view.inventory.of_kind("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"):
        key = (each.namespace, each.kind, each.name)
        number = scalers[key].at("spec", "minReplicas") if key in scalers else each.at("spec", "replicas")
        yield key, number if isinstance(number, int) else 1


def _budget(view: View, budget: Object, least: dict[tuple[str, str, str], int]) -> Iterator[Finding]:
    selector = selector_of(budget.at("spec", "selector"))
    if selector is None or not view.workloads.get(budget.namespace):
        return
    selected = list(view.selected(budget.namespace, selector))
    if not selected:
        message = f"it selects no pod: no workload of the namespace has the labels {selector}"
        yield broken(
            budget.place.at("spec", "selector"), "budget-without-pods", budget, message, "Correct the selector."
        )
        return
    pods = sum(least.get((each.namespace, each.kind, each.name), 1) for each in selected)
    for field in ("minAvailable", "maxUnavailable"):
        given = budget.at("spec", field)
        number = _number(given, pods)
        if number is None:
            continue
        allowed = pods - number if field == "minAvailable" else number
        if allowed <= 0 < pods:
            message = f"{field} {given} of {pods} pods allows no eviction, so every drain of a node with one waits"
            fix = "Allow one pod to be unavailable."
            place = budget.place.at("spec", field)
            yield broken(place, "budget-blocks-drains", budget, message, fix, state=State.VIOLATION)


def _number(given: object, pods: int) -> int | None:
    """A number of pods; a percentage is rounded up, as Kubernetes does."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and given.endswith("%") and given[:-1].isdecimal():
        return math.ceil(pods * int(given[:-1]) / 100)
    return None
