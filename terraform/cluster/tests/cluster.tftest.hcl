# Plans with an invented provider; the configuration that Kind gets is all there is to this root.
mock_provider "kind" {}

run "makes_one_control_plane_and_four_workers" {
  command = plan

  assert {
    condition     = kind_cluster.this.kind_config[0].node[*].role == tolist(["control-plane", "worker", "worker", "worker", "worker"])
    error_message = "the cluster must have one control plane and four workers"
  }

  assert {
    condition     = output.nodes == ["tenantry-worker", "tenantry-worker2", "tenantry-worker3", "tenantry-worker4"]
    error_message = "the workers' containers must be named as Kind names them"
  }
}

run "opens_grafana_on_loopback_only" {
  command = plan

  assert {
    condition = alltrue([
      for mapping in kind_cluster.this.kind_config[0].node[0].extra_port_mappings :
      mapping.host_port == 30080 && mapping.container_port == 30080 && mapping.listen_address == "127.0.0.1"
    ])
    error_message = "port 30080 of this machine, and of nobody else, must lead to Grafana's NodePort"
  }
}

run "turns_on_the_audit_log_for_either_kubeadm_format" {
  command = plan

  assert {
    condition = alltrue([
      for text in kind_cluster.this.kind_config[0].node[0].kubeadm_config_patches :
      strcontains(text, "/etc/kubernetes/audit/policy.yaml") && strcontains(text, "/var/log/kubernetes/audit/audit.log")
    ])
    error_message = "each patch must name the policy's file and the log's"
  }

  assert {
    condition = {
      for text in kind_cluster.this.kind_config[0].node[0].kubeadm_config_patches :
      yamldecode(text).apiVersion => can(yamldecode(text).apiServer.extraArgs["audit-log-path"])
      } == {
      "kubeadm.k8s.io/v1beta3" = true  # arguments are a map
      "kubeadm.k8s.io/v1beta4" = false # arguments are a list
    }
    error_message = "there must be a patch for v1beta3 with a map of arguments and one for v1beta4 with a list"
  }

  assert {
    condition     = kind_cluster.this.kind_config[0].node[0].extra_mounts[0].read_only && endswith(kind_cluster.this.kind_config[0].node[0].extra_mounts[0].host_path, "/cluster/audit-policy.yaml")
    error_message = "the policy must be mounted into the control plane, read-only"
  }
}

run "mounts_a_folder_for_the_log_where_one_is_named" {
  command = plan

  variables {
    audit_log_directory = "/var/log/tenantry"
  }

  assert {
    condition     = kind_cluster.this.kind_config[0].node[0].extra_mounts[1].host_path == "/var/log/tenantry" && kind_cluster.this.kind_config[0].node[0].extra_mounts[1].container_path == "/var/log/kubernetes/audit"
    error_message = "the named folder must be mounted where the API server writes its log"
  }
}

run "refuses_an_image_without_a_digest" {
  command         = plan
  expect_failures = [var.node_image]

  variables {
    node_image = "kindest/node:v1.34.0"
  }
}

run "refuses_a_kubernetes_that_is_too_old" {
  command         = plan
  expect_failures = [var.node_image]

  variables {
    node_image = "kindest/node:v1.29.9@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"
  }
}

run "refuses_half_a_worker" {
  command         = plan
  expect_failures = [var.workers]

  variables {
    workers = 2.5
  }
}
