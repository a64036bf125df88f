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

  prometheus_size = var.prometheus == null ? var.volumes.prometheus_size : var.prometheus.storage
  size_parts      = regex("^([0-9.]+)(Ki|Mi|Gi|Ti|k|M|G|T|)$", local.prometheus_size)
  size_units = {
    Ki = 1024, Mi = 1048576, Gi = 1073741824, Ti = 1099511627776
    k  = 1000, M = 1000000, G = 1000000000, T = 1000000000000
  }
  # The rest of the volume is for the write-ahead log and for compaction.
  retention_size = "${floor(tonumber(local.size_parts[0]) * lookup(local.size_units, local.size_parts[1], 1) / 1048576 * 0.8)}MiB"

  volume_claims = {
    for name, size in { prometheus = local.prometheus_size, alertmanager = var.volumes.alertmanager_size } : name => {
      volumeClaimTemplate = { spec = merge(
        { accessModes = ["ReadWriteOnce"], resources = { requests = { storage = size } } },
        var.volumes.storage_class == null ? {} : { storageClassName = var.volumes.storage_class },
      ) }
    }
  }
  volumes = {
    prometheus = { prometheusSpec = {
      storageSpec   = local.volume_claims.prometheus
      retentionSize = local.retention_size
    } }
    alertmanager = { alertmanagerSpec = { storage = local.volume_claims.alertmanager } }
  }
}
