locals {
  # Terraform makes an object of all instances wherever an expression names a resource: once here, not once per tenant.
  tenant_keys = { for tenant, password in random_password.tenant : tenant => password.result }

  store_count     = var.object_store.enabled ? 1 : 0
  store_namespace = module.tenants.store.namespace
  # The tenants' network policies (platform.yaml) and the store's own policy select the pods by these labels.
  store_pod_labels = module.tenants.store.pod_labels
  store_port       = module.tenants.store.port
  console_port     = 9001
  store_url        = "http://${module.tenants.store.service}.${coalesce(local.store_namespace, "outside")}.svc:${local.store_port}"

  # One policy per document of the file, in the namespace that platform.yaml names.
  store_network_policies = {
    for document in [
      for text in split("\n---\n", file("${path.module}/manifests/minio-network-policy.yaml")) : yamldecode(text)
    ] : document.metadata.name => document
  }

  # Satisfies Pod Security `restricted`.
  user_id = 1000

  access_script = file("${path.module}/files/store-access.sh")
  access_users = merge(
    { for tenant, user in module.store_access.tenant_users : user => local.tenant_keys[tenant] if var.object_store.enabled },
    var.object_store.enabled ? { (module.store_access.publisher_user) = random_password.publisher[0].result } : {},
  )
}

resource "kubernetes_namespace_v1" "store" {
  count = local.store_count

  metadata {
    name = local.store_namespace
    labels = merge(local.labels, {
      "pod-security.kubernetes.io/enforce" = "restricted"
    })
  }

  lifecycle {
    precondition {
      condition     = local.store_namespace != null
      error_message = "platform.yaml says that the model store is outside the cluster (modelStore.namespace: null): set object_store = { enabled = false }."
    }

    precondition {
      condition     = module.tenants.store.endpoint == local.store_url
      error_message = "platform.yaml sets the endpoint ${module.tenants.store.endpoint}, but MinIO would listen at ${local.store_url}: change modelStore.endpoint, or disable MinIO with object_store = { enabled = false }."
    }
  }
}

resource "random_password" "root" {
  count = local.store_count

  length  = 40
  special = false
}

resource "random_password" "publisher" {
  count = local.store_count

  length  = 40
  special = false
}

resource "random_password" "tenant" {
  for_each = var.object_store.enabled ? module.tenants.names : []

  length  = 40
  special = false
}

resource "kubernetes_secret_v1" "root" {
  count = local.store_count

  metadata {
    name      = "minio-root"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  data = {
    MINIO_ROOT_USER     = "root-admin"
    MINIO_ROOT_PASSWORD = random_password.root[0].result
  }
}

# The credentials for `tenantry publish`: for users who can read Secrets of this namespace, not for tenants.
resource "kubernetes_secret_v1" "publisher" {
  count = local.store_count

  metadata {
    name      = "model-publisher"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  data = {
    AWS_ACCESS_KEY_ID     = module.store_access.publisher_user
    AWS_SECRET_ACCESS_KEY = random_password.publisher[0].result
  }

  depends_on = [kubernetes_job_v1.access]
}

resource "kubernetes_persistent_volume_claim_v1" "store" {
  count = var.object_store.enabled && var.object_store.persistent ? 1 : 0

  # The default class of Kind and of most clouds binds the volume when the pod is scheduled.
  wait_until_bound = false

  metadata {
    name      = "minio"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = var.object_store.storage_class

    resources {
      requests = {
        storage = var.object_store.size
      }
    }
  }
}

resource "kubernetes_deployment_v1" "store" {
  count = local.store_count

  wait_for_rollout = var.object_store.wait

  metadata {
    name      = "minio"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = merge(local.labels, local.store_pod_labels)
  }

  spec {
    replicas = 1

    # A single writer: the new pod must not run at the same time as the old one.
    strategy {
      type = "Recreate"
    }

    selector {
      match_labels = local.store_pod_labels
    }

    template {
      metadata {
        labels = merge(local.labels, local.store_pod_labels)
      }

      spec {
        automount_service_account_token = false
        enable_service_links            = false

        security_context {
          run_as_non_root = true
          run_as_user     = local.user_id
          run_as_group    = local.user_id
          fs_group        = local.user_id

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name  = "minio"
          image = var.object_store.image
          args = [
            "server", "/data",
            "--address", ":${local.store_port}",
            "--console-address", ":${local.console_port}",
            "--certs-dir", "/tmp/certs", # otherwise MinIO looks in the home folder, even if there are no certificates
          ]

          env_from {
            secret_ref {
              name = kubernetes_secret_v1.root[0].metadata[0].name
            }
          }

          env {
            name  = "MINIO_REGION"
            value = module.tenants.store.region
          }

          # The process reads the root credentials at start: the pod is replaced when they change.
          env {
            name  = "ROOT_KEY_CHECKSUM"
            value = nonsensitive(sha256(random_password.root[0].result))
          }

          port {
            name           = "api"
            container_port = local.store_port
          }

          port {
            name           = "console"
            container_port = local.console_port
          }

          startup_probe {
            period_seconds    = 2
            failure_threshold = 60

            http_get {
              path = "/minio/health/live"
              port = "api"
            }
          }

          liveness_probe {
            period_seconds    = 20
            timeout_seconds   = 5
            failure_threshold = 3

            http_get {
              path = "/minio/health/live"
              port = "api"
            }
          }

          readiness_probe {
            period_seconds  = 10
            timeout_seconds = 5

            http_get {
              path = "/minio/health/ready"
              port = "api"
            }
          }

          resources {
            requests = {
              cpu    = "100m"
              memory = "256Mi"
            }
            limits = {
              cpu    = "1"
              memory = "1Gi"
            }
          }

          security_context {
            run_as_non_root            = true # if absent, the provider writes false, which overrides the pod's
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "data"
            mount_path = "/data"
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        volume {
          name = "data"

          dynamic "persistent_volume_claim" {
            for_each = kubernetes_persistent_volume_claim_v1.store

            content {
              claim_name = persistent_volume_claim.value.metadata[0].name
            }
          }

          dynamic "empty_dir" {
            for_each = var.object_store.persistent ? [] : [1]

            content {}
          }
        }

        volume {
          name = "tmp"

          empty_dir {
            size_limit = "64Mi"
          }
        }
      }
    }
  }
}

resource "kubernetes_service_v1" "api" {
  count = local.store_count

  metadata {
    name      = module.tenants.store.service
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  spec {
    selector = local.store_pod_labels

    port {
      name        = "api"
      port        = local.store_port
      target_port = "api"
    }
  }
}

resource "kubernetes_service_v1" "console" {
  count = local.store_count

  metadata {
    name      = "minio-console"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  spec {
    selector = local.store_pod_labels

    port {
      name        = "console"
      port        = local.console_port
      target_port = "console"
    }
  }
}

# The file is plain YAML for clusters without Terraform. Its rules are read into the typed resource, which detects manual changes
# (kubernetes_manifest cannot take lists whose rules have different shapes).
resource "kubernetes_network_policy_v1" "store" {
  for_each = var.object_store.enabled ? local.store_network_policies : {}

  metadata {
    name      = each.key
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = merge(local.labels, each.value.metadata.labels)
  }

  spec {
    policy_types = each.value.spec.policyTypes

    pod_selector {
      match_labels = each.value.spec.podSelector.matchLabels
    }

    dynamic "ingress" {
      for_each = each.value.spec.ingress

      content {
        dynamic "ports" {
          for_each = ingress.value.ports

          content {
            port     = ports.value.port
            protocol = ports.value.protocol
          }
        }

        dynamic "from" {
          for_each = ingress.value.from

          content {
            dynamic "namespace_selector" {
              for_each = try([from.value.namespaceSelector.matchExpressions], [])

              content {
                dynamic "match_expressions" {
                  for_each = namespace_selector.value

                  content {
                    key      = match_expressions.value.key
                    operator = match_expressions.value.operator
                  }
                }
              }
            }

            dynamic "pod_selector" {
              for_each = try([from.value.podSelector.matchLabels], [])

              content {
                match_labels = pod_selector.value
              }
            }
          }
        }
      }
    }

    dynamic "egress" {
      for_each = each.value.spec.egress

      content {
        dynamic "ports" {
          for_each = egress.value.ports

          content {
            port     = ports.value.port
            protocol = ports.value.protocol
          }
        }

        dynamic "to" {
          for_each = egress.value.to

          content {
            dynamic "namespace_selector" {
              for_each = try([to.value.namespaceSelector.matchLabels], [])

              content {
                match_labels = namespace_selector.value
              }
            }

            dynamic "pod_selector" {
              for_each = try([to.value.podSelector.matchLabels], [])

              content {
                match_labels = pod_selector.value
              }
            }
          }
        }
      }
    }
  }
}

# Read by the Job: the credentials of the users and their policies.
resource "kubernetes_secret_v1" "access" {
  count = local.store_count

  metadata {
    name      = "minio-access"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = local.labels
  }

  data = merge(
    { for user, key in local.access_users : "users.${user}" => key },
    { for user, policy in module.store_access.policies : "policies.${user}" => policy },
    { "store-access.sh" = local.access_script },
  )

  lifecycle {
    precondition {
      condition     = sum([for user, policy in module.store_access.policies : length(policy) + 40]) + length(local.access_script) < 1048576
      error_message = "The policies and keys of ${length(module.tenants.names)} tenants do not fit into the Secret minio-access (1 MiB). Divide the tenants among several clusters."
    }
  }
}

# The only place that uses MinIO's own commands. Its name contains the checksum of buckets, users, keys and policies, so any
# change creates a new Job and removes the old one.
resource "kubernetes_job_v1" "access" {
  count = local.store_count

  wait_for_completion = var.object_store.wait

  metadata {
    name = "minio-access-${substr(nonsensitive(sha256(jsonencode([
      kubernetes_secret_v1.access[0].data, module.store_access.buckets, var.object_store.client_image,
      try(kubernetes_persistent_volume_claim_v1.store[0].metadata[0].uid, kubernetes_deployment_v1.store[0].metadata[0].uid),
    ]))), 0, 10)}"
    namespace = kubernetes_namespace_v1.store[0].metadata[0].name
    labels    = merge(local.labels, { "app.kubernetes.io/name" = "minio-access" })
  }

  spec {
    backoff_limit           = 4
    active_deadline_seconds = 600

    template {
      metadata {
        labels = merge(local.labels, { "app.kubernetes.io/name" = "minio-access" })
      }

      spec {
        restart_policy                  = "Never"
        automount_service_account_token = false
        enable_service_links            = false

        security_context {
          run_as_non_root = true
          run_as_user     = local.user_id
          run_as_group    = local.user_id
          fs_group        = local.user_id

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name    = "access"
          image   = var.object_store.client_image
          command = ["/bin/sh", "/access/store-access.sh"]

          env {
            name = "MINIO_ROOT_USER"

            value_from {
              secret_key_ref {
                name = kubernetes_secret_v1.root[0].metadata[0].name
                key  = "MINIO_ROOT_USER"
              }
            }
          }

          env {
            name = "MINIO_ROOT_PASSWORD"

            value_from {
              secret_key_ref {
                name = kubernetes_secret_v1.root[0].metadata[0].name
                key  = "MINIO_ROOT_PASSWORD"
              }
            }
          }

          env {
            name  = "MC_HOST_store"
            value = replace(local.store_url, "http://", "http://$(MINIO_ROOT_USER):$(MINIO_ROOT_PASSWORD)@")
          }

          env {
            name  = "MC_CONFIG_DIR"
            value = "/tmp/mc"
          }

          env {
            name  = "BUCKETS"
            value = join(" ", module.store_access.buckets)
          }

          env {
            name  = "USER_PREFIX"
            value = module.store_access.user_prefix
          }

          env {
            name  = "ACCESS"
            value = "/access"
          }

          resources {
            requests = {
              cpu    = "20m"
              memory = "64Mi"
            }
            limits = {
              cpu    = "500m"
              memory = "256Mi"
            }
          }

          security_context {
            run_as_non_root            = true # if absent, the provider writes false, which overrides the pod's
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "access"
            mount_path = "/access"
            read_only  = true
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        volume {
          name = "access"

          secret {
            secret_name  = kubernetes_secret_v1.access[0].metadata[0].name
            default_mode = "0440"

            items {
              key  = "store-access.sh"
              path = "store-access.sh"
            }

            dynamic "items" {
              for_each = module.store_access.policies

              content {
                key  = "users.${items.key}"
                path = "users/${items.key}"
              }
            }

            dynamic "items" {
              for_each = module.store_access.policies

              content {
                key  = "policies.${items.key}"
                path = "policies/${items.key}.json"
              }
            }
          }
        }

        volume {
          name = "tmp"

          empty_dir {
            size_limit = "64Mi"
          }
        }
      }
    }
  }

  timeouts {
    create = "15m"
  }

  depends_on = [kubernetes_deployment_v1.store, kubernetes_service_v1.api, kubernetes_network_policy_v1.store]
}
