"""All broken references of the input.

A violation does not work: the traffic, the scaling or the drain fails. A warning has no effect where it stands.
What may exist outside the input is not reported: a namespace without workloads may be filled by somebody else.
"""

from collections.abc import Iterator

from audit.model.finding import Finding
from audit.model.inventory import Inventory
from audit.wiring.monitors import broken_monitors
from audit.wiring.policies import broken_policies
from audit.wiring.rules import broken_rules
from audit.wiring.scaling import broken_scaling
from audit.wiring.services import broken_services
from audit.wiring.view import View


def broken_references(inventory: Inventory) -> Iterator[Finding]:
    """References that lead nowhere, by what makes them."""
    view = View(inventory)
    yield from broken_services(view)
    yield from broken_policies(view)
    yield from broken_scaling(view)
    yield from broken_monitors(view)
    yield from broken_rules(view)
