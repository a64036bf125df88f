output "names" {
  description = "Names of the tenants and of their namespaces."
  value       = toset(local.tenants[*].name)

  precondition {
    condition     = var.cluster == null ? length(local.clusters) == 0 : contains(local.clusters, var.cluster)
    error_message = "The variable `cluster` must be one of the clusters that platform.yaml lists, or null if it lists none; it lists: ${join(", ", local.clusters)}."
  }
}

output "image" {
  description = "The image of the service in platform.yaml; null if it is not set."
  value       = try(local.settings.image, null)
}

output "monitoring_namespace" {
  description = "Namespace of Prometheus and Grafana."
  value       = try(local.settings.monitoring.namespace, "monitoring")
}

output "prometheus_labels" {
  description = "Labels of Prometheus's pods, which the tenants' network policies admit."
  value       = tomap(try(local.settings.monitoring.prometheusLabels, { "app.kubernetes.io/name" = "prometheus" }))
}

output "prometheus" {
  description = "Memory limit, storage and days of retention of Prometheus; null if the file does not describe it."
  value = local.prometheus == null ? null : {
    memory         = local.prometheus.memory
    storage        = local.prometheus.storage
    retention_days = try(local.prometheus.retentionDays, 7)
  }
}

output "prometheus_needs" {
  description = "What Prometheus needs for all tenants at their maximum, as `tenantry synth` computed it: bytes of memory, and of disk space per day of retention; null if the manifest does not state it."
  value = local.needs == null ? null : {
    memory       = local.needs.memoryBytes
    disk_per_day = local.needs.diskBytesPerDay
  }
}

output "gateway" {
  description = "The gateway for callers outside the cluster: its name, namespace and listener, the namespace and labels of its pods, and the domain of the tenants; null if the file does not describe one."
  value = local.gateway == null ? null : {
    name          = local.gateway.name
    namespace     = local.gateway.namespace
    section_name  = try(local.gateway.sectionName, null)
    pod_namespace = coalesce(try(local.gateway.podNamespace, null), local.gateway.namespace)
    pod_labels    = tomap(local.gateway.podLabels)
    domain        = local.gateway.domain
  }
}

output "store" {
  description = "The object store that the tenants use: endpoint, Service name, port, namespace (null: outside the cluster), labels of its pods, region."
  value = {
    endpoint   = local.store_endpoint
    service    = split(".", local.store_authority[0])[0]
    port       = coalesce(tonumber(local.store_authority[1]), startswith(local.store_endpoint, "https:") ? 443 : 80)
    namespace  = local.store_namespace
    pod_labels = tomap(try(local.settings.modelStore.podLabels, { "app.kubernetes.io/name" = "minio" }))
    region     = try(local.settings.modelStore.region, "us-east-1")
  }
}
