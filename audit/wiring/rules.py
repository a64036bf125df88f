"""Rules that select the metrics of a Service that does not exist, for example because a prefix renamed it."""

import re
from collections.abc import Iterator

from audit.model.finding import Finding, State
from audit.model.objects import Object
from audit.wiring.selection import namespaces_of
from audit.wiring.view import View, broken

_MATCHERS = re.compile(r"\{([^{}]*)\}")
_EQUAL = re.compile(r'(\w+)\s*=\s*"([^"]*)"')


def broken_rules(view: View) -> Iterator[Finding]:
    """Rules over a job of their own namespace that no Service there has as its name.

    Prometheus names the job of a ServiceMonitor's targets after their Service, unless the monitor sets `jobLabel`.
    """
    monitors = [each for each in view.inventory.of_kind("ServiceMonitor") if not each.at("spec", "jobLabel")]
    monitored = {space for each in monitors for space in namespaces_of(view.inventory, each)}
    for given in view.inventory.of_kind("PrometheusRule"):
        names = sorted({each.name for each in view.services.get(given.namespace, ())})
        if given.namespace not in monitored or not names:
            continue
        for job in sorted(_jobs(given) - {*names}):
            message = (
                f"its rules select the job {job}, but no Service of the namespace has this name: {', '.join(names)}"
            )
            fix = "Name the Service as the rules do. A name prefix or suffix renames Services, but no name in rules."
            place = given.place.at("metadata", "name")
            yield broken(place, "rule-without-service", given, message, fix, state=State.VIOLATION)


def _jobs(given: Object) -> set[str]:
    """The jobs that a PrometheusRule selects in its own namespace; its text is searched, since parsing takes time."""
    text = given.place.document.whole.replace('\\"', '"')
    found = (dict(_EQUAL.findall(each)) for each in set(_MATCHERS.findall(text)))
    # The job of a PodMonitor's targets is `<namespace>/<name>`.
    return {
        each["job"] for each in found if each.get("namespace") == given.namespace and "/" not in each.get("job", "/")
    }
