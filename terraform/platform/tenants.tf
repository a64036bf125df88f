locals {
  dist_files = sort(fileset(local.dist_directory, "*.yaml"))
  kubectl    = "${var.kubectl} --kubeconfig \"$KUBECONFIG_FILE\" --context \"$CONTEXT\""
}

# Records that a tenant exists: when it is removed from platform.yaml, the plan shows the destruction of this resource, which
# deletes the tenant's namespace with everything in it.
resource "terraform_data" "tenant" {
  for_each = module.tenants.names

  input = {
    namespace  = each.value
    kubectl    = local.kubectl
    kubeconfig = var.kubeconfig
    context    = var.context
  }

  provisioner "local-exec" {
    when    = destroy
    command = "${self.input.kubectl} delete namespace \"$NAMESPACE\" --ignore-not-found --timeout=5m"

    environment = {
      NAMESPACE       = self.input.namespace
      KUBECONFIG_FILE = self.input.kubeconfig
      CONTEXT         = self.input.context
    }
  }

  depends_on = [helm_release.kube_prometheus_stack]
}

# Applies dist/ with kubectl instead of kubernetes_manifest: ServiceMonitors cannot be planned before the chart has installed
# their CRDs. Runs again when a file changes, and on a new cluster.
resource "terraform_data" "dist" {
  triggers_replace = {
    cluster = data.kubernetes_namespace_v1.system.metadata[0].uid
    files   = { for name in local.dist_files : name => filesha256("${local.dist_directory}/${name}") }
  }

  provisioner "local-exec" {
    command = "${local.kubectl} apply --filename \"$DIST\""

    environment = {
      DIST            = local.dist_directory
      KUBECONFIG_FILE = var.kubeconfig
      CONTEXT         = var.context
    }
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract([for name in module.tenants.names : "${name}.k8s.yaml"], local.dist_files)) == 0
      error_message = "A tenant in ${local.platform_file} has no file in ${local.dist_directory}: run `make synth` first."
    }
  }

  # The dashboards need their namespace, and the pods need the users of the store.
  depends_on = [helm_release.kube_prometheus_stack, terraform_data.tenant]
}

# The credentials of each tenant: dist/ only names this Secret.
resource "kubernetes_secret_v1" "model_store" {
  for_each = var.object_store.enabled ? module.tenants.names : []

  metadata {
    name      = "model-store"
    namespace = each.value
    labels    = local.labels
  }

  data = {
    AWS_ACCESS_KEY_ID     = module.store_access.tenant_users[each.value]
    AWS_SECRET_ACCESS_KEY = local.tenant_keys[each.value]
  }

  depends_on = [terraform_data.dist, kubernetes_job_v1.access]
}
