"""The part `platform.modelStore` of `platform.yaml`: where models are, and how pods authenticate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from constructs_lib.platform import validators
from constructs_lib.platform._section import Section, refuse
from constructs_lib.platform.access import check_annotations
from inference import contract
from inference.certificates import check_certificates

TENANT: Final = "{tenant}"
"""Placeholder of the tenant's name in a role and in annotations."""
_STS: Final = ("workloadIdentity", "stsEndpoint")
_ONE_SOURCE: Final = "must have exactly one of 'file', 'pem' and 'configMap'"


def _check_pem(pem: str) -> str:
    """Check that a text contains certificates, and no key."""
    if "PRIVATE KEY" in pem:
        refuse("must not contain a private key, which would become part of dist/", "remove it; keep the certificates")
    try:
        check_certificates(pem)
    except ValueError as error:
        refuse(f"must contain certificates as PEM ({error})", "start with -----BEGIN CERTIFICATE-----")
    return pem


def _check_role(role: str) -> str:
    """Check that each tenant has a role of its own."""
    if TENANT not in role:
        refuse(f"must contain {TENANT}: each tenant needs a role that can read its own models only", "add it")
    return role


class CaBundle(Section):
    """Certificates of the authority that issued the store's certificate. Set one of `file`, `pem` and `configMap`."""

    file: str | None = None
    """File with the certificates as PEM, relative to `platform.yaml`; its content becomes part of `dist/`."""
    pem: Annotated[str, AfterValidator(_check_pem)] | None = None
    """The certificates themselves, as PEM."""
    config_map: validators.ObjectName | None = None
    """Name of a ConfigMap that something else creates in each tenant's namespace."""
    key: str = Field(default=contract.STORE_CA_KEY, pattern=r"^[A-Za-z0-9._-]+$")
    """Key of the certificates in that ConfigMap."""

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any, info: ValidationInfo) -> Any:
        """Replace `file` with its content, so that equal values mean equal manifests."""
        if not isinstance(data, Mapping) or not isinstance(data.get("file"), str):
            return data
        if data.get("pem") is not None:
            refuse(_ONE_SOURCE, "remove the others")
        folder = (info.context or {}).get("folder", Path())
        try:
            pem = (folder / data["file"]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            refuse(f"must be a file that can be read ({reason})", "correct the path", at=("file",))
        return {**{key: value for key, value in data.items() if key != "file"}, "pem": pem}

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.pem is None) == (self.config_map is None):
            refuse(_ONE_SOURCE, "set one of them, and remove the others")
        return self


class WorkloadIdentity(Section):
    """A role that pods assume with a token of their ServiceAccount, at AWS STS or a compatible server."""

    role_arn: Annotated[str, AfterValidator(_check_role), Field(min_length=1)]
    """The role, with `{tenant}` for the tenant's name: `arn:aws:iam::123456789012:role/models-{tenant}`."""
    audience: str = Field(default="sts.amazonaws.com", min_length=1)
    """Audience of the token."""
    sts_endpoint: validators.Endpoint | None = None
    """Address that exchanges the token, with https; Amazon's for the region if absent."""
    annotations: Annotated[dict[str, str], AfterValidator(check_annotations)] = Field(default={})
    """Annotations of the tenant's ServiceAccount, for the cloud's own controllers; `{tenant}` is replaced in values."""

    @model_validator(mode="after")
    def _token_is_encrypted(self) -> Self:
        if self.sts_endpoint is not None and not self.sts_endpoint.startswith("https:"):
            refuse("must begin with https: the token is a credential", "write https://", at=("stsEndpoint",))
        return self

    def role_of(self, tenant: str) -> str:
        """The role of a tenant."""
        return self.role_arn.replace(TENANT, tenant)

    def annotations_of(self, tenant: str) -> dict[str, str]:
        """The annotations of a tenant's ServiceAccount."""
        return {name: value.replace(TENANT, tenant) for name, value in self.annotations.items()}


class ModelStore(Section):
    """The S3-compatible store from which pods load their model."""

    endpoint: validators.Endpoint = "http://minio-api.minio.svc:9000"
    """Address of the S3 API."""
    namespace: validators.Name | None = "minio"
    """Namespace of the store's pods; null if the store is outside the cluster."""
    pod_labels: validators.Labels = Field(default={"app.kubernetes.io/name": "minio"})
    """Labels of the store's pods."""
    region: str = Field(default="us-east-1", min_length=1)
    """Region for which requests are signed."""
    ca_bundle: CaBundle | None = None
    """Authority of the store's certificate, if it is not a public one; the system's authorities alone if absent."""
    workload_identity: WorkloadIdentity | None = None
    """Role that pods assume instead of using keys; if absent, they use the keys of the Secret `model-store`."""

    @property
    def port(self) -> int:
        """TCP port of the API: the endpoint's, or the default of its scheme."""
        return validators.endpoint_port(self.endpoint)

    @property
    def host(self) -> str:
        """Host of the API."""
        return validators.endpoint_host(self.endpoint)

    @property
    def outside(self) -> dict[tuple[str, ...], str]:
        """The addresses outside the cluster that pods connect to, by their place in this section."""
        found: dict[tuple[str, ...], str] = {("endpoint",): self.endpoint} if self.namespace is None else {}
        sts = self._sts_endpoint
        return found if sts is None or _namespace(sts) else {**found, _STS: sts}

    @model_validator(mode="after")
    def _certificate_is_used(self) -> Self:
        if self.ca_bundle is not None and not self.endpoint.startswith("https:"):
            refuse("needs an endpoint with TLS", "write https:// in modelStore.endpoint", at=("caBundle",))
        return self

    @model_validator(mode="after")
    def _host_is_in_the_namespace(self) -> Self:
        named = _namespace(self.endpoint)
        if named is not None and named != self.namespace:
            rule = f"must be a Service of the namespace {self.namespace}, which pods may connect to"
            refuse(rule, f"set modelStore.namespace to '{named}', or correct the address", at=("endpoint",))
        return self

    @model_validator(mode="after")
    def _sts_is_reachable(self) -> Self:
        sts = self._sts_endpoint
        named = _namespace(sts) if sts else None
        if sts and named and (named, validators.endpoint_port(sts)) != (self.namespace, self.port):
            rule = "must be outside the cluster, or a Service with the namespace and the port of the store"
            refuse(f"{rule}: pods may connect to no other", "correct the address", at=_STS)
        return self

    @property
    def _sts_endpoint(self) -> str | None:
        return self.workload_identity.sts_endpoint if self.workload_identity else None


def _namespace(endpoint: str) -> str | None:
    """The namespace of the Service that an address names; None for an address outside the cluster."""
    return validators.service_namespace(validators.endpoint_host(endpoint))
