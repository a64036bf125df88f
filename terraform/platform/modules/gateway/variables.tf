variable "gateway" {
  description = "The gateway that platform.yaml describes (`platform.gateway`). It must match what Envoy Gateway creates."
  type = object({
    name          = string
    namespace     = string
    section_name  = optional(string)
    pod_namespace = string
    pod_labels    = map(string)
    domain        = string
  })

  validation {
    condition     = var.gateway != null
    error_message = "platform.yaml does not describe a gateway: add platform.gateway (docs/callers.md), or set envoy_gateway = { enabled = false }."
  }

  validation {
    condition     = try(var.gateway.pod_namespace, "envoy-gateway-system") == "envoy-gateway-system"
    error_message = "platform.gateway.podNamespace must be envoy-gateway-system: Envoy Gateway runs the proxies there."
  }

  validation {
    condition     = try(var.gateway.namespace, "") != "envoy-gateway-system"
    error_message = "platform.gateway.namespace must not be envoy-gateway-system, the controller's namespace: choose another one."
  }

  validation {
    condition     = try(var.gateway.section_name, null) == null || try(var.gateway.section_name, "") == (var.tls_secret == null ? "http" : "https")
    error_message = "platform.gateway.sectionName must be the listener of the Gateway: https, or http with plain_http; or remove it."
  }

  validation {
    condition = alltrue([
      for name, value in try(var.gateway.pod_labels, {}) :
      try({ name = var.gateway.name, namespace = var.gateway.namespace }[trimprefix(name, "gateway.envoyproxy.io/owning-gateway-")] == value, !startswith(name, "gateway.envoyproxy.io/"))
    ])
    error_message = "platform.gateway.podLabels may contain only two of Envoy Gateway's own labels: gateway.envoyproxy.io/owning-gateway-name with the Gateway's name, and gateway.envoyproxy.io/owning-gateway-namespace with its namespace."
  }
}

variable "tls_secret" {
  description = "Name of the Secret with the certificate, in the Gateway's namespace; null: a listener without TLS."
  type        = string
}

variable "service_type" {
  description = "Type of the Service of the proxies."
  type        = string
}

variable "replicas" {
  description = "Number of proxies."
  type        = number
}
