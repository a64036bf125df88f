# Off by default: most clusters that are called from outside have a gateway already (docs/operations/existing-cluster.md).
locals {
  gateway_count = var.envoy_gateway.enabled ? 1 : 0
}

module "gateway" {
  source = "./modules/gateway"
  count  = local.gateway_count

  gateway      = module.tenants.gateway
  tls_secret   = var.envoy_gateway.plain_http ? null : var.envoy_gateway.tls_secret
  service_type = var.envoy_gateway.service_type
  replicas     = var.envoy_gateway.replicas
}

resource "kubernetes_namespace_v1" "envoy_gateway" {
  count = local.gateway_count

  metadata {
    name = module.gateway[0].controller_namespace
    labels = merge(local.labels, {
      "pod-security.kubernetes.io/enforce" = "restricted"
    })
  }
}

# For the Gateway and its certificate; no pod runs in it.
resource "kubernetes_namespace_v1" "gateway" {
  count = local.gateway_count

  metadata {
    name   = module.gateway[0].namespace
    labels = local.labels
  }
}

resource "helm_release" "envoy_gateway" {
  count = local.gateway_count

  name       = "envoy-gateway"
  namespace  = kubernetes_namespace_v1.envoy_gateway[0].metadata[0].name
  repository = can(regex("^[./]", var.envoy_gateway.chart)) ? null : var.envoy_gateway.repository # a path is not in a registry
  chart      = var.envoy_gateway.chart
  version    = var.envoy_gateway.version
  values     = concat(module.gateway[0].values, var.envoy_gateway.values)
  wait       = var.envoy_gateway.wait
  timeout    = var.envoy_gateway.timeout_seconds
}

# A release and not kubernetes_manifest, which could not be planned before the CRDs are installed.
resource "helm_release" "gateway" {
  count = local.gateway_count

  name      = "gateway"
  namespace = kubernetes_namespace_v1.gateway[0].metadata[0].name
  chart     = "${path.module}/charts/objects"
  values    = [yamlencode({ objects = module.gateway[0].objects })]

  depends_on = [helm_release.envoy_gateway]
}
