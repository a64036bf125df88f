# Runs repeat the whole gateway, because OpenTofu does not let their variables refer to these.
variables {
  gateway = {
    name          = "public"
    namespace     = "gateway"
    pod_namespace = "envoy-gateway-system"
    pod_labels    = { "gateway.envoyproxy.io/owning-gateway-name" = "public", "gateway.envoyproxy.io/owning-gateway-namespace" = "gateway" }
    domain        = "models.example.com"
  }
  tls_secret   = "gateway-tls"
  service_type = "LoadBalancer"
  replicas     = 2
}

run "terminates_tls_for_the_tenants_host_names" {
  command = plan

  assert {
    condition     = output.objects[*].kind == ["GatewayClass", "EnvoyProxy", "Gateway", "BackendTrafficPolicy"]
    error_message = "a gateway that fits must be accepted and get all its objects"
  }

  assert {
    condition     = output.objects[2].metadata == { name = "public", namespace = "gateway" }
    error_message = "the Gateway must be the one of platform.yaml"
  }

  assert {
    condition = jsonencode(output.objects[2].spec.listeners) == jsonencode([{
      allowedRoutes = { namespaces = { from = "Selector", selector = { matchExpressions = [{ key = "tenantry.dev/tenant", operator = "Exists" }] } } }
      hostname      = "*.models.example.com"
      name          = "https"
      port          = 443
      protocol      = "HTTPS"
      tls           = { certificateRefs = [{ name = "gateway-tls" }] }
    }])
    error_message = "the listener must accept the tenants' namespaces only, for the names of the domain, with the certificate"
  }

  assert {
    condition     = output.objects[2].spec.gatewayClassName == output.objects[0].metadata.name && output.objects[2].spec.infrastructure.parametersRef.name == output.objects[1].metadata.name
    error_message = "the Gateway must use the class and the configuration of its proxies"
  }

  assert {
    condition     = length(output.objects[1].spec.provider.kubernetes.envoyDeployment.pod.labels) == 0
    error_message = "labels that Envoy Gateway sets itself must be left out"
  }
}

run "gives_the_proxies_the_labels_that_the_policies_admit" {
  command = plan

  variables {
    gateway = {
      name          = "public"
      namespace     = "gateway"
      section_name  = "https"
      pod_namespace = "envoy-gateway-system"
      pod_labels    = { app = "edge" }
      domain        = "models.example.com"
    }
  }

  assert {
    condition     = output.objects[1].spec.provider.kubernetes.envoyDeployment.pod.labels == { app = "edge" }
    error_message = "labels of platform.yaml must reach the proxies"
  }
}

run "listens_without_tls_on_request" {
  command = plan

  variables {
    tls_secret = null
  }

  assert {
    condition     = [for each in output.objects[2].spec.listeners : [each.name, each.protocol, tostring(each.port)]] == [["http", "HTTP", "80"]] && !can(output.objects[2].spec.listeners[0].tls)
    error_message = "without TLS the listener is http on port 80"
  }
}

run "keeps_the_controller_out_of_the_tenants_namespaces" {
  command = plan

  assert {
    condition     = yamldecode(output.values[0]).config.envoyGateway.provider.kubernetes.deploy.type == "ControllerNamespace" && yamldecode(output.values[0]).topologyInjector.enabled == false
    error_message = "the controller must not be able to create Deployments in tenants' namespaces, and there must be no webhook for pods"
  }
}

run "refuses_a_file_without_a_gateway" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = null
  }
}

run "refuses_pods_in_another_namespace" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = {
      name          = "public"
      namespace     = "gateway"
      section_name  = "https"
      pod_namespace = "gateway"
      pod_labels    = { "gateway.envoyproxy.io/owning-gateway-name" = "public" }
      domain        = "models.example.com"
    }
  }
}

run "refuses_a_gateway_beside_its_controller" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = {
      name          = "public"
      namespace     = "envoy-gateway-system"
      section_name  = "https"
      pod_namespace = "envoy-gateway-system"
      pod_labels    = { "gateway.envoyproxy.io/owning-gateway-name" = "public" }
      domain        = "models.example.com"
    }
  }
}

run "refuses_a_listener_that_does_not_exist" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = {
      name          = "public"
      namespace     = "gateway"
      section_name  = "web"
      pod_namespace = "envoy-gateway-system"
      pod_labels    = { "gateway.envoyproxy.io/owning-gateway-name" = "public" }
      domain        = "models.example.com"
    }
  }
}

run "refuses_the_label_of_another_gateway" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = {
      name          = "public"
      namespace     = "gateway"
      section_name  = "https"
      pod_namespace = "envoy-gateway-system"
      pod_labels    = { "gateway.envoyproxy.io/owning-gateway-name" = "other" }
      domain        = "models.example.com"
    }
  }
}

run "refuses_a_label_that_envoy_gateway_does_not_set" {
  command         = plan
  expect_failures = [var.gateway]

  variables {
    gateway = {
      name          = "public"
      namespace     = "gateway"
      section_name  = "https"
      pod_namespace = "envoy-gateway-system"
      pod_labels    = { "gateway.envoyproxy.io/owning-gatewayclass" = "envoy" }
      domain        = "models.example.com"
    }
  }
}
