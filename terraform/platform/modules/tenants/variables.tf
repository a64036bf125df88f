variable "platform_yaml" {
  description = "Text of `platform.yaml`. `tenantry synth` validates it completely; only what Terraform relies on is checked again here."
  type        = string

  validation {
    condition     = can(yamldecode(var.platform_yaml).tenants[*].name)
    error_message = "platform.yaml must be YAML with a list `tenants`, each with a `name`; `tenantry synth` reports the details."
  }

  validation {
    condition     = try(length(yamldecode(var.platform_yaml).tenants) > 0, false)
    error_message = "platform.yaml must list at least one tenant."
  }

  validation {
    condition = try(alltrue([
      for tenant in yamldecode(var.platform_yaml).tenants : can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", tenant.name))
    ]), false)
    error_message = "Each tenant's name must be a DNS label that starts with a letter: it becomes a namespace and a folder of the object store."
  }

  validation {
    condition     = try(length(distinct(yamldecode(var.platform_yaml).tenants[*].name)) == length(yamldecode(var.platform_yaml).tenants), false)
    error_message = "Two tenants in platform.yaml have the same name."
  }
}

variable "platform_manifest" {
  description = "Text of `0-platform.k8s.yaml`, which states what Prometheus needs for the tenants; empty: it is not known."
  type        = string
  default     = ""
}

variable "cluster" {
  description = "Name of the cluster in `clusters` of platform.yaml, whose tenants count; null if the file does not list clusters."
  type        = string
  default     = null
}
