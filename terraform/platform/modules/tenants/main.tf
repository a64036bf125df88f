# What Terraform needs from platform.yaml. The defaults are those of `constructs_lib.platform`; a test compares them.
locals {
  document = yamldecode(var.platform_yaml)
  settings = try(local.document.platform, {})

  clusters = try(local.document.clusters, [])
  tenants  = [for each in local.document.tenants : each if var.cluster == null || try(each.cluster, null) == var.cluster]

  gateway    = try(local.settings.gateway, null)
  prometheus = try(local.settings.monitoring.prometheus, null)

  store_endpoint  = try(local.settings.modelStore.endpoint, "http://minio-api.minio.svc:9000")
  store_namespace = try(local.settings.modelStore.namespace, "minio")
  # <scheme>://<service>[.<namespace>...][:<port>]
  store_authority = regex("^(?:https?)://([^/:]+)(?::([0-9]+))?", local.store_endpoint)

  # `tenantry synth` computes the needs; a file that an older version wrote does not state them.
  manifests = [for text in split("\n---\n", var.platform_manifest) : yamldecode(text) if text != ""]
  needs     = one([for each in local.manifests : jsondecode(each.metadata.annotations["tenantry.dev/prometheus-needs"]) if can(each.metadata.annotations["tenantry.dev/prometheus-needs"])])
}
