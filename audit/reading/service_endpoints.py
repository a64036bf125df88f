"""The endpoints of Services, from the Endpoints and EndpointSlices of an input."""

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from audit.model.objects import Object
from audit.model.services import Service
from audit.reading import checks
from audit.reading.services import endpoint_slice, endpoints, host_names

if TYPE_CHECKING:
    from audit.model.services import Backend

_CONTROLLERS: Final = {"endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"}


class ServiceEndpoints:
    """Collects endpoints; `complete` gives them to their Service."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], list[Backend]] = defaultdict(list)
        self._written: dict[tuple[str, str], list[Backend]] = defaultdict(list)
        self._names: dict[tuple[str, str], list[str]] = defaultdict(list)

    def add(self, given: Object) -> None:
        """Add an Endpoints object."""
        self._all[given.namespace, given.name] += endpoints(given.data)

    def add_slice(self, given: Object) -> None:
        """Add an EndpointSlice."""
        labels = checks.labels((given.data.get("metadata") or {}).get("labels"), ("metadata", "labels"))
        owner = labels.get("kubernetes.io/service-name")
        if owner:
            key, found = (given.namespace, owner), endpoint_slice(given.data)
            self._all[key] += found
            self._names[key] += host_names(given.data)
            if labels.get("endpointslice.kubernetes.io/managed-by") not in _CONTROLLERS:
                self._written[key] += found

    def complete(self, service: Service) -> Service:
        """A Service with its endpoints, without those that a controller keeps of the pods that it selects."""
        key = (service.namespace, service.name)
        found = self._all if service.selector is None else self._written
        return replace(service, backends=tuple(found.get(key, ())), host_names=tuple(self._names.get(key, ())))
