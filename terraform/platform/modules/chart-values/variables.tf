variable "context" {
  description = "The kubeconfig context that the charts go to; one that begins with `kind-` is a Kind cluster."
  type        = string
}

variable "kubelet_insecure_tls" {
  description = "Whether metrics-server trusts the kubelets' certificates unseen; null: on Kind only, whose kubelets sign their own."
  type        = bool
  default     = null
}

variable "prometheus_labels" {
  description = "Labels that Prometheus's pods must have: the tenants' network policies admit no other pods."
  type        = map(string)
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
