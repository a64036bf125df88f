variable "name" {
  description = "Name of the Kind cluster; kubectl's context is `kind-<name>`, its nodes' containers are `<name>-control-plane`, `<name>-worker`, `<name>-worker2` ..."
  type        = string
  default     = "tenantry"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$", var.name))
    error_message = "The name must be 1 to 42 of a-z, 0-9 and '-', and start and end with a letter or a digit: containers and the kubeconfig context are named after it."
  }
}

variable "node_image" {
  description = "Image of every node, with its digest. Kind enforces NetworkPolicy from v0.24 on with its own network plugin (kindnet). The platform needs Kubernetes 1.30 or newer."
  type        = string
  default     = "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.node_image))
    error_message = "The node image must end with its digest (@sha256: and 64 hex digits): a tag can be moved."
  }

  validation {
    condition     = can(regex(":v1\\.([3-9][0-9]|[1-9][0-9]{2,})\\.", var.node_image))
    error_message = "The node image's tag must name Kubernetes 1.30 or newer (:v1.30.x ...): the tenants' pods use the native preStop sleep."
  }
}

variable "workers" {
  description = "Number of worker nodes in addition to the control plane; each is a container on this machine."
  type        = number
  default     = 4

  validation {
    condition     = var.workers >= 1 && var.workers <= 20 && floor(var.workers) == var.workers
    error_message = "The number of workers must be a whole number from 1 to 20."
  }
}

variable "grafana_port" {
  description = "Port on this machine's loopback interface that forwards to Grafana's NodePort."
  type        = number
  default     = 30080

  validation {
    condition     = var.grafana_port >= 1024 && var.grafana_port <= 65535 && floor(var.grafana_port) == var.grafana_port
    error_message = "Grafana's port must be a whole number from 1024 to 65535."
  }
}

variable "kubeconfig_path" {
  description = "File to write the cluster's kubeconfig to; null: `build/kubeconfig` in the repository, so that your `~/.kube/config` is not changed."
  type        = string
  default     = null
}

variable "audit_log_directory" {
  description = "Absolute path of a folder on this machine for the API server's audit log (its files belong to root); null: the log stays in the control plane's container, and the output `audit_log_command` reads it."
  type        = string
  default     = null

  validation {
    condition     = var.audit_log_directory == null || try(startswith(var.audit_log_directory, "/"), false)
    error_message = "The audit log's folder must be an absolute path: Docker mounts it."
  }
}
