# The objects of the Gateway that platform.yaml describes, for Envoy Gateway.
locals {
  file       = file("${path.module}/../../values/envoy-gateway.yaml")
  controller = "envoy-gateway-system"

  listener = var.tls_secret == null ? { name = "http", protocol = "HTTP", port = 80 } : { name = "https", protocol = "HTTPS", port = 443 }
  tls      = var.tls_secret == null ? {} : { tls = { certificateRefs = [{ name = var.tls_secret }] } }

  # Envoy Gateway sets its own labels on the proxies.
  pod_labels = { for name, value in var.gateway.pod_labels : name => value if !startswith(name, "gateway.envoyproxy.io/") }

  # The service closes an idle connection after 75 s. A proxy must close it earlier: it could otherwise send a request on a
  # connection that the service is closing.
  idle_timeout = "60s"

  metadata = { name = var.gateway.name, namespace = var.gateway.namespace }
  objects = [
    {
      apiVersion = "gateway.networking.k8s.io/v1"
      kind       = "GatewayClass"
      metadata   = { name = "envoy" }
      spec       = { controllerName = "gateway.envoyproxy.io/gatewayclass-controller" }
    },
    {
      apiVersion = "gateway.envoyproxy.io/v1alpha1"
      kind       = "EnvoyProxy"
      metadata   = local.metadata
      spec = {
        mergeType = "StrategicMerge" # with the chart's values, such as another image
        provider = {
          type = "Kubernetes"
          kubernetes = {
            envoyService = { type = var.service_type }
            envoyDeployment = {
              replicas = var.replicas
              pod      = { labels = local.pod_labels }
            }
            envoyPDB = { maxUnavailable = 1 }
          }
        }
      }
    },
    {
      apiVersion = "gateway.networking.k8s.io/v1"
      kind       = "Gateway"
      metadata   = local.metadata
      spec = {
        gatewayClassName = "envoy"
        infrastructure   = { parametersRef = { group = "gateway.envoyproxy.io", kind = "EnvoyProxy", name = var.gateway.name } }
        listeners = [merge(local.listener, local.tls, {
          hostname      = "*.${var.gateway.domain}"
          allowedRoutes = { namespaces = { from = "Selector", selector = { matchExpressions = [{ key = "tenantry.dev/tenant", operator = "Exists" }] } } }
        })]
      }
    },
    {
      apiVersion = "gateway.envoyproxy.io/v1alpha1"
      kind       = "BackendTrafficPolicy"
      metadata   = local.metadata
      spec = {
        targetRefs = [{ group = "gateway.networking.k8s.io", kind = "Gateway", name = var.gateway.name }]
        timeout    = { http = { connectionIdleTimeout = local.idle_timeout } }
      }
    },
  ]
}
