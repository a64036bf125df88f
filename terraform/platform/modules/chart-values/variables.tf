variable "context" {
  description = "The kubeconfig context of the target cluster; one that starts with `kind-` is a Kind cluster."
  type        = string
}

variable "kubelet_insecure_tls" {
  description = "Whether metrics-server skips verification of the kubelets' certificates; null: only on Kind, whose kubelets use self-signed certificates."
  type        = bool
  default     = null
}

variable "prometheus_labels" {
  description = "Labels that Prometheus's pods must have: the tenants' network policies admit no other pods."
  type        = map(string)
}

variable "prometheus" {
  description = "Memory limit, storage (a quantity such as 40Gi) and days of retention of Prometheus, as platform.yaml describes it; null: what the tenants need, and at least what the values file says."
  type = object({
    memory         = string
    storage        = string
    retention_days = number
  })
  default = null
}

variable "prometheus_needs" {
  description = "What Prometheus needs for the tenants: bytes of memory, and of disk space per day of retention; null: not known."
  type = object({
    memory       = number
    disk_per_day = number
  })
  default = null
}

variable "volumes" {
  description = "Volumes of Prometheus and Alertmanager: whether they have any, their sizes (whole Gi) and their storage class (null: the cluster's default)."
  type = object({
    enabled           = bool
    prometheus_size   = string
    alertmanager_size = string
    storage_class     = optional(string)
  })
}
