locals {
  kubeconfig_path = coalesce(var.kubeconfig_path, abspath("${path.root}/../../build/kubeconfig"))

  # Where Grafana's Service listens on every node: terraform/platform/values/kube-prometheus-stack.yaml says the same.
  grafana_node_port = 30080

  # Paths inside the control plane's container.
  audit_policy_file   = "/etc/kubernetes/audit/policy.yaml"
  audit_log_directory = "/var/log/kubernetes/audit"
  audit_log_file      = "${local.audit_log_directory}/audit.log"

  audit_arguments = {
    "audit-policy-file"   = local.audit_policy_file
    "audit-log-path"      = local.audit_log_file
    "audit-log-maxage"    = "30"  # days
    "audit-log-maxbackup" = "10"  # files
    "audit-log-maxsize"   = "100" # megabytes per file
  }

  # kubeadm runs the API server as a pod: files of the node's container must be mounted into that pod as well.
  audit_volumes = [
    {
      name      = "audit-policy"
      hostPath  = local.audit_policy_file
      mountPath = local.audit_policy_file
      readOnly  = true
      pathType  = "File"
    },
    {
      name      = "audit-log"
      hostPath  = local.audit_log_directory
      mountPath = local.audit_log_directory
      readOnly  = false
      pathType  = "DirectoryOrCreate"
    },
  ]

  # Kind writes v1beta3 for Kubernetes before 1.36, and v1beta4, where arguments are a list, from 1.36. A patch that matches
  # no document is ignored, so each node image uses its own.
  kubeadm_patches = [
    yamlencode({
      apiVersion = "kubeadm.k8s.io/v1beta3"
      kind       = "ClusterConfiguration"
      apiServer  = { extraArgs = local.audit_arguments, extraVolumes = local.audit_volumes }
    }),
    yamlencode({
      apiVersion = "kubeadm.k8s.io/v1beta4"
      kind       = "ClusterConfiguration"
      apiServer = {
        extraArgs    = [for name, value in local.audit_arguments : { name = name, value = value }]
        extraVolumes = local.audit_volumes
      }
    }),
  ]
}

resource "kind_cluster" "this" {
  name            = var.name
  node_image      = var.node_image
  kubeconfig_path = local.kubeconfig_path
  wait_for_ready  = true

  kind_config {
    kind        = "Cluster"
    api_version = "kind.x-k8s.io/v1alpha4"

    node {
      role                   = "control-plane"
      kubeadm_config_patches = local.kubeadm_patches

      extra_port_mappings {
        container_port = local.grafana_node_port
        host_port      = var.grafana_port
        listen_address = "127.0.0.1"
        protocol       = "TCP"
      }

      extra_mounts {
        host_path      = abspath("${path.module}/audit-policy.yaml")
        container_path = local.audit_policy_file
        read_only      = true
      }

      dynamic "extra_mounts" {
        for_each = var.audit_log_directory == null ? [] : [var.audit_log_directory]

        content {
          host_path      = extra_mounts.value
          container_path = local.audit_log_directory
        }
      }
    }

    dynamic "node" {
      for_each = range(var.workers)

      content {
        role = "worker"
      }
    }
  }
}
