terraform {
  required_version = ">= 1.9" # no provider: `terraform test` runs here without a registry
}
