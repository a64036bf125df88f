resource "kubernetes_namespace_v1" "monitoring" {
  count = var.kube_prometheus_stack.enabled ? 1 : 0

  metadata {
    name = module.tenants.monitoring_namespace
  }

  lifecycle {
    # dist/ also sets labels on this namespace. Terraform creates it first because the charts need it.
    ignore_changes = [metadata[0].labels, metadata[0].annotations]
  }
}

resource "random_password" "grafana" {
  count = var.kube_prometheus_stack.enabled ? 1 : 0

  length  = 24
  special = false
}

resource "kubernetes_secret_v1" "grafana" {
  count = var.kube_prometheus_stack.enabled ? 1 : 0

  metadata {
    name      = module.chart_values.grafana.secret_name
    namespace = kubernetes_namespace_v1.monitoring[0].metadata[0].name
    labels    = local.labels
  }

  data = {
    (module.chart_values.grafana.user_key)     = "admin"
    (module.chart_values.grafana.password_key) = random_password.grafana[0].result
  }
}

resource "kubernetes_secret_v1" "grafana_alerts" {
  count = var.kube_prometheus_stack.enabled ? 1 : 0

  metadata {
    name      = module.chart_values.grafana.alerts_secret_name
    namespace = kubernetes_namespace_v1.monitoring[0].metadata[0].name
    labels    = local.labels
  }

  data = {
    # Grafana does not start without an address. This one (port 9, discard) refuses every notification.
    (module.chart_values.grafana.alerts_url_key) = "http://127.0.0.1:9/"
  }

  lifecycle {
    # The owner sets the address (docs/operations/alert-receivers.md).
    ignore_changes = [data]
  }
}

resource "helm_release" "kube_prometheus_stack" {
  count = var.kube_prometheus_stack.enabled ? 1 : 0

  name       = "kube-prometheus-stack"
  namespace  = kubernetes_namespace_v1.monitoring[0].metadata[0].name
  repository = can(regex("^[./]", var.kube_prometheus_stack.chart)) ? null : var.kube_prometheus_stack.repository # a path is not in a repository
  chart      = var.kube_prometheus_stack.chart
  version    = var.kube_prometheus_stack.version
  values     = concat(module.chart_values.kube_prometheus_stack, var.kube_prometheus_stack.values)
  wait       = var.kube_prometheus_stack.wait
  timeout    = var.kube_prometheus_stack.timeout_seconds

  depends_on = [kubernetes_secret_v1.grafana, kubernetes_secret_v1.grafana_alerts]
}

resource "kubernetes_namespace_v1" "metrics_server" {
  count = var.metrics_server.enabled ? 1 : 0

  metadata {
    name = "metrics-server"
    labels = merge(local.labels, {
      "pod-security.kubernetes.io/enforce" = "restricted"
    })
  }
}

resource "helm_release" "metrics_server" {
  count = var.metrics_server.enabled ? 1 : 0

  name       = "metrics-server"
  namespace  = kubernetes_namespace_v1.metrics_server[0].metadata[0].name
  repository = can(regex("^[./]", var.metrics_server.chart)) ? null : var.metrics_server.repository # a path is not in a repository
  chart      = var.metrics_server.chart
  version    = var.metrics_server.version
  values     = concat(module.chart_values.metrics_server, var.metrics_server.values)
  wait       = var.metrics_server.wait
  timeout    = var.metrics_server.timeout_seconds
}
