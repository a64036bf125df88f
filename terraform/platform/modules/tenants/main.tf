# What Terraform needs to know from platform.yaml. The defaults are those of `constructs_lib.platform`, the one home of
# every default; a test compares the two.
locals {
  document = yamldecode(var.platform_yaml)
  settings = try(local.document.platform, {})

  store_endpoint  = try(local.settings.modelStore.endpoint, "http://minio-api.minio.svc:9000")
  store_namespace = try(local.settings.modelStore.namespace, "minio")
  # <scheme>://<service>[.<namespace>...][:<port>]
  store_authority = regex("^(?:https?)://([^/:]+)(?::([0-9]+))?", local.store_endpoint)
}
