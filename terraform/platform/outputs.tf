output "context" {
  description = "The kubeconfig context of the cluster that this state describes."
  value       = var.context
}

output "cluster" {
  description = "Name of the cluster in platform.yaml; null if the file does not list clusters."
  value       = var.cluster
}

output "grafana_url" {
  description = "Address of Grafana: this machine on Kind (through the cluster's port mapping), any node elsewhere; null if Grafana is not installed."
  value       = !var.kube_prometheus_stack.enabled ? null : module.chart_values.is_kind ? "http://localhost:${module.chart_values.grafana.node_port}" : "http://<address of a node>:${module.chart_values.grafana.node_port}"
}

output "grafana_user" {
  description = "User name for Grafana."
  value       = var.kube_prometheus_stack.enabled ? "admin" : null
}

output "grafana_password_command" {
  description = "Command that prints Grafana's password."
  value       = var.kube_prometheus_stack.enabled ? "${var.kubectl} --context ${var.context} --namespace ${module.tenants.monitoring_namespace} get secret ${module.chart_values.grafana.secret_name} --output go-template='{{index .data \"${module.chart_values.grafana.password_key}\" | base64decode}}'" : null
}

output "gateway_address_command" {
  description = "Command that prints the address of the Gateway; null if Envoy Gateway is not installed."
  value       = var.envoy_gateway.enabled ? "${var.kubectl} --context ${var.context} --namespace ${module.gateway[0].namespace} get gateway ${module.gateway[0].name} --output 'jsonpath={.status.addresses[0].value}'" : null
}

output "monitoring_namespace" {
  description = "Namespace of Prometheus, Alertmanager and Grafana."
  value       = module.tenants.monitoring_namespace
}

output "store_endpoint" {
  description = "Address of the object store's S3 API inside the cluster."
  value       = module.tenants.store.endpoint
}

output "store_service" {
  description = "Name of the Service of the object store's S3 API; null if MinIO is not installed."
  value       = one(kubernetes_service_v1.api[*].metadata[0].name)
}

output "store_console_command" {
  description = "Command that forwards MinIO's console to this machine; null if MinIO is not installed."
  value       = var.object_store.enabled ? "${var.kubectl} --context ${var.context} --namespace ${local.store_namespace} port-forward service/minio-console ${local.console_port}" : null
}

output "store_keys_command" {
  description = "Command that prints the name and password of MinIO's root user; null if MinIO is not installed."
  value       = var.object_store.enabled ? "${var.kubectl} --context ${var.context} --namespace ${local.store_namespace} get secret minio-root --output go-template='{{range .data}}{{. | base64decode}} {{end}}'" : null
}

output "store_namespace" {
  description = "Namespace of the object store; null if MinIO is not installed."
  value       = var.object_store.enabled ? local.store_namespace : null
}

output "publisher_secret" {
  description = "Name of the Secret in that namespace with the credentials for publishing models; null if MinIO is not installed."
  value       = one(kubernetes_secret_v1.publisher[*].metadata[0].name)
}

output "tenants" {
  description = "Names of the tenants and of their namespaces."
  value       = module.tenants.names
}
