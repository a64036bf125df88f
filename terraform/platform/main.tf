# Shared by monitoring.tf, object-store.tf and tenants.tf.
locals {
  platform_file  = abspath(coalesce(var.platform_file, "${path.root}/../../platform.yaml"))
  cluster        = var.cluster == null ? "" : var.cluster
  dist_directory = abspath(coalesce(var.dist_directory, "${path.root}/../../dist/${local.cluster}"))

  # Objects of Terraform have a label of their own: `tenantry apply` prunes objects labelled `managed-by: tenantry`.
  labels = {
    "app.kubernetes.io/managed-by" = "terraform"
    "app.kubernetes.io/part-of"    = "tenantry"
  }
}

module "tenants" {
  source = "./modules/tenants"

  cluster           = var.cluster
  platform_yaml     = file(local.platform_file)
  platform_manifest = try(file("${local.dist_directory}/0-platform.k8s.yaml"), "")
}

module "store_access" {
  source = "./modules/store-access"

  tenants = module.tenants.names
}

module "chart_values" {
  source = "./modules/chart-values"

  context              = var.context
  kubelet_insecure_tls = var.metrics_server.kubelet_insecure_tls
  prometheus_labels    = module.tenants.prometheus_labels
  prometheus           = module.tenants.prometheus
  prometheus_needs     = module.tenants.prometheus_needs
  volumes = {
    enabled           = var.kube_prometheus_stack.persistent
    prometheus_size   = var.kube_prometheus_stack.prometheus_size
    alertmanager_size = var.kube_prometheus_stack.alertmanager_size
    storage_class     = var.kube_prometheus_stack.storage_class
  }
}

# Its UID identifies the cluster: after `kind delete cluster`, everything must be applied again.
data "kubernetes_namespace_v1" "system" {
  metadata {
    name = "kube-system"
  }
}
