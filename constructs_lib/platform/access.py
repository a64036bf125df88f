"""Who may call a tenant: clients in the cluster, and the agreement between two tenants."""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Final, Literal, Protocol

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from constructs_lib.platform._section import Section, refusal, refuse, refuse_all
from constructs_lib.platform.validators import Name
from inference.origins import RULE, is_origin

Place = tuple[str | int, ...]
_NOT_CLIENTS: Final = frozenset({"kube-system", "kube-public", "kube-node-lease", "metrics-server"})
"""Namespaces of the cluster itself, in addition to those that `platform` names."""
_LABEL_NAME = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


def check_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Check names and values of labels."""
    for name, value in labels.items():
        if not (_LABEL_NAME.fullmatch(name) and _LABEL_VALUE.fullmatch(value)):
            refuse(f"must contain valid Kubernetes labels, and '{name}: {value}' is not one", "correct it")
    return labels


def check_annotations(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Check the names of annotations."""
    for name in annotations:
        if not _LABEL_NAME.fullmatch(name):
            refuse(f"must contain valid names of annotations, and '{name}' is not one", "correct it")
    return annotations


PodLabels = Annotated[dict[str, str], AfterValidator(check_labels)]


Auth = Literal["apiKeys"]
"""How callers prove who they are."""


class Client(Section):
    """Pods of another namespace that may call the tenant's service."""

    namespace: Name
    """Namespace of the client's pods. Neither `kube-system` nor a namespace of the platform; another tenant's only if
    that tenant names this one in `sharedWith`."""
    pod_labels: PodLabels = Field(default={})
    """Labels that the client's pods must have, all of them; every pod of the namespace if absent."""


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for place, origin in enumerate(origins):
        check_origin(origin)
        if origin in origins[:place]:
            refuse(f"must not contain '{origin}' twice", "remove one of them")
    return origins


def check_origin(origin: str) -> None:
    """Check that browsers would send this origin."""
    if not is_origin(origin):
        refuse(f"{RULE}, and '{origin}' is not", "write it as https://app.example.com")


Origins = Annotated[tuple[str, ...], AfterValidator(_check_origins), Field(max_length=20)]
"""Origins of web pages, each exactly as browsers send it; wildcards are refused."""


class CallerLimits(Section):
    """What one caller may send to one pod: each key's owner has its own share, and callers without keys share one."""

    requests_per_second: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    """Requests per second that a pod accepts from a caller; further ones are answered 429."""
    burst: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    """Requests that a caller may send at once after a pause."""
    texts_per_minute: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Texts per minute that a pod answers for a caller; no limit if absent."""

    def settings(self) -> dict[str, str]:
        """The service's settings by field."""
        texts = {"limit_texts_per_minute": str(self.texts_per_minute)} if self.texts_per_minute else {}
        return {
            "limit_requests_per_second": f"{self.requests_per_second:g}",
            "limit_burst": str(self.burst),
            **texts,
        }


class Party(Protocol):
    """The part of a tenant that the rules of this module need."""

    @property
    def name(self) -> str:
        """Name of the tenant."""

    @property
    def clients(self) -> Sequence[Client]:
        """Who may call the tenant."""

    @property
    def shared_with(self) -> Sequence[str]:
        """The tenants that this tenant's pods may call."""


def check_party(tenant: Party, taken: AbstractSet[str]) -> None:
    """Check the clients of one tenant, as far as that is possible without the other tenants.

    Args:
        tenant: the tenant.
        taken: the platform's namespaces.
    """
    refuse_all(list(_refused_clients(tenant, taken, at=())))


def check_parties(tenants: Sequence[Party], taken: AbstractSet[str]) -> None:
    """Check the clients of all tenants, and that both tenants agree where one calls the other.

    Args:
        tenants: the tenants, in order.
        taken: the platform's namespaces.
    """
    by_name = {each.name: each for each in tenants}
    found: list[PydanticCustomError] = []
    for index, tenant in enumerate(tenants):
        at = ("tenants", index)
        found += _refused_clients(tenant, taken, at=at)
        found += _one_sided_clients(tenant, by_name, at=at)
        found += _one_sided_shares(tenant, by_name, at=at)
    refuse_all(found)


def _refused_clients(tenant: Party, taken: AbstractSet[str], *, at: Place) -> Iterator[PydanticCustomError]:
    for number, client in enumerate(tenant.clients):
        place = (*at, "clients", number)
        if client.namespace == tenant.name:
            rule = "must be another namespace: the tenant's own pods may call its service already"
            yield refusal(rule, "remove this client", at=(*place, "namespace"))
        elif client.namespace in taken | _NOT_CLIENTS:
            rule = "must not be a namespace of the cluster or the platform"
            yield refusal(rule, "run the client in another namespace", at=(*place, "namespace"))
        elif client in tenant.clients[:number]:
            yield refusal("must not appear twice", "remove one of them", at=place)


def _one_sided_clients(tenant: Party, by_name: Mapping[str, Party], *, at: Place) -> Iterator[PydanticCustomError]:
    """Clients in the namespace of another tenant that has not agreed."""
    for number, client in enumerate(tenant.clients):
        caller = by_name.get(client.namespace, tenant)
        if caller is not tenant and tenant.name not in caller.shared_with:
            rule = f"must not be another tenant's namespace unless both agree, and {caller.name} does not"
            fix = f"add '{tenant.name}' to sharedWith of {caller.name}, or remove this client"
            yield refusal(rule, fix, at=(*at, "clients", number, "namespace"))


def _one_sided_shares(tenant: Party, by_name: Mapping[str, Party], *, at: Place) -> Iterator[PydanticCustomError]:
    """Tenants that this one wants to call, and that do not allow it."""
    for number, name in enumerate(tenant.shared_with):
        called = by_name.get(name, tenant)
        if called is tenant:
            rule, fix = "must be another tenant of this file", "correct the name"
        elif name in tenant.shared_with[:number]:
            rule, fix = "must not appear twice", "remove one of them"
        elif tenant.name not in {client.namespace for client in called.clients}:
            rule = f"must be a tenant whose clients include the namespace {tenant.name}, and those of {name} do not"
            fix = f"add 'namespace: {tenant.name}' to clients of {name}, or remove this entry"
        else:
            continue
        yield refusal(rule, fix, at=(*at, "sharedWith", number))
