"""The part `tenants[].members` of `platform.yaml`: the people who may read a tenant's namespace."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from constructs_lib.platform._section import Section, refuse

_RESERVED_PREFIX = "system:"


def check_subject(name: str) -> str:
    """Check the name of a user or group as the cluster's authentication reports it."""
    if not name.strip() or name != name.strip():
        refuse("must be the name of a user or group, without surrounding spaces", "correct it")
    if name.startswith(_RESERVED_PREFIX):
        refuse(
            "must not start with 'system:', which Kubernetes reserves for its own accounts and for ServiceAccounts",
            "name a user or group of your identity provider",
        )
    return name


Subject = Annotated[
    str, AfterValidator(check_subject), Field(json_schema_extra={"pattern": f"^(?!{_RESERVED_PREFIX})"})
]


class Members(Section):
    """Users and groups that may read the tenant's namespace, without Secrets and exec."""

    groups: tuple[Subject, ...] = ()
    """Groups, as the cluster's authentication reports them."""
    users: tuple[Subject, ...] = ()
    """Users, as the cluster's authentication reports them."""
    port_forward: bool = Field(default=False, strict=True)
    """Whether members may forward a local port to the tenant's pods; no NetworkPolicy applies to this connection."""

    @model_validator(mode="after")
    def _has_a_member(self) -> Self:
        if not self.groups and not self.users:
            refuse("must name a group or a user", "add groups or users, or remove 'members'")
        return self
