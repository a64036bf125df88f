# The values of the charts: the files of ../../values, and what depends on the cluster.
locals {
  stack_file          = file("${path.module}/../../values/kube-prometheus-stack.yaml")
  metrics_server_file = file("${path.module}/../../values/metrics-server.yaml")

  stack = yamldecode(local.stack_file)

  is_kind              = startswith(var.context, "kind-")
  kubelet_insecure_tls = coalesce(var.kubelet_insecure_tls, local.is_kind)

  # The operator sets these labels on the pods itself, and rejects other values.
  own_pod_labels   = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"]
  extra_pod_labels = { for name, value in var.prometheus_labels : name => value if !contains(local.own_pod_labels, name) }

  volume_claims = {
    for name, size in { prometheus = var.volumes.prometheus_size, alertmanager = var.volumes.alertmanager_size } : name => {
      volumeClaimTemplate = { spec = merge(
        { accessModes = ["ReadWriteOnce"], resources = { requests = { storage = size } } },
        var.volumes.storage_class == null ? {} : { storageClassName = var.volumes.storage_class },
      ) }
    }
  }
  volumes = {
    prometheus = { prometheusSpec = {
      storageSpec = local.volume_claims.prometheus
      # The rest of the volume is for the write-ahead log and for compaction.
      retentionSize = "${floor(tonumber(trimsuffix(var.volumes.prometheus_size, "Gi")) * 1024 * 0.8)}MiB"
    } }
    alertmanager = { alertmanagerSpec = { storage = local.volume_claims.alertmanager } }
  }
}
