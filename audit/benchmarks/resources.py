"""Checks about quotas, Services, images and volumes."""

from collections.abc import Iterator
from typing import Final

from audit.benchmarks.result import Answer, failed, not_applicable, passed, unknown, worst
from audit.benchmarks.tenant import View
from audit.model.objects import Object, listed, mapping
from audit.model.place import Place

_CREATE: Final = ("create", "update", "patch")
_COUNTED: Final = (
    ("pods", "pods"),
    ("services", "services"),
    ("replicationcontrollers", "replicationcontrollers"),
    ("resourcequotas", "resourcequotas"),
    ("secrets", "secrets"),
    ("configmaps", "configmaps"),
    ("persistentvolumeclaims", "persistentvolumeclaims"),
    ("services.nodeports", "services"),
    ("services.loadbalancers", "services"),
)
"""What a quota may count, with the resource that creates it."""
_NO_CLAIMS: Final = "the tenant has no PersistentVolumeClaims, and none of its accounts or members may create one"
_LIMITED: Final = ("cpu", "memory", "ephemeral-storage")
_MAKE_PODS: Final = (
    ("replicationcontrollers", ""),
    ("deployments", "apps"),
    ("statefulsets", "apps"),
    ("daemonsets", "apps"),
    ("replicasets", "apps"),
    ("jobs", "batch"),
    ("cronjobs", "batch"),
)


def quotas(view: View) -> Answer:
    """Whether quotas limit what pods use."""
    for space in view.spaces:
        limits = dict(_hard(view, space))
        missing = [each for each in _LIMITED if not {each, f"requests.{each}", f"limits.{each}"} & set(limits)]
        if missing:
            return failed(f"no quota of namespace {space} limits {', '.join(missing)}", _first_place(view, space))
    return passed(f"quotas limit {', '.join(_LIMITED)}", _first_place(view, view.spaces[0]))


def object_quotas(view: View) -> Answer:
    """Whether quotas limit the objects that the tenant may create."""
    for space in view.spaces:
        limits = dict(_hard(view, space))
        for name, plural in _COUNTED:
            if {name, f"count/{name}"} & set(limits):
                continue
            grant = view.may(["create"], plural, spaces=[space])
            if grant is None and name == "pods":
                made = [view.may(_CREATE, *each, spaces=[space]) for each in _MAKE_PODS]
                grant = next((each for each in made if each is not None), None)
            if grant is not None:
                text = f"no quota of namespace {space} limits {name}, and {grant.subject} may create them"
                return failed(text, _first_place(view, space) or grant.place)
    limited_by = sorted({name for name, _value in _hard(view, view.spaces[0])} & {each[0] for each in _COUNTED})
    listed_names = f"quotas limit {', '.join(limited_by)}; " if limited_by else ""
    return view.unless_missing(
        f"{listed_names}no account or member of the tenant may create objects that are not limited"
    )


def _hard(view: View, space: str) -> Iterator[tuple[str, object]]:
    for each in view.index.objects(space, "ResourceQuota"):
        if not each.at("spec", "scopes") and not each.at("spec", "scopeSelector"):
            yield from mapping(each.at("spec", "hard")).items()


def _first_place(view: View, space: str) -> Place | None:
    found = view.index.objects(space, "ResourceQuota")
    if found:
        return found[0].place.at("spec", "hard")
    namespace = view.inventory.namespaces.get(space)
    return namespace.place if namespace else None


def node_ports(view: View) -> Answer:
    """Whether the tenant can open ports of the nodes."""
    for service in (each for space in view.spaces for each in view.index.services[space]):
        if service.opens_nodes:
            return failed(f"Service {service.name} is of the type {service.type}", service.place.at("spec", "type"))
    unlimited = [each for each in view.spaces if str(dict(_hard(view, each)).get("services.nodeports")) != "0"]
    if not unlimited:
        return passed("a quota of 0 services.nodeports refuses them", _first_place(view, view.spaces[0]))
    grant = view.may(_CREATE, "services", spaces=unlimited)
    if grant is None:
        return view.unless_missing(
            "no account or member of the tenant may create or change Services where quotas allow node ports"
        )
    others = view.refusing("services")
    said = f"{grant.subject} may create Services, and no quota refuses node ports"
    if others:
        return unknown(f"{said}; {others[0].reference} may refuse them and is not evaluated", others[0].place)
    return failed(said, grant.place)


def image_pulls(view: View) -> Answer:
    """Whether the tenant uses private images, which without AlwaysPullImages any pod on the same node can run."""
    templates = (each for space in view.spaces for each in view.index.templates[space])
    private = [each for each in templates if listed(each.spec.get("imagePullSecrets"))]
    accounts = [each for each in view.objects("ServiceAccount") if listed(each.at("imagePullSecrets"))]
    if not private and not accounts:
        return not_applicable("no pod and no account of the tenant has imagePullSecrets, so it uses no private image")
    place = private[0].owner.place if private else accounts[0].place
    return unknown("it uses private images; whether the API server has AlwaysPullImages is not in manifests", place)


def _claims(view: View) -> list[Object]:
    return view.objects("PersistentVolumeClaim")


def _claims_volumes(view: View) -> bool:
    """Whether the tenant has claims, or workloads that make them, or may create them."""
    made = [each for each in view.objects("StatefulSet") if listed(each.at("spec", "volumeClaimTemplates"))]
    return bool(_claims(view) or made or view.may(["create"], "persistentvolumeclaims"))


def reclaim_policy(view: View) -> Answer:
    """Whether volumes of the tenant are deleted with their claims."""
    volumes = [each for space in view.spaces for each in view.index.volumes[space]]
    if not _claims_volumes(view) and not volumes:
        return view.unless_missing(_NO_CLAIMS, not_applicable)
    for each in volumes:
        policy = each.at("spec", "persistentVolumeReclaimPolicy") or "Retain"
        if policy != "Delete":
            place = each.place.at("spec", "persistentVolumeReclaimPolicy")
            return failed(f"{each.reference} of the tenant has the reclaim policy {policy}", place)
    return worst(
        [*_of_classes(view), view.unless_missing("its volumes and their classes have the reclaim policy Delete")]
    )


def _of_classes(view: View) -> Iterator[Answer]:
    """What speaks against the classes of which the tenant has, or may claim, volumes."""
    classes = {each.name: each for each in view.inventory.of_kind("StorageClass")}
    used: dict[str, Object] = {}
    for claim in _claims(view):
        name = str(claim.at("spec", "storageClassName"))
        if name not in classes:
            yield unknown(f"the StorageClass of {claim.reference} is not in the input", claim.place)
        else:
            used[name] = classes[name]
    if view.may(["create"], "persistentvolumeclaims") is not None:
        if not classes:
            yield unknown("the tenant may claim volumes, and the input holds no StorageClass")
        used |= classes
    for each in used.values():
        if (each.at("reclaimPolicy") or "Delete") != "Delete":
            yield failed(f"{each.reference} retains the volumes of deleted claims", each.place.at("reclaimPolicy"))


def existing_volumes(view: View) -> Answer:
    """Whether the tenant can claim a volume that was not made for it."""
    if not _claims_volumes(view):
        return view.unless_missing(_NO_CLAIMS, not_applicable)
    for each in _claims(view):
        if each.at("spec", "volumeName"):
            return failed(f"{each.reference} names the volume that it claims", each.place.at("spec", "volumeName"))
    free = view.index.volumes[""]
    if view.may(["create"], "persistentvolumeclaims") is None:
        return view.unless_missing(
            "its claims name no volume, and no account or member of the tenant may create others"
        )
    if free:
        return failed(f"the tenant may create claims, and {free[0].reference} is free for any", free[0].place)
    return unknown("the tenant may create claims, and which volumes the cluster has is not in the input")
