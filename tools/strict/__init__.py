"""Outside programs that judge manifests and Terraform; each of their findings is fixed or accepted with a reason."""
