output "kube_prometheus_stack" {
  description = "Values of kube-prometheus-stack: YAML documents, later documents win."
  value = concat(
    [local.stack_file],
    var.volumes.enabled ? [yamlencode(local.volumes)] : [],
    # What platform.yaml says about Prometheus; `tenantry synth` warns if the tenants' series need more.
    var.prometheus == null ? [] : [yamlencode({
      prometheus = { prometheusSpec = {
        retention     = "${var.prometheus.retention_days}d"
        retentionSize = local.retention_size
      } }
    })],
    local.prometheus.memory == null ? [] : [yamlencode({
      prometheus = { prometheusSpec = {
        resources = { requests = { memory = local.prometheus.memory }, limits = { memory = local.prometheus.memory } }
      } }
    })],
    length(local.extra_pod_labels) == 0 ? [] : [yamlencode({
      prometheus = { prometheusSpec = { podMetadata = { labels = local.extra_pod_labels } } }
    })],
  )
}

output "metrics_server" {
  description = "Values of metrics-server: YAML documents, later documents win."
  value = concat(
    [local.metrics_server_file],
    local.kubelet_insecure_tls ? [yamlencode({ args = ["--kubelet-insecure-tls"] })] : [],
  )
}

output "grafana" {
  description = "Names that the root needs of Grafana: NodePort, the administrator's Secret and its keys, the Secret of the alerts' address and its key."
  value = {
    node_port    = local.stack.grafana.service.nodePort
    secret_name  = local.stack.grafana.admin.existingSecret
    user_key     = local.stack.grafana.admin.userKey
    password_key = local.stack.grafana.admin.passwordKey

    alerts_secret_name = local.stack.grafana.envValueFrom.GRAFANA_ALERTS_URL.secretKeyRef.name
    alerts_url_key     = local.stack.grafana.envValueFrom.GRAFANA_ALERTS_URL.secretKeyRef.key
  }
}

output "is_kind" {
  description = "Whether the context is a Kind cluster, whose node ports are forwarded to this machine."
  value       = local.is_kind
}
