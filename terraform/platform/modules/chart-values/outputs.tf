output "kube_prometheus_stack" {
  description = "Values of kube-prometheus-stack: YAML documents, the later one wins."
  value = concat(
    [local.stack_file],
    length(local.extra_pod_labels) == 0 ? [] : [yamlencode({
      prometheus = { prometheusSpec = { podMetadata = { labels = local.extra_pod_labels } } }
    })],
  )
}

output "metrics_server" {
  description = "Values of metrics-server: YAML documents, the later one wins."
  value = concat(
    [local.metrics_server_file],
    local.kubelet_insecure_tls ? [yamlencode({ args = ["--kubelet-insecure-tls"] })] : [],
  )
}

output "grafana" {
  description = "What others need to know of Grafana: NodePort, Secret of the administrator and its keys."
  value = {
    node_port    = local.stack.grafana.service.nodePort
    secret_name  = local.stack.grafana.admin.existingSecret
    user_key     = local.stack.grafana.admin.userKey
    password_key = local.stack.grafana.admin.passwordKey
  }
}

output "is_kind" {
  description = "Whether the context is that of a Kind cluster, whose node ports lead to this machine."
  value       = local.is_kind
}
