variables {
  context           = "kind-tenantry"
  prometheus_labels = { "app.kubernetes.io/name" = "prometheus" }
  volumes           = { enabled = false, prometheus_size = "10Gi", alertmanager_size = "1Gi" }
}

run "trusts_kinds_kubelets" {
  command = plan

  assert {
    condition     = yamldecode(output.metrics_server[1]).args == ["--kubelet-insecure-tls"]
    error_message = "on Kind metrics-server needs --kubelet-insecure-tls"
  }

  assert {
    condition     = output.is_kind
    error_message = "a context that begins with kind- is Kind's"
  }
}

run "trusts_no_other_clusters_kubelets" {
  command = plan

  variables {
    context = "production"
  }

  assert {
    condition     = length(output.metrics_server) == 1 && !strcontains(output.metrics_server[0], "- --kubelet-insecure-tls")
    error_message = "away from Kind the kubelets' certificates must be checked"
  }
}

run "lets_the_owner_decide_about_the_kubelets" {
  command = plan

  variables {
    context              = "bare-metal"
    kubelet_insecure_tls = true
  }

  assert {
    condition     = yamldecode(output.metrics_server[1]).args == ["--kubelet-insecure-tls"]
    error_message = "kubelet_insecure_tls = true must reach metrics-server on any cluster"
  }
}

run "keeps_the_owner_able_to_distrust_kind" {
  command = plan

  variables {
    kubelet_insecure_tls = false
  }

  assert {
    condition     = length(output.metrics_server) == 1
    error_message = "kubelet_insecure_tls = false must hold on Kind too"
  }
}

run "asks_for_figures_every_sixty_seconds" {
  command = plan

  assert {
    condition     = contains(yamldecode(output.metrics_server[0]).defaultArgs, "--metric-resolution=60s")
    error_message = "metrics-server must scrape every 60 s"
  }
}

run "opens_grafana_on_its_node_port" {
  command = plan

  assert {
    condition     = output.grafana.node_port == 30080 && yamldecode(output.kube_prometheus_stack[0]).grafana.service.type == "NodePort"
    error_message = "Grafana must be on NodePort 30080"
  }
}

run "selects_the_monitors_of_every_tenant" {
  command = plan

  assert {
    condition = alltrue([
      for kind in ["serviceMonitor", "rule", "podMonitor", "probe", "scrapeConfig"] :
      yamldecode(output.kube_prometheus_stack[0]).prometheus.prometheusSpec["${kind}SelectorNilUsesHelmValues"] == false
    ])
    error_message = "Prometheus must take every monitor and rule, whatever its labels"
  }
}

run "labels_prometheus_as_the_network_policies_expect" {
  command = plan

  variables {
    prometheus_labels = { "app.kubernetes.io/name" = "prometheus", "team" = "observability" }
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[1]).prometheus.prometheusSpec.podMetadata.labels == { team = "observability" }
    error_message = "a label that platform.yaml asks for beyond the operator's own must be put on Prometheus's pods"
  }
}

run "keeps_metrics_and_silences_on_volumes" {
  command = plan

  variables {
    volumes = { enabled = true, prometheus_size = "20Gi", alertmanager_size = "2Gi", storage_class = "fast" }
  }

  assert {
    condition = yamldecode(output.kube_prometheus_stack[1]) == {
      prometheus = { prometheusSpec = {
        retentionSize = "16384MiB"
        storageSpec = { volumeClaimTemplate = { spec = {
          accessModes = ["ReadWriteOnce"], resources = { requests = { storage = "20Gi" } }, storageClassName = "fast"
        } } }
      } }
      alertmanager = { alertmanagerSpec = { storage = { volumeClaimTemplate = { spec = {
        accessModes = ["ReadWriteOnce"], resources = { requests = { storage = "2Gi" } }, storageClassName = "fast"
      } } } } }
    }
    error_message = "Prometheus and Alertmanager must get volumes of the given sizes and class, and Prometheus must keep less than its volume holds"
  }
}

run "leaves_the_storage_class_to_the_cluster" {
  command = plan

  variables {
    volumes = { enabled = true, prometheus_size = "10Gi", alertmanager_size = "1Gi" }
  }

  assert {
    condition     = !strcontains(output.kube_prometheus_stack[1], "storageClassName")
    error_message = "without storage_class the cluster's default class must apply"
  }
}

run "makes_no_volumes_on_request" {
  command = plan

  assert {
    condition     = length(output.kube_prometheus_stack) == 1
    error_message = "without volumes only the values file must be passed"
  }
}

run "gives_prometheus_what_platform_yaml_describes" {
  command = plan

  variables {
    prometheus = { memory = "6Gi", storage = "40Gi", retention_days = 15 }
    volumes    = { enabled = true, prometheus_size = "10Gi", alertmanager_size = "1Gi" }
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[2]).prometheus.prometheusSpec == { retention = "15d", retentionSize = "32768MiB" }
    error_message = "days and 80 % of the storage must reach Prometheus"
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[3]).prometheus.prometheusSpec == { resources = { requests = { memory = "6Gi" }, limits = { memory = "6Gi" } } }
    error_message = "the memory must reach Prometheus"
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[1]).prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.resources.requests.storage == "40Gi"
    error_message = "the volume must have the described size, not that of the variable"
  }
}

run "keeps_the_described_part_of_a_disk_without_volumes" {
  command = plan

  variables {
    prometheus = { memory = "1Gi", storage = "500Mi", retention_days = 1 }
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[1]).prometheus.prometheusSpec.retentionSize == "400MiB"
    error_message = "without volumes the described storage must limit Prometheus, too"
  }
}

run "gives_prometheus_the_memory_that_the_tenants_need" {
  command = plan

  variables {
    prometheus_needs = { memory = 8575123456, disk_per_day = 11473920000 } # of 1,000 tenants
    volumes          = { enabled = true, prometheus_size = "100Gi", alertmanager_size = "1Gi" }
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[2]).prometheus.prometheusSpec == { resources = { requests = { memory = "8178Mi" }, limits = { memory = "8178Mi" } } }
    error_message = "the memory must be what the tenants need, rounded up"
  }
}

run "warns_of_a_volume_that_is_too_small_and_keeps_its_size" {
  command = plan

  variables {
    prometheus_needs = { memory = 8575123456, disk_per_day = 11473920000 } # 7 days need 94 GiB
    volumes          = { enabled = true, prometheus_size = "90Gi", alertmanager_size = "1Gi" }
  }

  expect_failures = [check.prometheus_volume]

  assert {
    condition     = strcontains(output.kube_prometheus_stack[1], "\"storage\": \"90Gi\"") && strcontains(output.kube_prometheus_stack[1], "\"retentionSize\": \"73728MiB\"")
    error_message = "volume and retention must not follow the tenants: a claim that exists is not enlarged, and would become full"
  }
}

run "gives_prometheus_no_less_than_the_values_file_does" {
  command = plan

  variables {
    prometheus_needs = { memory = 2147483648, disk_per_day = 1 }
    volumes          = { enabled = true, prometheus_size = "10Gi", alertmanager_size = "1Gi" }
  }

  assert {
    condition     = length(output.kube_prometheus_stack) == 2 && yamldecode(output.kube_prometheus_stack[0]).prometheus.prometheusSpec.resources.limits.memory == "2Gi"
    error_message = "up to 2 GiB the memory of the values file must stay"
  }
}

run "prefers_what_is_described_to_what_the_tenants_need" {
  command = plan

  variables {
    prometheus       = { memory = "1Gi", storage = "5Gi", retention_days = 1 }
    prometheus_needs = { memory = 8575123456, disk_per_day = 11473920000 }
    volumes          = { enabled = true, prometheus_size = "20Gi", alertmanager_size = "1Gi" }
  }

  assert {
    condition     = yamldecode(output.kube_prometheus_stack[3]).prometheus.prometheusSpec.resources.limits.memory == "1Gi" && strcontains(output.kube_prometheus_stack[1], "\"storage\": \"5Gi\"")
    error_message = "platform.yaml must decide about memory and volume"
  }
}
