"""The input, arranged by namespace, for looking up what a reference means."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.model.finding import Finding, Severity, State, finding
from audit.model.inventory import Inventory
from audit.model.labels import Selector
from audit.model.objects import Object
from audit.model.place import Place
from audit.model.pods import Workload
from audit.model.truth import NO

if TYPE_CHECKING:
    from audit.model.services import Service


@dataclass(frozen=True, slots=True)
class Named:
    """What a finding is about, where the object itself is not at hand.

    Attributes:
        namespace: Its namespace.
        reference: Kind and name, in words.
    """

    namespace: str
    reference: str


class View:
    """What is in which namespace.

    Attributes:
        inventory: The objects.
        workloads: Workloads by namespace.
        services: Services by namespace.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.workloads: dict[str, list[Workload]] = defaultdict(list)
        self.services: dict[str, list[Service]] = defaultdict(list)
        for workload in inventory.workloads:
            self.workloads[workload.namespace].append(workload)
        for service in inventory.services:
            self.services[service.namespace].append(service)

    def selected(self, namespace: str, selector: Selector) -> Iterator[Workload]:
        """The workloads of a namespace whose pods a selector matches, or may match."""
        for workload in self.workloads.get(namespace, ()):
            if any(selector.matches(pods.labels) is not NO for pods in workload.pods):
                yield workload


def broken(
    place: Place,
    rule: str,
    of: Object | Named,
    message: str,
    fix: str,
    *,
    state: State = State.WARNING,
) -> Finding:
    """A broken reference; one that makes something fail is more severe."""
    severity = Severity.MEDIUM if state is State.VIOLATION else Severity.LOW
    return finding(
        place,
        rule=rule,
        severity=severity,
        namespace=of.namespace,
        subject=of.reference,
        message=message,
        fix=fix,
        state=state,
    )
