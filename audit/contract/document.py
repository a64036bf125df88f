"""An isolation contract, as a typed file."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Port = Annotated[str, Meta(pattern=r"^(TCP|UDP|SCTP)/([0-9]{1,5}|[a-z0-9-]{1,15})$", examples=["TCP/8000", "TCP/http"])]


class _Strict(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Refuses fields that it does not list."""


class Peer(_Strict, frozen=True, kw_only=True):
    """The other side of allowed traffic: pods of a namespace, or addresses.

    Attributes:
        namespace: Namespace of the pods.
        pod_labels: Labels that the pods have, all of them; every pod of the namespace if absent.
        cidr: Addresses, instead of a namespace.
        except_cidrs: Parts of the addresses that are not allowed.
    """

    namespace: str | None = None
    pod_labels: dict[str, str] = msgspec.field(default_factory=dict)
    cidr: str | None = None
    except_cidrs: list[str] = msgspec.field(default_factory=list)


class Traffic(_Strict, frozen=True, kw_only=True):
    """Traffic that is meant to be possible.

    Attributes:
        peer: The other side.
        ports: The destination's ports, as in TCP/8000; every port if absent.
    """

    peer: Peer
    ports: list[Port] | None = None


class Holder(_Strict, frozen=True, kw_only=True):
    """Somebody outside the tenant who may have permissions in its namespaces.

    Attributes:
        name: Name of the user or the group; NAMESPACE/NAME of a ServiceAccount.
        kind: ServiceAccount, User or Group.
        consequences: What may follow from the permissions, as `tenantry audit permissions` names it; nothing if absent.
    """

    name: str
    kind: Literal["ServiceAccount", "User", "Group"]
    consequences: list[str] = msgspec.field(default_factory=list)


class Tenant(_Strict, frozen=True, kw_only=True):
    """A tenant.

    Attributes:
        name: Its name.
        namespaces: Its namespaces; one with its name if absent.
        ingress: Traffic from outside the tenant that it may receive, besides that of every tenant.
        egress: Traffic out of the tenant that it may send, besides that of every tenant.
        holders: Who may have permissions in its namespaces.
        consequences: What its own accounts may do in its namespaces, as `tenantry audit permissions` names it.
        routes: Whether routes and Ingresses may lead to it.
    """

    name: str
    namespaces: list[str] = msgspec.field(default_factory=list)
    ingress: list[Traffic] = msgspec.field(default_factory=list)
    egress: list[Traffic] = msgspec.field(default_factory=list)
    holders: list[Holder] = msgspec.field(default_factory=list)
    consequences: list[str] = msgspec.field(default_factory=list)
    routes: bool = False

    @property
    def spaces(self) -> list[str]:
        """Its namespaces."""
        return self.namespaces or [self.name]


class Waiver(_Strict, frozen=True, kw_only=True):
    """A finding that is accepted for a time.

    Attributes:
        id: Identity of the finding, as `--format json` shows it.
        reason: Why it is accepted.
        expires: The last day on which it is.
    """

    id: Annotated[str, Meta(min_length=1)]
    reason: Annotated[str, Meta(min_length=1)]
    expires: date


class Spec(_Strict, frozen=True, kw_only=True):
    """What is meant to be possible.

    Attributes:
        tenants: The tenants; nothing is allowed between two of them unless it is listed.
        ingress: Traffic that every tenant may receive.
        egress: Traffic that every tenant may send.
        holders: Who may have permissions in every tenant's namespaces, or in the whole cluster.
        pod_security: The level of the Pod Security Standards that every tenant's namespace enforces.
        quota: Whether every tenant's namespace has a ResourceQuota.
        waivers: Findings that are accepted for a time.
    """

    tenants: Annotated[list[Tenant], Meta(min_length=1)]
    ingress: list[Traffic] = msgspec.field(default_factory=list)
    egress: list[Traffic] = msgspec.field(default_factory=list)
    holders: list[Holder] = msgspec.field(default_factory=list)
    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    quota: bool = True
    waivers: list[Waiver] = msgspec.field(default_factory=list)


class Metadata(_Strict, frozen=True, kw_only=True):
    """Metadata of a contract.

    Attributes:
        name: Its name.
    """

    name: str


class Contract(_Strict, frozen=True, kw_only=True):
    """An isolation contract.

    Attributes:
        api_version: Version of the form.
        kind: IsolationContract.
        metadata: Its name.
        spec: What is meant to be possible.
    """

    api_version: Literal["tenantry.dev/v1alpha1"]
    kind: Literal["IsolationContract"]
    metadata: Metadata
    spec: Spec


def schema() -> dict[str, object]:
    """The JSON Schema of a contract."""
    found = msgspec.json.schema(Contract)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "IsolationContract", **found}
