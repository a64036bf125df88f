"""Objects of two inputs, compared field by field."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from audit.changes.change import Area, Change, Effect
from audit.model.finding import Severity
from audit.model.objects import Object
from audit.model.place import Path, Place
from audit.reading.documents import TextDocument
from audit.reading.items import items
from audit.reading.kinds import CLUSTER_WIDE, NETWORK_POLICY, restricts
from audit.reading.yaml_text import YamlError

_NAMED_BY: Final = ("name", "alert", "record", "key", "type")
"""What tells the items of a list apart, where they have it."""
_ANY: Final = re.compile("")
_ABOUT: Final[tuple[tuple[set[str], re.Pattern[str], Area, Severity], ...]] = (
    ({"PrometheusRule"}, _ANY, Area.ALERTS, Severity.MEDIUM),
    (
        {"HorizontalPodAutoscaler", "ResourceQuota", "LimitRange", "PodDisruptionBudget"},
        _ANY,
        Area.CAPACITY,
        Severity.LOW,
    ),
    (set(), re.compile(r"\.resources\.(limits|requests)|^spec\.replicas$"), Area.CAPACITY, Severity.LOW),
    # Labels decide which policies and Services apply.
    ({"Namespace"}, re.compile(r"^metadata\.labels"), Area.NETWORK, Severity.MEDIUM),
    (set(), re.compile(r"^spec\.(template\.metadata\.labels|selector)"), Area.NETWORK, Severity.MEDIUM),
    (
        set(),
        re.compile(r"\.(serviceAccount(Name)?|secretName|secretKeyRef|secretRef|claimName)\b"),
        Area.PODS,
        Severity.MEDIUM,
    ),
    (
        set(),
        re.compile(r"^spec\..*\.(nodeName|nodeSelector|tolerations|runtimeClassName|image|command|args)\b"),
        Area.PODS,
        Severity.LOW,
    ),
)
"""What a value is about: the kinds (any, if empty), its path, the area and the risk; the first that fits."""
_NOT_A_FACT: Final = (Area.NETWORK, Severity.HIGH)
"""Area and severity of a change to a policy that `facts` does not fully describe."""
_OPEN: Final = {
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "NetworkPolicy",
    "Service",
    "ServiceMonitor",
}
"""Kinds that keep something possible for as long as they are in the cluster."""
_WORD: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SHOWN: Final = 120
_AROUND: Final = 24
"""Characters around the part of a long value that differs."""
_NEW: Final = object()
"""The old value of everything in an object that is new."""


def value_changes(
    base: list[TextDocument], head: list[TextDocument], tenants: Collection[str], default_namespace: str = "default"
) -> Iterator[Change]:
    """The objects that begin, end and change, field by field.

    Args:
        base: The documents before.
        head: The documents after.
        tenants: Namespaces with workloads: a value that names another one is a change of its own.
        default_namespace: Namespace of objects that do not name one.
    """
    same = (Counter(each.source for each in base) & Counter(each.source for each in head)).keys()
    before, after = _objects(base, same, default_namespace), _objects(head, same, default_namespace)
    for key, each in after.items():
        earlier = before.get(key)
        if earlier is None:
            about = _NOT_A_FACT if _restricts(each) else (Area.VALUES, Severity.LOW)
            yield _change(each, about, Effect.GAINED, "it is new", ())
        old, new = dict(_leaves(earlier.data, ())) if earlier else {}, dict(_leaves(each.data, ()))
        for path, value in new.items():
            if path not in old or old[path][0] != value[0]:
                missing = None if earlier else _NEW
                yield from _value(each, path, old[path][0] if path in old else missing, value, tenants)
        for path, (value, place) in old.items():
            if path not in new:
                text = f"{path} is removed" if _secret(each, path) else f"{path}: {_shown(value)} is removed"
                yield _change(earlier or each, _area(each, path), Effect.CHANGED, text, place)
    for key, each in before.items():
        if key not in after:
            yield _left_behind(each)


def _objects(
    documents: Iterable[TextDocument], unchanged: Collection[str], default_namespace: str
) -> dict[tuple[str, str, str, str], Object]:
    """The objects of documents whose text is not the same in the other input, by their identity."""
    found = {}
    for document in documents:
        if document.source in unchanged:
            continue
        for path, each in items(_data(document), ()):
            metadata = each.get("metadata") if isinstance(each, dict) else None
            if not isinstance(metadata, dict) or not isinstance(each.get("kind"), str):
                continue
            group, _, version = str(each.get("apiVersion", "")).rpartition("/")
            kind, name = each["kind"], str(metadata.get("name", ""))
            namespace = "" if kind in CLUSTER_WIDE else str(metadata.get("namespace") or default_namespace)
            place = Place(document, path)
            found[group, kind, namespace, name] = Object(group, kind, version, namespace, name, each, place)
    return found


def _data(document: TextDocument) -> Any:
    try:
        return document.data()
    except YamlError:
        return None  # the reader of the input reports it


def _left_behind(each: Object) -> Change:
    where = f" --namespace {each.namespace}" if each.namespace else ""
    text = (
        "it is no longer declared, but kubectl apply does not delete it: run "
        f"kubectl delete {each.kind.lower()} {each.name}{where}"
    )
    if _restricts(each):
        return _change(each, _NOT_A_FACT, Effect.CHANGED, text, ())
    risk = Severity.MEDIUM if each.kind in _OPEN else Severity.LOW
    return _change(each, (Area.LEFT_BEHIND, risk), Effect.LOST, text, ())


def _value(each: Object, path: str, old: Any, value: tuple[Any, Path], tenants: Collection[str]) -> Iterator[Change]:
    """What a value that is new or different does."""
    new, place = value
    for other in sorted(mentioned(new, tenants) - mentioned(old, tenants) - {each.namespace}):
        text = f"{path} names the namespace {other}" + ("" if _secret(each, path) else f": {_shown(new)}")
        yield _change(each, (Area.TENANTS, Severity.HIGH), Effect.GAINED, text, place)
    if old is not _NEW:
        text = f"{path}: {_shown(new)} is added" if old is None else f"{path}: {_becomes(old, new)}"
        if _secret(each, path):
            text = f"{path} {'is added' if old is None else 'changes'}"
        yield _change(each, _area(each, path), Effect.CHANGED, text, place)


def _secret(each: Object, path: str) -> bool:
    """Whether a value is the content of a Secret, which no report shows; kubectl apply repeats it in an annotation."""
    return each.kind == "Secret" and path.startswith(("data", "stringData", "metadata.annotations"))


def _area(each: Object, path: str) -> tuple[Area, Severity]:
    """What a value is about, and how much it matters that it changes."""
    if _restricts(each):
        return _NOT_A_FACT
    for kinds, pattern, area, risk in _ABOUT:
        if (not kinds or each.kind in kinds) and pattern.search(path):
            return area, risk
    return Area.VALUES, Severity.LOW


def _restricts(each: Object) -> bool:
    """Whether it is a policy that `facts` does not describe, or whose denials it does not describe."""
    return restricts(each.kind) and (each.group, each.kind) != NETWORK_POLICY


def mentioned(value: Any, tenants: Collection[str]) -> set[str]:
    """Namespaces that a text names, also at the beginning of a longer name."""
    if not isinstance(value, str):
        return set()
    found = set()
    for word in _WORD.findall(value):
        parts = word.split("-")
        found |= {name for end in range(len(parts)) if (name := "-".join(parts[: end + 1])) in tenants}
    return found


def strings(value: Any, place: Path) -> Iterator[tuple[Path, str]]:
    """The texts in a value, with their paths."""
    for _written, (leaf, path) in _leaves(value, place):
        if isinstance(leaf, str):
            yield path, leaf


def _leaves(value: Any, place: Path, written: str = "") -> Iterator[tuple[str, tuple[Any, Path]]]:
    """The values of an object by their path in words; items of a list by their name, where they have one."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _leaves(each, (*place, key), f"{written}.{key}" if written else str(key))
    elif isinstance(value, list) and value:
        names = [_name(each) for each in value]
        seen: Counter[str] = Counter()
        for index, each in enumerate(value):
            name = names[index] or str(index)
            again = f" {seen[name]}" if seen[name] else ""
            seen[name] += 1
            yield from _leaves(each, (*place, index), f"{written}[{name}{again}]")
    else:
        yield written, (value, place)


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    names = [str(item[key]) for key in _NAMED_BY if isinstance(item.get(key), str)]
    labels = item.get("labels")
    severity = labels.get("severity") if isinstance(labels, dict) else None
    return " ".join([*names[:1], *([str(severity)] if severity else [])])


def _becomes(old: Any, new: Any) -> str:
    """An old and a new value; of long ones the part that differs."""
    before, after = (" ".join(str(each).split()) for each in (old, new))
    if len(before) > _SHOWN or len(after) > _SHOWN:
        start = _same(before, after)
        end = _same(before[start:][::-1], after[start:][::-1])
        start, end = max(0, start - _AROUND), max(0, end - _AROUND)
        before, after = (f"...{each[start : len(each) - end]}..." for each in (before, after))
    return f"{_shown(before)} becomes {_shown(after)}"


def _same(first: str, second: str) -> int:
    """How many characters two texts have in common at the beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, (one, other) in pairs if one != other), min(len(first), len(second)))


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _change(of: Object, about: tuple[Area, Severity], effect: Effect, text: str, place: Path) -> Change:
    at = of.place.at(*place)
    area, risk = about
    return Change(area, effect, risk, of.namespace, of.reference, text, ((at.file, at.line),))
