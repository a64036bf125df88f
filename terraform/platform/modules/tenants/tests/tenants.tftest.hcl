run "reads_what_is_written" {
  command = plan

  variables {
    platform_yaml = <<-YAML
      apiVersion: tenantry.dev/v1alpha1
      platform:
        image: registry.example/service:1.2.3
        monitoring:
          namespace: observability
          prometheusLabels: {app: prom}
          prometheus: {memory: 6Gi, storage: 40Gi}
        modelStore:
          endpoint: https://objects.storage.svc
          namespace: storage
          podLabels: {app: objects}
          region: eu-north-1
      tenants:
        - name: zebra
        - name: ant
    YAML
  }

  assert {
    condition     = output.names == toset(["ant", "zebra"])
    error_message = "the tenants are not those of the file"
  }

  assert {
    condition     = output.prometheus == { memory = "6Gi", storage = "40Gi", retention_days = 7 }
    error_message = "what the file says of Prometheus is not used, or the days of retention have no default"
  }

  assert {
    condition     = output.image == "registry.example/service:1.2.3"
    error_message = "the image is not that of the file"
  }

  assert {
    condition     = output.monitoring_namespace == "observability" && output.prometheus_labels == tomap({ app = "prom" })
    error_message = "what the file says of monitoring is not used"
  }

  assert {
    condition     = output.store.service == "objects" && output.store.port == 443 && output.store.namespace == "storage"
    error_message = "the endpoint is not taken apart as an address: an https endpoint without a port means 443"
  }

  assert {
    condition     = output.store.region == "eu-north-1" && output.store.pod_labels == tomap({ app = "objects" })
    error_message = "region or labels of the store are not those of the file"
  }
}

run "takes_the_defaults_where_the_file_is_silent" {
  command = plan

  variables {
    platform_yaml = "{platform: {image: 'a/b:1'}, tenants: [{name: one}]}"
  }

  assert {
    condition     = output.monitoring_namespace == "monitoring" && output.prometheus_labels == tomap({ "app.kubernetes.io/name" = "prometheus" })
    error_message = "the defaults of monitoring are not those of the model"
  }

  assert {
    condition     = output.store.endpoint == "http://minio-api.minio.svc:9000" && output.store.service == "minio-api" && output.store.port == 9000 && output.store.namespace == "minio" && output.store.region == "us-east-1"
    error_message = "the defaults of the store are not those of the model"
  }
}

run "knows_a_store_outside_of_the_cluster" {
  command = plan

  variables {
    platform_yaml = "{platform: {image: 'a/b:1', modelStore: {endpoint: 'http://objects.example', namespace: null}}, tenants: [{name: one}]}"
  }

  assert {
    condition     = output.store.namespace == null && output.store.port == 80
    error_message = "a namespace that the file sets to null stays null, and http without a port means 80"
  }
}

run "refuses_a_file_without_tenants" {
  command         = plan
  expect_failures = [var.platform_yaml]

  variables {
    platform_yaml = "{platform: {}, tenants: []}"
  }
}

run "refuses_what_is_not_yaml" {
  command         = plan
  expect_failures = [var.platform_yaml]

  variables {
    platform_yaml = "tenants: [}"
  }
}

run "refuses_a_name_that_is_no_dns_label" {
  command         = plan
  expect_failures = [var.platform_yaml]

  variables {
    platform_yaml = "tenants: [{name: Tenant_A}]"
  }
}

run "refuses_a_name_twice" {
  command         = plan
  expect_failures = [var.platform_yaml]

  variables {
    platform_yaml = "tenants: [{name: twin}, {name: twin}]"
  }
}

run "reads_what_prometheus_needs_from_the_manifests" {
  command = plan

  variables {
    platform_yaml     = "tenants: [{name: one}]"
    platform_manifest = <<-YAML
      apiVersion: v1
      kind: Namespace
      metadata:
        annotations:
          tenantry.dev/prometheus-needs: '{"memoryBytes": 285048832, "diskBytesPerDay": 22947840}'
        name: monitoring
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: tenantry-dashboard
    YAML
  }

  assert {
    condition     = output.prometheus_needs == { memory = 285048832, disk_per_day = 22947840 }
    error_message = "the annotation that `tenantry synth` writes is not read"
  }
}

run "reads_nothing_from_manifests_of_older_versions" {
  command = plan

  variables {
    platform_yaml     = "tenants: [{name: one}]"
    platform_manifest = "kind: Namespace\nmetadata: {name: monitoring}\n---\nkind: ConfigMap\nmetadata: {name: dashboard}\n"
  }

  assert {
    condition     = output.prometheus_needs == null
    error_message = "without the annotation the needs are not known"
  }
}

run "does_without_manifests" {
  command = plan

  variables {
    platform_yaml = "tenants: [{name: one}]"
  }

  assert {
    condition     = output.prometheus_needs == null
    error_message = "without manifests the needs are not known"
  }
}

run "selects_the_tenants_of_the_cluster" {
  command = plan

  variables {
    platform_yaml = "{clusters: [east, west], tenants: [{name: one, cluster: east}, {name: two, cluster: west}, {name: three, cluster: east}]}"
    cluster       = "east"
  }

  assert {
    condition     = output.names == toset(["one", "three"])
    error_message = "the tenants must be those of the cluster"
  }
}

run "refuses_several_clusters_without_the_name_of_one" {
  command         = plan
  expect_failures = [output.names]

  variables {
    platform_yaml = "{clusters: [east, west], tenants: [{name: one, cluster: east}, {name: two, cluster: west}, {name: three, cluster: east}]}"
  }
}

run "refuses_a_cluster_that_is_not_listed" {
  command         = plan
  expect_failures = [output.names]

  variables {
    platform_yaml = "{clusters: [east, west], tenants: [{name: one, cluster: east}, {name: two, cluster: west}, {name: three, cluster: east}]}"
    cluster       = "north"
  }
}

run "refuses_a_cluster_if_none_are_listed" {
  command         = plan
  expect_failures = [output.names]

  variables {
    platform_yaml = "tenants: [{name: one}]"
    cluster       = "east"
  }
}
