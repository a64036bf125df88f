"""How `tenantry apply` brings a cluster to what dist/ says: what to apply, what to skip, what to delete."""
