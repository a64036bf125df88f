"""The `tenantry` command: one thin module a verb."""
