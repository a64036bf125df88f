# Plans of the whole root with invented providers: what depends on what, what the switches leave out, what is refused.
# Needs the providers' schemas: `make terraform-full` installs them first.
mock_provider "kubernetes" {}
mock_provider "helm" {}
mock_provider "random" {}

variables {
  # Any file that is there: with invented providers nobody reads it.
  kubeconfig = "/etc/hosts"
  context    = "kind-tenantry"
}

run "makes_a_secret_for_each_tenant_of_platform_yaml" {
  command = plan

  assert {
    condition     = toset(keys(kubernetes_secret_v1.model_store)) == toset(yamldecode(file("../../platform.yaml")).tenants[*].name)
    error_message = "each tenant of platform.yaml, and nobody else, must get the Secret with its keys"
  }

  assert {
    condition     = alltrue([for tenant, secret in kubernetes_secret_v1.model_store : secret.metadata[0].namespace == tenant && secret.metadata[0].name == "model-store"])
    error_message = "the Secret must be `model-store` in the tenant's own namespace"
  }

  assert {
    condition     = alltrue([for secret in kubernetes_secret_v1.model_store : secret.metadata[0].labels["app.kubernetes.io/managed-by"] == "terraform"])
    error_message = "Terraform's Secrets must not carry the label that `tenantry apply` prunes by"
  }
}

run "makes_the_store_that_platform_yaml_names" {
  command = plan

  assert {
    condition     = kubernetes_namespace_v1.store[0].metadata[0].name == "minio" && kubernetes_service_v1.api[0].metadata[0].name == "minio-api" && kubernetes_service_v1.console[0].metadata[0].name == "minio-console"
    error_message = "the store must be reached as minio-api and minio-console in namespace minio"
  }

  assert {
    condition     = kubernetes_service_v1.api[0].spec[0].port[0].port == 9000 && kubernetes_service_v1.console[0].spec[0].port[0].port == 9001
    error_message = "the API must be on 9000 and the console on 9001"
  }

  assert {
    condition = alltrue([
      for pod in [kubernetes_deployment_v1.store[0].spec[0].template[0].spec[0], kubernetes_job_v1.access[0].spec[0].template[0].spec[0]] :
      pod.security_context[0].run_as_non_root && pod.container[0].security_context[0].run_as_non_root && pod.container[0].security_context[0].read_only_root_filesystem
    ])
    error_message = "MinIO and the Job must run as a user without rights, said for pod and container, on a root file system that is read-only"
  }

  assert {
    condition     = toset(keys(kubernetes_network_policy_v1.store)) == toset(["minio", "minio-access"])
    error_message = "the store and its Job must be restricted by the policies of manifests/minio-network-policy.yaml"
  }

  assert {
    condition     = alltrue([for rule in kubernetes_network_policy_v1.store["minio"].spec[0].ingress : rule.ports[*].port == tolist(["9000"])]) && length(kubernetes_network_policy_v1.store["minio"].spec[0].egress) == 0
    error_message = "the policy must open the API's port alone, and let nothing out"
  }

  assert {
    condition     = length(kubernetes_network_policy_v1.store["minio-access"].spec[0].egress) == 2 && length(kubernetes_network_policy_v1.store["minio-access"].spec[0].ingress) == 0
    error_message = "the Job may reach the store and the name servers, and be reached by nobody"
  }
}

run "keeps_the_buckets_on_a_volume_unless_told_otherwise" {
  command = plan

  assert {
    condition     = length(kubernetes_persistent_volume_claim_v1.store) == 1
    error_message = "the buckets must outlive the pod"
  }
}

run "forgets_the_buckets_where_persistence_is_off" {
  command = plan

  variables {
    object_store = { persistent = false }
  }

  assert {
    condition     = length(kubernetes_persistent_volume_claim_v1.store) == 0 && length(kubernetes_deployment_v1.store[0].spec[0].template[0].spec[0].volume[0].empty_dir) == 1
    error_message = "without persistence there is no claim, and the data are in an empty folder"
  }
}

run "installs_the_pinned_charts" {
  command = plan

  assert {
    condition     = helm_release.kube_prometheus_stack[0].version == "88.5.3" && helm_release.metrics_server[0].version == "3.13.1"
    error_message = "the charts must be the pinned ones"
  }

  assert {
    condition     = helm_release.kube_prometheus_stack[0].namespace == "monitoring" && helm_release.metrics_server[0].namespace == "metrics-server"
    error_message = "monitoring and Metrics Server must each have a namespace of their own"
  }

  assert {
    condition     = strcontains(join("\n", helm_release.metrics_server[0].values), "--kubelet-insecure-tls")
    error_message = "on Kind Metrics Server must trust the kubelets' own certificates"
  }
}

run "lets_an_offline_mirror_replace_repository_and_chart" {
  command = plan

  variables {
    kube_prometheus_stack = { repository = null, chart = "/mirror/kube-prometheus-stack", wait = false, values = ["grafana: {enabled: false}"] }
    metrics_server        = { repository = "https://mirror.example/charts", version = "3.12.0" }
  }

  assert {
    condition     = helm_release.kube_prometheus_stack[0].chart == "/mirror/kube-prometheus-stack" && helm_release.kube_prometheus_stack[0].wait == false
    error_message = "path and wait must reach the release"
  }

  assert {
    condition     = element(helm_release.kube_prometheus_stack[0].values, -1) == "grafana: {enabled: false}"
    error_message = "the owner's values must come last, so that they win"
  }

  assert {
    condition     = helm_release.metrics_server[0].repository == "https://mirror.example/charts" && helm_release.metrics_server[0].version == "3.12.0"
    error_message = "repository and version must reach the release"
  }
}

run "installs_no_gateway_by_default" {
  command = plan

  assert {
    condition     = length(helm_release.envoy_gateway) == 0 && length(helm_release.gateway) == 0 && length(kubernetes_namespace_v1.envoy_gateway) == 0 && length(kubernetes_namespace_v1.gateway) == 0
    error_message = "by default no gateway must be installed"
  }

  assert {
    condition     = output.gateway_address_command == null
    error_message = "outputs of what was left out must be null"
  }
}

run "installs_the_gateway_that_platform_yaml_describes" {
  command = plan

  variables {
    platform_file = "tests/gateway.yaml"
    envoy_gateway = { enabled = true }
  }

  assert {
    condition     = helm_release.envoy_gateway[0].version == "v1.9.1" && helm_release.envoy_gateway[0].repository == "oci://docker.io/envoyproxy" && helm_release.envoy_gateway[0].chart == "gateway-helm" && helm_release.envoy_gateway[0].namespace == "envoy-gateway-system"
    error_message = "the chart must be the pinned one, in the namespace whose pods the tenants admit"
  }

  assert {
    condition     = helm_release.gateway[0].namespace == "gateway" && toset(yamldecode(helm_release.gateway[0].values[0]).objects[*].kind) == toset(["GatewayClass", "EnvoyProxy", "Gateway", "BackendTrafficPolicy"])
    error_message = "the Gateway and what belongs to it must be a release in the Gateway's namespace"
  }

  assert {
    condition     = kubernetes_namespace_v1.envoy_gateway[0].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "controller and proxies must meet the standard restricted"
  }

  assert {
    condition     = strcontains(output.gateway_address_command, "--namespace gateway get gateway public")
    error_message = "a command must print the address of the Gateway"
  }
}

run "takes_the_gateways_chart_from_a_path" {
  command = plan

  variables {
    platform_file = "tests/gateway.yaml"
    envoy_gateway = { enabled = true, chart = "/mirror/gateway-helm", wait = false, values = ["deployment: {replicas: 2}"] }
  }

  assert {
    condition     = helm_release.envoy_gateway[0].chart == "/mirror/gateway-helm" && helm_release.envoy_gateway[0].repository == null && helm_release.envoy_gateway[0].wait == false
    error_message = "a path must not be looked up in the registry"
  }

  assert {
    condition     = element(helm_release.envoy_gateway[0].values, -1) == "deployment: {replicas: 2}"
    error_message = "the owner's values must come last, so that they win"
  }
}

run "refuses_a_type_of_service_that_does_not_exist" {
  command         = plan
  expect_failures = [var.envoy_gateway]

  variables {
    envoy_gateway = { service_type = "Ingress" }
  }
}

run "leaves_out_what_the_cluster_has_already" {
  command = plan

  variables {
    kube_prometheus_stack = { enabled = false }
    metrics_server        = { enabled = false }
    object_store          = { enabled = false }
  }

  assert {
    condition     = length(helm_release.kube_prometheus_stack) == 0 && length(helm_release.metrics_server) == 0 && length(kubernetes_namespace_v1.monitoring) == 0 && length(kubernetes_namespace_v1.metrics_server) == 0
    error_message = "a chart that is switched off must leave nothing, not even its namespace"
  }

  assert {
    condition     = length(kubernetes_deployment_v1.store) == 0 && length(kubernetes_secret_v1.model_store) == 0 && length(random_password.tenant) == 0 && length(kubernetes_network_policy_v1.store) == 0
    error_message = "a store that is switched off must leave no pod, key or policy"
  }

  assert {
    condition     = output.grafana_url == null && output.store_namespace == null && output.publisher_secret == null
    error_message = "outputs of what was left out must be null"
  }
}

run "says_where_grafana_is" {
  command = plan

  assert {
    condition     = output.grafana_url == "http://localhost:30080" && strcontains(output.grafana_password_command, "grafana-admin")
    error_message = "on Kind Grafana is on this machine's port 30080, and a command reads its password"
  }
}

run "refuses_an_image_without_a_version" {
  command         = plan
  expect_failures = [var.object_store]

  variables {
    object_store = { image = "minio/minio:latest" }
  }
}

run "refuses_an_image_that_is_not_a_release" {
  command         = plan
  expect_failures = [var.object_store]

  variables {
    object_store = { image = "minio/minio:RELEASE.2025-09-07T16-13-09Z.hotfix.0123456" }
  }
}

run "refuses_values_that_are_no_yaml" {
  command         = plan
  expect_failures = [var.kube_prometheus_stack]

  variables {
    kube_prometheus_stack = { values = ["a: [b"] }
  }
}

run "refuses_a_kubeconfig_that_is_not_there" {
  command         = plan
  expect_failures = [var.kubeconfig]

  variables {
    kubeconfig = "/nowhere/kubeconfig"
  }
}

run "refuses_a_program_name_that_a_shell_would_read" {
  command         = plan
  expect_failures = [var.kubectl]

  variables {
    kubectl = "kubectl; true"
  }
}

run "installs_one_of_several_clusters" {
  command = plan

  variables {
    platform_file  = "tests/clusters.yaml"
    cluster        = "east"
    dist_directory = "tests/east"
  }

  assert {
    condition     = keys(kubernetes_secret_v1.model_store) == ["tenant-a"] && keys(terraform_data.tenant) == ["tenant-a"]
    error_message = "only the tenants of the cluster must get a Secret and a namespace"
  }

  assert {
    condition     = strcontains(join("\n", helm_release.kube_prometheus_stack[0].values), "\"memory\": \"8178Mi\"")
    error_message = "Prometheus must get the memory that the manifests of the cluster state"
  }

  assert {
    condition     = strcontains(join("\n", helm_release.kube_prometheus_stack[0].values), "\"storage\": \"100Gi\"")
    error_message = "Prometheus must get the volume that the manifests of the cluster need"
  }
}

run "refuses_a_cluster_that_cannot_be_a_name" {
  command         = plan
  expect_failures = [var.cluster]

  variables {
    cluster = "../east"
  }
}

