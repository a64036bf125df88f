"""Rules that select the metrics of a Service that does not exist, for example because a prefix renamed it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.model.finding import Finding, State
from audit.model.place import Document
from audit.wiring.selection import namespaces_of
from audit.wiring.view import View, broken

_MATCHERS = re.compile(r"\{([^{}]*)\}")
_EQUAL = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
_ABOUT_OTHERS: Final = {"kube-state-metrics", "kubelet"}
"""Jobs whose series have the namespace of what they describe, not of the Service that is scraped."""


def broken_rules(view: View) -> Iterator[Finding]:
    """Rules over a job of their own namespace that no Service there has as its name.

    Prometheus names the job of a ServiceMonitor's targets after their Service, unless the monitor sets `jobLabel`.
    """
    monitors = [each for each in view.inventory.of_kind("ServiceMonitor") if not each.at("spec", "jobLabel")]
    monitored = {space for each in monitors for space in namespaces_of(view.inventory, each)}
    # A List of a whole cluster is one document of all its rules, so its text is searched once.
    jobs: dict[Document, dict[str, set[str]]] = {}
    for given in view.inventory.of_kind("PrometheusRule"):
        names = sorted({each.name for each in view.services.get(given.namespace, ())})
        if given.namespace not in monitored or not names:
            continue
        document = given.place.document
        if document not in jobs:
            jobs[document] = _jobs(document)
        for job in sorted(jobs[document].get(given.namespace, set()) - {*names}):
            message = (
                f"its rules select the job {job}, but no Service of the namespace has this name: {', '.join(names)}"
            )
            fix = "Name the Service as the rules do. A name prefix or suffix renames Services, but no name in rules."
            place = given.place.at("metadata", "name")
            yield broken(place, "rule-without-service", given, message, fix, state=State.VIOLATION)


def _jobs(document: Document) -> dict[str, set[str]]:
    """The jobs that rules select, by namespace; the text is searched, since parsing takes time."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in set(_MATCHERS.findall(document.whole.replace('\\"', '"'))):
        labels = dict(_EQUAL.findall(each))
        namespace, job = labels.get("namespace"), labels.get("job")
        # The job of a PodMonitor's targets is `<namespace>/<name>`.
        if namespace and job and "/" not in job and job not in _ABOUT_OTHERS:
            found[namespace].add(job)
    return found
