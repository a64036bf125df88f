variable "tenants" {
  description = "Names of the tenants."
  type        = set(string)
}

variable "models_bucket" {
  description = "Bucket of the models, which each tenant reads its own folder of."
  type        = string
  default     = "models"
}

variable "datasets_bucket" {
  description = "Bucket of the training data, which no tenant reaches."
  type        = string
  default     = "datasets"
}

variable "artifacts_bucket" {
  description = "Bucket of what a tenant writes, into its own folder and without reading it back."
  type        = string
  default     = "artifacts"
}
