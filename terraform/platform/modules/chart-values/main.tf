# The values that the charts get: the files of ../../values, and what depends on the cluster.
locals {
  stack_file          = file("${path.module}/../../values/kube-prometheus-stack.yaml")
  metrics_server_file = file("${path.module}/../../values/metrics-server.yaml")

  stack = yamldecode(local.stack_file)

  is_kind              = startswith(var.context, "kind-")
  kubelet_insecure_tls = coalesce(var.kubelet_insecure_tls, local.is_kind)

  # The operator puts these on the pods itself, and refuses that somebody else says what they are.
  own_pod_labels   = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"]
  extra_pod_labels = { for name, value in var.prometheus_labels : name => value if !contains(local.own_pod_labels, name) }
}
