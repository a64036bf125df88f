output "kubeconfig" {
  description = "File with the cluster's kubeconfig: `export KUBECONFIG=$(terraform -chdir=terraform/cluster output -raw kubeconfig)`."
  value       = local.kubeconfig_path
  depends_on  = [kind_cluster.this]
}

output "context" {
  description = "Name of the cluster's context in that file."
  value       = "kind-${var.name}"
  depends_on  = [kind_cluster.this]
}

output "name" {
  description = "Name of the Kind cluster."
  value       = kind_cluster.this.name
}

output "nodes" {
  description = "Names of the worker nodes' containers, which images are loaded into."
  value       = [for index in range(var.workers) : index == 0 ? "${var.name}-worker" : "${var.name}-worker${index + 1}"]
  depends_on  = [kind_cluster.this]
}

output "grafana_url" {
  description = "Address of Grafana on this machine, once terraform/platform has installed it."
  value       = "http://localhost:${var.grafana_port}"
}

output "audit_log_command" {
  description = "Command that prints the API server's audit log, one JSON object per line, and follows it."
  value       = "docker exec ${var.name}-control-plane tail -n +1 -F ${local.audit_log_file}"
}
