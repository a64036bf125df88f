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

  # Memory and volume of Prometheus: what platform.yaml describes, else what the tenants need for the retention of the
  # values file. The memory limit of that file is enough for few tenants. A claim must be enlarged by hand, so its size
  # grows in steps.
  spec        = local.stack.prometheus.prometheusSpec
  needs       = var.prometheus_needs == null ? { memory = 0, disk_per_day = 0 } : var.prometheus_needs
  days        = tonumber(trimsuffix(local.spec.retention, "d"))
  limit       = tonumber(trimsuffix(local.spec.resources.limits.memory, "Gi")) * local.units.Gi
  volume_step = 10 * local.units.Gi
  volume_need = ceil(local.needs.disk_per_day * local.days / local.usable / local.volume_step) * 10

  prometheus = var.prometheus != null ? { memory = var.prometheus.memory, storage = var.prometheus.storage } : {
    memory  = local.needs.memory > local.limit ? "${ceil(local.needs.memory / local.units.Mi)}Mi" : null
    storage = coalesce(var.volumes.prometheus_size, "${max(local.volume_need, 10)}Gi")
  }

  units = {
    Ki = 1024, Mi = 1048576, Gi = 1073741824, Ti = 1099511627776
    k  = 1000, M = 1000000, G = 1000000000, T = 1000000000000
  }
  size_parts = regex("^([0-9.]+)(Ki|Mi|Gi|Ti|k|M|G|T|)$", local.prometheus.storage)
  # The rest of the volume is for the write-ahead log and for compaction.
  usable         = 0.8
  retention_size = "${floor(tonumber(local.size_parts[0]) * lookup(local.units, local.size_parts[1], 1) / local.units.Mi * local.usable)}MiB"

  volume_claims = {
    for name, size in { prometheus = local.prometheus.storage, alertmanager = var.volumes.alertmanager_size } : name => {
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
