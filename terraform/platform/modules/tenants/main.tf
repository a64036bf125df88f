# What Terraform needs from platform.yaml. The defaults are those of `constructs_lib.platform`; a test compares them.
locals {
  document = yamldecode(var.platform_yaml)
  settings = try(local.document.platform, {})

  gateway    = try(local.settings.gateway, null)
  prometheus = try(local.settings.monitoring.prometheus, null)

  store_endpoint  = try(local.settings.modelStore.endpoint, "http://minio-api.minio.svc:9000")
  store_namespace = try(local.settings.modelStore.namespace, "minio")
  # <scheme>://<service>[.<namespace>...][:<port>]
  store_authority = regex("^(?:https?)://([^/:]+)(?::([0-9]+))?", local.store_endpoint)
}
