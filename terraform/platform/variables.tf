variable "kubeconfig" {
  description = "Absolute path of the kubeconfig file of the target cluster. There is no default, so that nothing is applied to a cluster that was not named."
  type        = string

  validation {
    condition     = startswith(var.kubeconfig, "/") && fileexists(var.kubeconfig)
    error_message = "kubeconfig must be the absolute path of an existing file; for the Kind cluster: $(terraform -chdir=terraform/cluster output -raw kubeconfig)."
  }
}

variable "context" {
  description = "Name of the context in that file: `kind-tenantry` for the Kind cluster, another one for an existing cluster."
  type        = string

  validation {
    condition     = length(trimspace(var.context)) > 0
    error_message = "context must name a context of the kubeconfig; `kubectl config get-contexts` lists them."
  }
}

variable "platform_file" {
  description = "Path of `platform.yaml`, which lists the tenants; null: the one in the repository."
  type        = string
  default     = null

  validation {
    condition     = var.platform_file == null || try(fileexists(var.platform_file), false)
    error_message = "platform_file must be the path of an existing file; `tenantry init` creates one."
  }
}

variable "cluster" {
  description = "Name of the target cluster in `clusters` of platform.yaml: only its tenants get what they need; null if the file does not list clusters."
  type        = string
  default     = null

  validation {
    condition     = var.cluster == null || can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", var.cluster))
    error_message = "cluster must be one of the names in `clusters` of platform.yaml."
  }
}

variable "dist_directory" {
  description = "Folder with the synthesized YAML to apply; null: `dist` in the repository, or the folder of `cluster` in it. `make up` passes `build/dist`, which differs only in the image."
  type        = string
  default     = null

  validation {
    condition     = var.dist_directory == null || try(length(fileset(var.dist_directory, "*.yaml")) > 0, false)
    error_message = "dist_directory must be a folder with YAML files; `tenantry synth --output FOLDER` writes them."
  }
}

variable "kubectl" {
  description = "The kubectl program that applies this folder: a name on PATH or a path."
  type        = string
  default     = "kubectl"

  validation {
    condition     = can(regex("^[A-Za-z0-9_./-]+$", var.kubectl))
    error_message = "kubectl must be the name or path of a program, without spaces or characters that have a meaning in a shell."
  }
}

variable "object_store" {
  description = <<-TEXT
    MinIO, in the namespace that platform.yaml names (`modelStore.namespace`):
    `enabled`: false if the tenants' store is elsewhere (you then create its buckets, its users and the tenants' Secrets);
    `image`: the server, with its digest (the last one that the project published; docs/terraform.md names maintained rebuilds);
    `client_image`: MinIO's client, for the Job that creates buckets, policies and users;
    `persistent`: keep the buckets on a volume; otherwise they are lost with the pod;
    `size`, `storage_class`: of this volume; null: the default class of the cluster;
    `wait`: wait until the store answers and the Job has finished.
  TEXT
  type = object({
    enabled       = optional(bool, true)
    image         = optional(string, "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z@sha256:14cea493d9a34af32f524e538b8346cf79f3321eff8e708c1e2960462bd8936e")
    client_image  = optional(string, "quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z@sha256:a7fe349ef4bd8521fb8497f55c6042871b2ae640607cf99d9bede5e9bdf11727")
    persistent    = optional(bool, true)
    size          = optional(string, "10Gi")
    storage_class = optional(string)
    wait          = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("[:@][A-Za-z0-9._:-]+$", var.object_store.image)) && !endswith(var.object_store.image, ":latest")
    error_message = "object_store.image must have a tag or a digest, and the tag must not be `latest`."
  }

  validation {
    condition     = !strcontains(var.object_store.image, ".hotfix")
    error_message = "object_store.image must be a release; a build whose tag contains `.hotfix` is not one."
  }

  validation {
    condition     = can(regex("[:@][A-Za-z0-9._:-]+$", var.object_store.client_image)) && !endswith(var.object_store.client_image, ":latest")
    error_message = "object_store.client_image must have a tag or a digest, and the tag must not be `latest`."
  }

  validation {
    condition     = !strcontains(var.object_store.client_image, ".hotfix")
    error_message = "object_store.client_image must be a release; a build whose tag contains `.hotfix` is not one."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi|Ti)$", var.object_store.size))
    error_message = "object_store.size must be a whole number followed by Mi, Gi or Ti, for example 10Gi."
  }
}

variable "kube_prometheus_stack" {
  description = <<-TEXT
    Prometheus, Alertmanager and Grafana:
    `enabled`: false on a cluster that already has kube-prometheus-stack (docs/operations/existing-cluster.md lists what it must select);
    `repository`, `chart`, `version`: the source of the chart; for an offline mirror, set `chart` to a path that starts with / or .;
    `persistent`: keep metrics and silences on volumes; without them they are lost with the pods;
    `prometheus_size`, `alertmanager_size`: of the volumes; Prometheus deletes its oldest blocks at 80 % of its size, and the plan warns if the tenants need more;
    `storage_class`: of the volumes; null: the cluster's default class;
    `values`: additional values, as YAML documents that override values/kube-prometheus-stack.yaml;
    `wait`: wait until everything runs; `timeout_seconds`: for how long.
  TEXT
  type = object({
    enabled           = optional(bool, true)
    repository        = optional(string, "https://prometheus-community.github.io/helm-charts")
    chart             = optional(string, "kube-prometheus-stack")
    version           = optional(string, "88.5.3")
    persistent        = optional(bool, true)
    prometheus_size   = optional(string, "10Gi")
    alertmanager_size = optional(string, "1Gi")
    storage_class     = optional(string)
    values            = optional(list(string), [])
    wait              = optional(bool, true)
    timeout_seconds   = optional(number, 900)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for size in [var.kube_prometheus_stack.prometheus_size, var.kube_prometheus_stack.alertmanager_size] : can(regex("^[1-9][0-9]*Gi$", size))])
    error_message = "kube_prometheus_stack.prometheus_size and alertmanager_size must be a whole number with Gi, for example 10Gi."
  }

  validation {
    condition     = alltrue([for document in var.kube_prometheus_stack.values : can(yamldecode(document))])
    error_message = "Each of kube_prometheus_stack.values must be the text of a YAML document; in terraform.tfvars, use a here-document."
  }

  validation {
    condition     = var.kube_prometheus_stack.timeout_seconds >= 30 && var.kube_prometheus_stack.timeout_seconds <= 3600
    error_message = "kube_prometheus_stack.timeout_seconds must be from 30 to 3600."
  }
}

variable "metrics_server" {
  description = <<-TEXT
    Metrics Server, which provides the autoscalers with metrics:
    `enabled`: false on a cluster that already has it, as most managed clusters do;
    `repository`, `chart`, `version`: the source of the chart; for an offline mirror, set `chart` to a path that starts with / or .;
    `kubelet_insecure_tls`: do not verify the kubelets' certificates; null: only on Kind, whose kubelets use self-signed certificates;
    `values`: additional values, as YAML documents that override values/metrics-server.yaml;
    `wait`: wait until it runs; `timeout_seconds`: for how long.
  TEXT
  type = object({
    enabled              = optional(bool, true)
    repository           = optional(string, "https://kubernetes-sigs.github.io/metrics-server/")
    chart                = optional(string, "metrics-server")
    version              = optional(string, "3.13.1")
    kubelet_insecure_tls = optional(bool)
    values               = optional(list(string), [])
    wait                 = optional(bool, true)
    timeout_seconds      = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for document in var.metrics_server.values : can(yamldecode(document))])
    error_message = "Each of metrics_server.values must be the text of a YAML document; in terraform.tfvars, use a here-document."
  }

  validation {
    condition     = var.metrics_server.timeout_seconds >= 30 && var.metrics_server.timeout_seconds <= 3600
    error_message = "metrics_server.timeout_seconds must be from 30 to 3600."
  }
}

variable "envoy_gateway" {
  description = <<-TEXT
    Envoy Gateway, as the Gateway that platform.yaml describes (`platform.gateway`):
    `enabled`: true to install it; off by default, because platform.gateway usually describes a Gateway that exists;
    `repository`, `chart`, `version`: the source of the chart; for an offline mirror, set `chart` to a path that starts with / or .;
    `tls_secret`: name of the Secret (kubernetes.io/tls) with a certificate for `*.<domain>`, which you create in the Gateway's namespace;
    `plain_http`: on a laptop, listen on port 80 without TLS instead;
    `service_type`: of the proxies' Service (LoadBalancer, NodePort, ClusterIP); `replicas`: number of proxies;
    `values`: additional values, as YAML documents that override values/envoy-gateway.yaml;
    `wait`: wait until the controller runs; `timeout_seconds`: for how long.
  TEXT
  type = object({
    enabled         = optional(bool, false)
    repository      = optional(string, "oci://docker.io/envoyproxy")
    chart           = optional(string, "gateway-helm")
    version         = optional(string, "v1.9.1")
    tls_secret      = optional(string, "gateway-tls")
    plain_http      = optional(bool, false)
    service_type    = optional(string, "LoadBalancer")
    replicas        = optional(number, 2)
    values          = optional(list(string), [])
    wait            = optional(bool, true)
    timeout_seconds = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["LoadBalancer", "NodePort", "ClusterIP"], var.envoy_gateway.service_type)
    error_message = "envoy_gateway.service_type must be LoadBalancer, NodePort or ClusterIP."
  }

  validation {
    condition     = var.envoy_gateway.replicas >= 1 && var.envoy_gateway.replicas <= 50 && floor(var.envoy_gateway.replicas) == var.envoy_gateway.replicas
    error_message = "envoy_gateway.replicas must be a whole number from 1 to 50."
  }

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.envoy_gateway.tls_secret))
    error_message = "envoy_gateway.tls_secret must be the name of a Secret."
  }

  validation {
    condition     = alltrue([for document in var.envoy_gateway.values : can(yamldecode(document))])
    error_message = "Each of envoy_gateway.values must be the text of a YAML document; in terraform.tfvars, use a here-document."
  }

  validation {
    condition     = var.envoy_gateway.timeout_seconds >= 30 && var.envoy_gateway.timeout_seconds <= 3600
    error_message = "envoy_gateway.timeout_seconds must be from 30 to 3600."
  }
}
