output "controller_namespace" {
  description = "Namespace of the controller and of the proxies."
  value       = local.controller
}

output "values" {
  description = "Values of Envoy Gateway: YAML documents, later documents win."
  value       = [local.file]
}

output "objects" {
  description = "GatewayClass, Gateway and what configures the proxies."
  value       = local.objects
}
