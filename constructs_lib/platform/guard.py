"""The part `platform.guard` of `platform.yaml`: what the API server refuses in tenants' namespaces."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from constructs_lib.platform._section import Section, refuse

_REPOSITORY = re.compile(r"[a-zA-Z0-9]+([a-zA-Z0-9._-]*[a-zA-Z0-9])?(:[0-9]+(?=/))?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_EVERYBODY = {"system:authenticated", "system:unauthenticated", "system:serviceaccounts"}


def check_repository(name: str) -> str:
    """Check the name of an image repository, or of a registry or folder of repositories."""
    if not _REPOSITORY.fullmatch(name):
        refuse(
            "must be a repository or a folder of repositories, without tag and digest",
            "write it like registry.example/team or registry.example/team/service",
        )
    return name


def check_account(name: str) -> str:
    """Check the name of a user or group that is exempt: not a group that contains the tenants' accounts."""
    if not name or name in _EVERYBODY:
        refuse("must not be a group of every account, which would exempt the tenants", "name the account")
    return name


Account = Annotated[str, AfterValidator(check_account)]


class Guard(Section):
    """What the API server refuses in the tenants' namespaces, by ValidatingAdmissionPolicies.

    Accounts that may update ValidatingAdmissionPolicies, such as cluster administrators, are exempt, because they could
    remove the guard.
    """

    exempt_groups: tuple[Account, ...] = ()
    """Groups that the guard does not restrict, in addition to the cluster's own controllers."""
    exempt_users: tuple[Account, ...] = ()
    """Users that the guard does not restrict, for example a deployment system without cluster-wide permissions. The
    allow-list of images restricts everybody except cluster administrators, since controllers create a tenant's pods."""
    images: tuple[Annotated[str, AfterValidator(check_repository)], ...] = ()
    """Repositories, or folders of repositories, from which pods may take their images, in addition to those of the
    tenants' own images; every repository if empty."""

    def check(self, tenants: Sequence[str]) -> None:
        """Check that no account of a tenant's namespace is exempt."""
        for key, names in (("exemptGroups", self.exempt_groups), ("exemptUsers", self.exempt_users)):
            for index, name in enumerate(names):
                kind, _, rest = name.partition(":")[2].partition(":")
                if kind in {"serviceaccount", "serviceaccounts"} and rest.split(":")[0] in tenants:
                    rule = "must not be an account of a tenant, which the guard is there to restrict"
                    refuse(rule, "remove it", at=("platform", "guard", key, index))


def _from_switch(value: Any) -> Any:
    """`true` is a guard with its defaults, `false` none."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


def _with_switch(schema: dict[str, Any]) -> None:
    schema["anyOf"].append({"type": "boolean"})


GuardSwitch = Annotated[Guard | None, BeforeValidator(_from_switch), Field(json_schema_extra=_with_switch)]
"""A guard: `true` for the defaults, or a mapping."""
