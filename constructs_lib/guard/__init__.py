"""The admission guard: ValidatingAdmissionPolicies for the tenants' namespaces."""

from constructs_lib.guard.objects import add_guard

__all__ = ["add_guard"]
