output "controller_namespace" {
  description = "Namespace of the controller and of the proxies."
  value       = local.controller
}

output "name" {
  description = "Name of the Gateway."
  value       = var.gateway.name
}

output "namespace" {
  description = "Namespace of the Gateway."
  value       = var.gateway.namespace
}

output "values" {
  description = "Values of Envoy Gateway: YAML documents, later documents win."
  value       = [local.file]
}

output "objects" {
  description = "GatewayClass, Gateway and what configures the proxies."
  value       = local.objects
}
