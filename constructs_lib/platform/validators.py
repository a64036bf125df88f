"""The rules of single values in `platform.yaml`, as types; the constructs check their props with the same rules."""

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
from inference.contract import STORE_SECRET_NAME

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
"""Maximum length of a tenant's name: `<tenant>-ml-inference-svc`, the longest derived name, must be a DNS label."""
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
"""Namespaces of the platform and of common cluster components."""
RESERVED_PREFIXES = ("kube-", "openshift-", "tenantry")


def check_name(name: str) -> str:
    """Check a DNS label, such as the name of a namespace."""
    if not _DNS_LABEL.fullmatch(name) or len(name) > _LABEL_LENGTH:
        refuse(
            "must be a DNS label: at most 63 characters, a-z, 0-9 and '-', starting and ending with a letter or digit",
            "rename it",
        )
    return name


def check_tenant_name(name: str) -> str:
    """Check a tenant's name: valid for every name that is derived from it, and not reserved."""
    if not _TENANT.fullmatch(name):
        fitting = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        refuse(
            "must be a DNS label that starts with a letter: a-z, 0-9 and '-', not ending with '-'",
            f"rename it, for example to '{fitting}'" if _TENANT.fullmatch(fitting) else "rename it",
        )
    if len(name) > NAME_LENGTH:
        refuse(
            f"must have at most {NAME_LENGTH} characters, so that '<name>{SERVICE_SUFFIX}' is a DNS label",
            f"shorten it by {len(name) - NAME_LENGTH}",
        )
    if name in RESERVED or name.startswith(RESERVED_PREFIXES):
        refuse("must not be a name that is reserved for the cluster or the platform", "choose another name")
    return name


def check_names(names: Iterable[str | None], taken: AbstractSet[str], *, beside: ValidationError | None = None) -> None:
    """Check that no two tenants have the same name, and that none has the name of a platform namespace.

    Args:
        names: the tenants' names in order; None for a tenant without a valid name.
        taken: the platform's namespaces.
        beside: errors found before, reported together with these.
    """
    first: dict[str, int] = {}
    found = []
    for index, name in enumerate(names):
        at = ("tenants", index, "name")
        if name is None:
            continue
        if first.setdefault(name, index) != index:
            rule = f"must be unique, but tenants[{first[name]}] has it too"
            found.append(refusal(rule, "rename or remove one of them", at=at))
        elif name in taken:
            rule = "must not be a namespace of the platform"
            found.append(refusal(rule, "choose another name", at=at))
    refuse_all(found, beside=beside)


def check_not_empty(items: S) -> S:
    """Check that there is at least one item."""
    if not items:
        refuse("must not be empty", "add one")
    return items


def check_object_name(name: str) -> str:
    """Check a DNS subdomain, as the names of most objects are."""
    if not _OBJECT.fullmatch(name):
        refuse(
            "must be an object name: a-z, 0-9, '-' and '.', starting and ending with a letter or digit", "correct it"
        )
    return name


def check_image(image: str) -> str:
    """Check an image reference: it must have a tag other than `latest`, or a digest."""
    match = _IMAGE.fullmatch(image)
    if match is None:
        refuse("must be an image reference: [registry/]name:tag or [registry/]name@sha256:<64 hex>", "correct it")
    if match["digest"] is None and match["tag"] in {None, "latest"}:
        refuse(
            "must have a tag other than 'latest', or a digest, so that the running version never changes by itself",
            f"write {match['name']}:<version> or {match['name']}@sha256:<digest>",
        )
    return image


def check_model(model: str) -> str:
    """Check the address of a model, with its scheme."""
    if not re.match(r"[a-z0-9]+:", model):
        refuse("must be a URI with the scheme s3: or file:", f"write {GRAMMAR}")
    try:
        ModelUri.parse(model)
    except ValueError as error:
        reason = str(error).removeprefix(f"model '{model}': ").partition("; write ")[0]
        refuse(f"must be the address of a model: {reason}", f"write {GRAMMAR}")
    return model


def is_pinned(model: str) -> bool:
    """Whether an address always means the same model: it has a digest or is a folder."""
    return ModelUri.parse(model).digest is not None or not is_in_store(model)


def is_in_store(model: str) -> bool:
    """Whether an address is in the store, and not a folder."""
    return bool(ModelUri.parse(model).bucket)


def check_model_owner(tenant: str, model: str) -> None:
    """Check that a model belongs to the tenant, whose credentials can read no other models."""
    owner = ModelUri.parse(model).tenant
    if owner not in {"", tenant}:
        fix = f"write {model.replace(f'/{owner}/', f'/{tenant}/', 1)}"
        refuse(f"must be a model of '{tenant}': the tenant's credentials can read no other models", fix)


def check_cidr(cidr: str) -> str:
    """Check a network in CIDR notation without host bits."""
    try:
        ipaddress.ip_network(cidr)
    except ValueError as error:
        refuse(f"must be a network in CIDR notation ({error})", "write 192.0.2.0/24 or 2001:db8::/32")
    return cidr


def check_endpoint(endpoint: str) -> str:
    """Check the address of a server without a path, such as an S3 API."""
    parts = urlsplit(endpoint)
    try:
        port_is_right = parts.port != 0
    except ValueError:
        port_is_right = False
    if "@" in parts.netloc:
        refuse(
            "must not contain credentials, which would become part of dist/",
            f"remove them; pods take the store's keys from the Secret {STORE_SECRET_NAME}",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or not port_is_right:
        refuse(
            "must be the address of a server: http(s)://host[:port]", "write it like http://minio-api.minio.svc:9000"
        )
    return endpoint


def endpoint_port(endpoint: str) -> int:
    """The TCP port of an address: explicit, or the default of its scheme."""
    parts = urlsplit(endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)


def endpoint_host(endpoint: str) -> str:
    """The host of an address."""
    return urlsplit(endpoint).hostname or ""


def service_namespace(host: str) -> str | None:
    """The namespace in the cluster-internal name of a Service, `<service>.<namespace>.svc[...]`; None for others."""
    labels = host.split(".")
    return labels[1] if len(labels) > 2 and labels[2] == "svc" else None  # noqa: PLR2004 - service, namespace, svc


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
Labels = Annotated[dict[str, str], Field(min_length=1)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
