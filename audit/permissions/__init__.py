"""What ServiceAccounts, users and groups may do, where, and what follows from it (RBAC).

`permissions` decides requests as the API server's RBAC authorizer does, `defaults` has the roles and bindings of a new
cluster, `consequences` says what a permission amounts to. Other authorizers (Node, webhooks) are not covered.
"""

from audit.permissions.permissions import Grant, Permissions, groups_of

__all__ = ["Grant", "Permissions", "groups_of"]
