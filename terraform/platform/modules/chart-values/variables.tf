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
  description = "Labels that Prometheus's pods must carry: the tenants' walls let in no other pods."
  type        = map(string)
}
