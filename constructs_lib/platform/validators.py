"""The rules of single values in `platform.yaml`, as types; the constructs hold their props against the same ones."""

import ipaddress
import re
from collections.abc import Iterable, Sized
from collections.abc import Set as AbstractSet
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from constructs_lib.names import SERVICE_SUFFIX
from constructs_lib.platform._section import refusal, refuse, refuse_all
from inference.address import GRAMMAR, ModelUri

S = TypeVar("S", bound=Sized)
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_TENANT = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_IMAGE = re.compile(
    r"(?P<name>([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LABEL_LENGTH = 63
NAME_LENGTH = _LABEL_LENGTH - len(SERVICE_SUFFIX)
"""Characters of the longest tenant name: `<tenant>-ml-inference-svc`, the longest name made from it, is a DNS label."""
RESERVED = frozenset(
    {
        "cert-manager",
        "default",
        "ingress-nginx",
        "istio-system",
        "local-path-storage",
        "metrics-server",
        "minio",
        "monitoring",
    }
)
"""Namespaces that the platform, or what usually stands beside it, needs."""
RESERVED_PREFIXES = ("kube-", "openshift-", "tenantry")


def check_name(name: str) -> str:
    """A DNS label, as a namespace's name is one."""
    if not _DNS_LABEL.fullmatch(name) or len(name) > _LABEL_LENGTH:
        refuse("is a DNS label: at most 63 of a-z, 0-9 and '-', with a letter or digit at both ends", "rename it")
    return name


def check_tenant_name(name: str) -> str:
    """A tenant's name: what Kubernetes takes for all that is derived from it, and nobody else's."""
    if not _TENANT.fullmatch(name):
        fitting = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        refuse(
            "is a DNS label that starts with a letter: a-z, 0-9 and '-', no '-' at the end",
            f"rename it, to '{fitting}' say" if _TENANT.fullmatch(fitting) else "rename it",
        )
    if len(name) > NAME_LENGTH:
        refuse(
            f"has at most {NAME_LENGTH} characters, so that '<name>{SERVICE_SUFFIX}' is a DNS label",
            f"shorten it by {len(name) - NAME_LENGTH}",
        )
    if name in RESERVED or name.startswith(RESERVED_PREFIXES):
        refuse("is not reserved for the cluster or the platform", "choose a name of the tenant's own")
    return name


def check_names(names: Iterable[str | None], taken: AbstractSet[str], *, beside: ValidationError | None = None) -> None:
    """No tenant is called like another one, or like a namespace of the platform.

    Args:
        names: the tenants' names in their order; None where there is none.
        taken: the platform's namespaces.
        beside: what is wrong already, told with it.
    """
    first: dict[str, int] = {}
    found = []
    for index, name in enumerate(names):
        at = ("tenants", index, "name")
        if name is None:
            continue
        if first.setdefault(name, index) != index:
            rule = f"is unique, but tenants[{first[name]}] has it too"
            found.append(refusal(rule, "rename or remove one of them", at=at))
        elif name in taken:
            rule = "is no namespace that the platform names as its own"
            found.append(refusal(rule, "choose a name of the tenant's own", at=at))
    refuse_all(found, beside=beside)


def check_not_empty(items: S) -> S:
    """Something must be there."""
    if not items:
        refuse("is not empty", "add one")
    return items


def check_object_name(name: str) -> str:
    """A DNS subdomain, as most objects' names are."""
    if not _OBJECT.fullmatch(name):
        refuse("is the name of an object: a-z, 0-9, '-' and '.', with a letter or digit at both ends", "correct it")
    return name


def check_image(image: str) -> str:
    """An image reference that always means the same program, as far as a tag can promise it."""
    match = _IMAGE.fullmatch(image)
    if match is None:
        refuse("is an image reference: [registry/]name:tag or [registry/]name@sha256:<64 hex>", "correct it")
    if match["digest"] is None and match["tag"] in {None, "latest"}:
        refuse(
            "names a tag or a digest, and never 'latest': what runs must not change by itself",
            f"write {match['name']}:<version> or {match['name']}@sha256:<digest>",
        )
    return image


def check_model(model: str) -> str:
    """A model's address with its scheme."""
    if not re.match(r"[a-z0-9]+:", model):
        refuse("is a URI with a scheme, s3: or file:", f"write {GRAMMAR}")
    try:
        ModelUri.parse(model)
    except ValueError as error:
        reason = str(error).removeprefix(f"model '{model}': ").partition("; write ")[0]
        refuse(f"is the address of a model: {reason}", f"write {GRAMMAR}")
    return model


def is_pinned(model: str) -> bool:
    """Whether an address always means the same model: it has a digest, or is a folder."""
    uri = ModelUri.parse(model)
    return uri.digest is not None or not uri.bucket


def check_model_owner(tenant: str, model: str) -> None:
    """A tenant's credentials read its own models only."""
    owner = ModelUri.parse(model).tenant
    if owner not in {"", tenant}:
        fix = f"write {model.replace(f'/{owner}/', f'/{tenant}/', 1)}"
        refuse(f"is a model of '{tenant}' itself: its credentials read nobody else's", fix)


def check_cidr(cidr: str) -> str:
    """A network in CIDR notation that names its network address."""
    try:
        ipaddress.ip_network(cidr)
    except ValueError as error:
        refuse(f"is a network in CIDR notation ({error})", "write 192.0.2.0/24 or 2001:db8::/32")
    return cidr


def check_endpoint(endpoint: str) -> str:
    """The address of an S3 API."""
    parts = urlsplit(endpoint)
    try:
        port_is_right = parts.port != 0
    except ValueError:
        port_is_right = False
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or not port_is_right:
        refuse("is the address of a server: http(s)://host[:port]", "write http://minio-api.minio.svc:9000, say")
    return endpoint


def endpoint_port(endpoint: str) -> int:
    """The TCP port of an address, as written or as its scheme implies."""
    parts = urlsplit(endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)


Name = Annotated[str, AfterValidator(check_name)]
TenantName = Annotated[
    str,
    AfterValidator(check_tenant_name),
    Field(json_schema_extra={"pattern": f"^{_TENANT.pattern}$", "maxLength": NAME_LENGTH}),
]
ObjectName = Annotated[str, AfterValidator(check_object_name)]
Image = Annotated[str, AfterValidator(check_image)]
Model = Annotated[str, AfterValidator(check_model), Field(json_schema_extra={"pattern": "^(s3|file):"})]
Cidr = Annotated[str, AfterValidator(check_cidr)]
Endpoint = Annotated[str, AfterValidator(check_endpoint)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
