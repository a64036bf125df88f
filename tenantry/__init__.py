"""The `tenantry` command: one thin module per command."""
