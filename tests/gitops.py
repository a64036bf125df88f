"""What common deployment tools change in manifests before they apply them.

- Argo CD sets `app.kubernetes.io/instance` to the name of the Application in `metadata.labels` of every object
  (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/).
- Flux sets its own labels and those of `spec.commonMetadata` in `metadata.labels` of every object
  (https://fluxcd.io/flux/components/kustomize/kustomizations/).
- `commonLabels` of Kustomize also changes the fields below; `kubectl kustomize` 5.7.1 gives the same result.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

Object = dict[str, Any]
_KUSTOMIZE: dict[str, Sequence[tuple[str, bool]]] = {
    "Service": [("spec/selector", True)],
    "Deployment": [
        ("spec/selector/matchLabels", True),
        ("spec/template/metadata/labels", True),
        ("spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", False),
    ],
    "PodDisruptionBudget": [("spec/selector/matchLabels", False)],
    "NetworkPolicy": [
        ("spec/podSelector/matchLabels", False),
        ("spec/ingress/from/podSelector/matchLabels", False),
        ("spec/egress/to/podSelector/matchLabels", False),
    ],
}
"""Fields by kind, and whether Kustomize creates them; a field of a list's items means each of them."""


def argo_cd(objects: Sequence[Object]) -> list[Object]:
    """The objects as Argo CD applies them, with its tracking by label."""
    return _with_labels(objects, {"app.kubernetes.io/instance": "platform"})


def flux(objects: Sequence[Object]) -> list[Object]:
    """The objects as Flux applies them, with a `commonMetadata` that replaces common labels."""
    own = {"kustomize.toolkit.fluxcd.io/name": "platform", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    return _with_labels(objects, {**own, **COMMON})


def kustomize(objects: Sequence[Object]) -> list[Object]:
    """The objects with `commonLabels`."""
    changed = _with_labels(objects, COMMON)
    for each in changed:
        for path, create in _KUSTOMIZE.get(each["kind"], ()):
            for found in _fields(each, path.split("/"), create=create):
                found.update(COMMON)
    return changed


COMMON: Mapping[str, str] = {
    "app.kubernetes.io/instance": "production",
    "app.kubernetes.io/managed-by": "kustomize",
    "app.kubernetes.io/name": "predictions",
    "app.kubernetes.io/part-of": "shop",
    "team": "ml",
}


def _with_labels(objects: Sequence[Object], labels: Mapping[str, str]) -> list[Object]:
    changed = deepcopy(list(objects))
    for each in changed:
        each["metadata"].setdefault("labels", {}).update(labels)
    return changed


def _fields(value: Any, path: Sequence[str], *, create: bool) -> Iterator[dict[str, str]]:
    """The mappings that a path leads to, through every item of a list."""
    if isinstance(value, list):
        for each in value:
            yield from _fields(each, path, create=create)
    elif not path:
        yield value
    elif isinstance(value, dict) and (path[0] in value or create):
        yield from _fields(value.setdefault(path[0], {}), path[1:], create=create)
