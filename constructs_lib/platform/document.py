"""The typed model of `platform.yaml` as a whole, with the rules that involve several parts. Imports no jsii.

The parts are in the other modules of this package, with the default of every key. The text below a field documents its
key; `platform.schema.json` and `docs/platform-yaml.md` have the same texts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from constructs_lib.platform import _loading, _reachability, validators
from constructs_lib.platform._section import Section
from constructs_lib.platform.access import check_parties
from constructs_lib.platform.clusters import check_clusters
from constructs_lib.platform.gateway import check_host_names, with_host_name
from constructs_lib.platform.profiles import with_profile
from constructs_lib.platform.runtime import check_runtimes, with_runtime_image
from constructs_lib.platform.settings import PlatformSettings
from constructs_lib.platform.tenant import Defaults, Tenant


class Platform(Section):
    """The whole file."""

    api_version: Literal["tenantry.dev/v1alpha1"]
    """Version of this format."""
    platform: PlatformSettings
    """Settings that apply to every tenant."""
    defaults: Defaults = Defaults()
    """Values for every tenant that does not set its own."""
    clusters: tuple[validators.Name, ...] = ()
    """Names of the clusters, if several share this file; each gets a folder of manifests. One cluster if empty."""
    tenants: Annotated[tuple[Tenant, ...], AfterValidator(validators.check_not_empty)]
    """The tenants."""

    def parts(self) -> dict[str, Self]:
        """The platform of each cluster, by the cluster's name; without `clusters`, this one under an empty name."""
        if not self.clusters:
            return {"": self}
        return {name: self._part(name) for name in self.clusters}

    def _part(self, cluster: str) -> Self:
        return self.model_copy(update={"tenants": tuple(each for each in self.tenants if each.cluster == cluster)})

    @classmethod
    def load(cls, path: Path | str, *, folder: Path | None = None) -> Self:
        """Read and validate a file.

        Args:
            path: the file.
            folder: the folder that paths in the file are relative to. Default: the file's own.

        Raises:
            PlatformError: the file cannot be read or breaks a rule; the message lists every mistake.
        """
        return _loading.load(cls, Path(path), folder or Path(path).parent)

    @model_validator(mode="before")
    @classmethod
    def _merge_defaults(cls, data: Any) -> Any:
        """Complete every tenant from `defaults` and the platform's image."""
        if not isinstance(data, Mapping) or not isinstance(data.get("tenants"), list | tuple):
            return data
        defaults = data.get("defaults")
        base = dict(defaults) if isinstance(defaults, Mapping) else {}
        settings = data.get("platform")
        if isinstance(settings, Mapping) and "image" in settings:
            base["image"] = settings["image"]
        gateway = settings.get("gateway") if isinstance(settings, Mapping) else None
        tenants = [
            with_host_name(with_runtime_image(merged(base, tenant), tenant, settings), gateway)
            if isinstance(tenant, Mapping)
            else tenant
            for tenant in data["tenants"]
        ]
        completed = {"platform": with_profile(settings)} if isinstance(settings, Mapping) else {}
        return {**data, **completed, "tenants": tenants}

    @model_validator(mode="wrap")
    @classmethod
    def _names_are_free(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Check the names even if something else is wrong, so that all mistakes are reported at once."""
        try:
            platform = validate(data)
        except ValidationError as error:
            validators.check_names(*_written_names(data, error), beside=error)
            raise
        validators.check_names([tenant.name for tenant in platform.tenants], platform.platform.namespaces)
        return platform

    @model_validator(mode="after")
    def _clients_are_allowed(self) -> Self:
        check_parties(self.tenants, self.platform.namespaces)
        check_host_names([tenant.hostname for tenant in self.tenants], self.platform.gateway)
        return self

    @model_validator(mode="after")
    def _tenants_have_clusters(self) -> Self:
        check_clusters(self.clusters, self.tenants)
        return self

    @model_validator(mode="after")
    def _guard_restricts_tenants(self) -> Self:
        if self.platform.guard is not None:
            self.platform.guard.check([tenant.name for tenant in self.tenants])
        return self

    @model_validator(mode="after")
    def _runtimes_have_images(self) -> Self:
        check_runtimes(self.tenants, self.platform.image)
        return self

    @model_validator(mode="after")
    def _addresses_are_reachable(self) -> Self:
        store = self.platform.model_store
        proxies = ((tenant.name, tenant.proxy, tenant.egress) for tenant in self.tenants)
        _reachability.check_proxies(proxies, store_namespace=store.namespace)
        loading = (tenant for tenant in self.tenants if validators.is_in_store(tenant.model) and not tenant.proxy)
        egress = {tenant.name: tenant.egress for tenant in loading}
        for place, address in store.outside.items():
            _reachability.check_server(address, egress, at=("platform", "modelStore", *place))
        _reachability.check_reserved(self.platform.network.reserved, [tenant.egress for tenant in self.tenants])
        return self


def _written_names(data: Any, error: ValidationError) -> tuple[list[str | None], frozenset[str]]:
    """The tenants' names without those that `error` reports, and the platform's namespaces, as far as known."""
    wrong = {each["loc"] for each in error.errors()}
    tenants, parts = _at(data, "tenants"), _at(data, "platform")
    named = [_at(each, "name") for each in tenants] if isinstance(tenants, list | tuple) else []
    names = [
        name if isinstance(name, str) and ("tenants", index, "name") not in wrong else None
        for index, name in enumerate(named)
    ]
    sections = parts.values() if isinstance(parts, Mapping) else ()
    taken = [_at(part, key) for part in sections for key in ("namespace", "podNamespace")]
    return names, frozenset(name for name in taken if isinstance(name, str))


def _at(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, Mapping) else None


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` overridden by `over`: mappings key by key, other values as a whole."""
    result = dict(base)
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping) and value.get("type") == below.get("type")
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result
