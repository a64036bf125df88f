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

  # Memory of Prometheus: what platform.yaml describes, else what the tenants need. The memory limit of the values file is
  # enough for few tenants. The volume does not follow the tenants: Kubernetes does not enlarge the claim that exists, and
  # with a retention size of more than the claim holds, Prometheus would fill it.
  spec  = local.stack.prometheus.prometheusSpec
  needs = var.prometheus_needs == null ? { memory = 0, disk_per_day = 0 } : var.prometheus_needs
  disk  = local.needs.disk_per_day * tonumber(trimsuffix(local.spec.retention, "d"))
  limit = tonumber(trimsuffix(local.spec.resources.limits.memory, "Gi")) * local.units.Gi

  prometheus = var.prometheus != null ? { memory = var.prometheus.memory, storage = var.prometheus.storage } : {
    memory  = local.needs.memory > local.limit ? "${ceil(local.needs.memory / local.units.Mi)}Mi" : null
    storage = var.volumes.prometheus_size
  }

  units = {
    Ki = 1024, Mi = 1048576, Gi = 1073741824, Ti = 1099511627776
    k  = 1000, M = 1000000, G = 1000000000, T = 1000000000000
  }
  size_parts = regex("^([0-9.]+)(Ki|Mi|Gi|Ti|k|M|G|T|)$", local.prometheus.storage)
  size       = tonumber(local.size_parts[0]) * lookup(local.units, local.size_parts[1], 1)
  # The rest of the volume is for the write-ahead log and for compaction.
  usable         = 0.8
  retention_size = "${floor(local.size / local.units.Mi * local.usable)}MiB"

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

# A warning and not an error: Prometheus works, and keeps its metrics for a shorter time.
check "prometheus_volume" {
  assert {
    condition     = var.prometheus != null || !var.volumes.enabled || local.disk <= local.size * local.usable
    error_message = "Prometheus will keep metrics for fewer than ${local.spec.retention}: its volume of ${local.prometheus.storage} is too small for the tenants, which need ${ceil(local.disk / local.usable / local.units.Gi)}Gi. Enlarge the claim if it exists, then set kube_prometheus_stack.prometheus_size (docs/operations/backup.md)."
  }
}
